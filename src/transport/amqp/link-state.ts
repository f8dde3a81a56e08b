import type { TransportStatus } from "../transport.ts";

/** Makes one state of the several links of a transport: disconnected while any is lost, blocked while any is. */
export class LinksState {
  readonly #emit: (status: TransportStatus) => void;
  readonly #lost = new Set<object>();
  readonly #blocked = new Set<object>();

  constructor(emit: (status: TransportStatus) => void) {
    this.#emit = emit;
  }

  lost(part: object, reason: string): void {
    const isFirst = this.#lost.size === 0;
    this.#lost.add(part);
    if (isFirst) this.#emit({ type: "disconnected", reason });
  }

  retrying(attempt: number): void {
    this.#emit({ type: "reconnecting", attempt });
  }

  /** `server` names the one that a link leads to now. */
  restored(part: object, server?: string): void {
    // A new link is not blocked until the broker says so.
    this.unblocked(part);
    if (this.#lost.delete(part) && this.#lost.size === 0)
      this.#emit(server === undefined ? { type: "reconnected" } : { type: "reconnected", server });
  }

  blocked(part: object, reason: string): void {
    const isFirst = this.#blocked.size === 0;
    this.#blocked.add(part);
    if (isFirst) this.#emit({ type: "blocked", reason });
  }

  unblocked(part: object): void {
    if (this.#blocked.delete(part) && this.#blocked.size === 0) this.#emit({ type: "unblocked" });
  }
}

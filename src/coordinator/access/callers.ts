import { FanfoldError } from "../../lib/errors.ts";

/** A page asks for a handful of things at a time, and several people may share one token. Half of all streams of events. */
export const CALLS_MAX = 32;

/** Requests that are being answered, by the token that grants them. No holder of a token takes all connections. */
export class Callers {
  readonly #calls = new Map<string, number>();

  /** Counts a request until its signal ends. @throws FanfoldError `too-many` */
  enter(tokenId: string, signal: AbortSignal): void {
    const calls = this.#calls.get(tokenId) ?? 0;
    if (calls >= CALLS_MAX)
      throw new FanfoldError(
        "too-many",
        `cannot answer the request: ${CALLS_MAX} by the token ${tokenId} are being answered, and there can be no more at a time; try again when one of them is over`,
      );
    if (signal.aborted) return;
    this.#calls.set(tokenId, calls + 1);
    signal.addEventListener("abort", () => this.#leave(tokenId), { once: true });
  }

  #leave(tokenId: string): void {
    const calls = (this.#calls.get(tokenId) ?? 0) - 1;
    if (calls > 0) this.#calls.set(tokenId, calls);
    else this.#calls.delete(tokenId);
  }
}

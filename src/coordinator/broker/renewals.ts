import type { Clock } from "../../lib/clock.ts";

/** Gives members fresh credentials again and again, for as long as each is connected. */
export class Renewals {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #ofMember = new Map<string, Disposable>();

  constructor({ clock, everyMs }: { readonly clock: Clock; readonly everyMs: number }) {
    this.#clock = clock;
    this.#everyMs = everyMs;
  }

  /** From now on for this member, instead of what was begun for it before. It ends when `gone` aborts. */
  begin(memberId: string, gone: AbortSignal, renew: () => void): void {
    this.end(memberId);
    if (gone.aborted) return;
    const timer = this.#clock.every(this.#everyMs, renew);
    const end = (): void => {
      timer[Symbol.dispose]();
      gone.removeEventListener("abort", end);
      if (this.#ofMember.get(memberId) === renewal) this.#ofMember.delete(memberId);
    };
    const renewal = { [Symbol.dispose]: end };
    gone.addEventListener("abort", end);
    this.#ofMember.set(memberId, renewal);
  }

  end(memberId: string): void {
    this.#ofMember.get(memberId)?.[Symbol.dispose]();
  }
}

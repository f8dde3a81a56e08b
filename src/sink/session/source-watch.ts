import type { Clock } from "../../lib/clock.ts";

/** By then, data that was on its way when a source left has come. A source that is there is heard every second [P-8]. */
const STILL_COMING_MS = 2_500;

/** Notices that a source which was said to have left is heard again. Pure but for its clock. */
export class SourceWatch {
  readonly #clock: Clock;
  readonly #onReturn: (name: string) => void;
  #gone: { readonly name: string; readonly atMs: number } | undefined;

  constructor(clock: Clock, onReturn: (name: string) => void) {
    this.#clock = clock;
    this.#onReturn = onReturn;
  }

  left(name: string): void {
    this.#gone = { name, atMs: this.#clock.nowMs() };
  }

  started(): void {
    this.#gone = undefined;
  }

  heard(): void {
    const gone = this.#gone;
    if (gone === undefined || this.#clock.nowMs() - gone.atMs < STILL_COMING_MS) return;
    this.#gone = undefined;
    this.#onReturn(gone.name);
  }
}

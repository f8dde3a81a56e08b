import type { Clock } from "../../lib/clock.ts";

/** As long as sources try to come back: a session that nobody is connected to is held so long. */
export const DESERTED_KEPT_MS = 10 * 60 * 1000;
const LOOK_EVERY_MS = 10_000;

/** Until when sessions are held that nobody is connected to, by name. */
export class Deadlines implements Disposable {
  readonly #clock: Clock;
  readonly #look: Disposable;
  readonly #untilMs = new Map<string, number>();

  constructor(clock: Clock, expired: (name: string) => void) {
    this.#clock = clock;
    this.#look = clock.every(LOOK_EVERY_MS, () => {
      for (const name of this.#due()) expired(name);
    });
  }

  /** Holds a session from now on, whatever was before. */
  hold(name: string): void {
    this.#untilMs.set(name, this.#clock.nowMs() + DESERTED_KEPT_MS);
  }

  [Symbol.dispose](): void {
    this.#look[Symbol.dispose]();
    this.#untilMs.clear();
  }

  #due(): readonly string[] {
    const nowMs = this.#clock.nowMs();
    const due = [...this.#untilMs].filter(([, untilMs]) => nowMs >= untilMs).map(([name]) => name);
    for (const name of due) this.#untilMs.delete(name);
    return due;
  }
}

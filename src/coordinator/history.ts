import type { Clock } from "../lib/clock.ts";
import { FanfoldError } from "../lib/errors.ts";
import type { RunningSession, SeriesMember, SessionEnd, SessionRef } from "./series.ts";
import type { Store } from "./store.ts";

/** Writes what happens to the store. A history that cannot be written is told, and stops no session. */
export class History {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #warn: (message: string) => void;

  constructor(store: Store, { clock, warn }: { readonly clock: Clock; readonly warn: (message: string) => void }) {
    this.#store = store;
    this.#clock = clock;
    this.#warn = warn;
  }

  opened(session: SessionRef, name: string): void {
    this.#write(() => this.#store.opened(session, name, this.#clock.date()));
  }

  joined(member: SeriesMember): void {
    const { id, name, role, sessionId, identity } = member;
    this.#write(() => this.#store.joined({ memberId: id, name, role, sessionId }, identity));
  }

  started(session: RunningSession): void {
    this.#write(() => this.#store.started(session.id, this.#clock.date()));
  }

  ended(session: RunningSession, end: SessionEnd): void {
    const at = this.#clock.date();
    this.#write(() => {
      if (end.type === "finished")
        this.#store.ended(session.id, { at, result: end.summary.result, summary: end.summary });
      else this.#store.ended(session.id, { at, result: "failed", reason: end.reason });
    });
  }

  forgotten(sessionId: string): void {
    this.#write(() => this.#store.forgotten(sessionId));
  }

  /** Ends what is not at its end, because the coordinator stops. */
  interrupted(): void {
    this.#write(() => this.#store.interrupt(this.#clock.date()));
  }

  #write(write: () => void): void {
    try {
      write();
    } catch (thrown) {
      this.#warn(
        `Write the history: ${FanfoldError.from(thrown).message}; sessions go on, but this one is not recorded`,
      );
    }
  }
}

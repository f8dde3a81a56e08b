import type { Clock } from "../../lib/clock.ts";
import type { SessionView } from "../../protocol/messages/session-view.ts";

/** At most ten views a second of each session: what people can read, and programs can keep up with. */
const VIEW_EVERY_MS = 100;

/** Passes views on at a bounded rate for each session; the latest one always arrives. */
export class ViewFeed implements Disposable {
  readonly #clock: Clock;
  readonly #emit: (view: SessionView) => void;
  readonly #shownAtMs = new Map<string, number>();
  readonly #latest = new Map<string, SessionView>();
  /** Sessions whose latest view was not passed on yet. */
  readonly #pending = new Set<string>();
  #timer: Disposable | undefined;

  constructor(clock: Clock, emit: (view: SessionView) => void) {
    this.#clock = clock;
    this.#emit = emit;
  }

  /** Of every session that has not ended, also what waits to be passed on. */
  get latest(): readonly SessionView[] {
    return [...this.#latest.values()];
  }

  show(view: SessionView): void {
    this.#latest.set(view.sessionId, view);
    const shownAtMs = this.#shownAtMs.get(view.sessionId);
    if (shownAtMs === undefined || this.#clock.nowMs() - shownAtMs >= VIEW_EVERY_MS) this.#pass(view);
    else this.#pending.add(view.sessionId);
    this.#timer ??= this.#clock.every(VIEW_EVERY_MS, () => this.#flush());
  }

  /** The last view of a session. */
  end(view: SessionView): void {
    this.#latest.delete(view.sessionId);
    this.#pass(view);
    this.#shownAtMs.delete(view.sessionId);
    if (this.#shownAtMs.size === 0) this.#stop();
  }

  [Symbol.dispose](): void {
    this.#stop();
    this.#latest.clear();
    this.#pending.clear();
    this.#shownAtMs.clear();
  }

  #flush(): void {
    const nowMs = this.#clock.nowMs();
    for (const sessionId of [...this.#pending]) {
      const view = this.#latest.get(sessionId);
      if (view === undefined) continue;
      if (nowMs - (this.#shownAtMs.get(view.sessionId) ?? Number.NEGATIVE_INFINITY) >= VIEW_EVERY_MS) this.#pass(view);
    }
  }

  #pass(view: SessionView): void {
    this.#pending.delete(view.sessionId);
    this.#shownAtMs.set(view.sessionId, this.#clock.nowMs());
    this.#emit(view);
  }

  #stop(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }
}

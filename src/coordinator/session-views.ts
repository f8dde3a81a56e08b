import type { Clock } from "../lib/clock.ts";
import { FanfoldError } from "../lib/errors.ts";
import type { Logger } from "../lib/logger.ts";
import type { SessionView } from "../protocol/events.ts";
import type { CopyProgress, SessionSummary } from "../protocol/progress.ts";
import { subjectsOf, upWildcard } from "../protocol/subjects.ts";
import { decodeUp } from "../protocol/up.ts";
import type { TransportMessage } from "../transport/transport.ts";
import type { BrokerLink } from "./broker-link.ts";
import { withSafeText } from "./peer-text.ts";
import type { RunningSession, SeriesState } from "./series.ts";
import {
  endedView,
  type RunningView,
  runningView,
  waitingView,
  withLoss,
  withProgress,
  withReport,
} from "./session-view.ts";
import { ViewFeed } from "./view-feed.ts";

export interface SessionViewsOptions {
  readonly link: BrokerLink;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly emit: (view: SessionView) => void;
}

/** The live views of all sessions, from what their members do and from the sinks' reports on the broker. */
export class SessionViews implements Disposable {
  readonly #options: SessionViewsOptions;
  readonly #feed: ViewFeed;
  readonly #running = new Map<string, RunningView>();
  readonly #watches = new Map<string, Disposable>();

  constructor(options: SessionViewsOptions) {
    this.#options = options;
    this.#feed = new ViewFeed(options.clock, options.emit);
  }

  /** Follows the reports of a session from now on. */
  open(sessionId: string): void {
    const receive = (message: TransportMessage) => this.#receive(sessionId, message);
    this.#watches.set(sessionId, this.#options.link.watch(upWildcard(subjectsOf(sessionId)), receive));
  }

  /** Shows the session of a series that waits as it is now. */
  waiting(state: SeriesState): void {
    const view = waitingView(state);
    if (view !== undefined) this.#feed.show(view);
  }

  start(name: string, session: RunningSession): void {
    this.#put(session.id, runningView(name, session));
  }

  progress(sessionId: string, progress: CopyProgress): void {
    const running = this.#running.get(sessionId);
    if (running !== undefined) this.#put(sessionId, withProgress(running, progress));
  }

  lost(sessionId: string, sinkId: string): void {
    const running = this.#running.get(sessionId);
    if (running !== undefined) this.#put(sessionId, withLoss(running, sinkId));
  }

  end(sessionId: string, summary: SessionSummary | undefined): void {
    const running = this.#running.get(sessionId);
    this.#drop(sessionId);
    if (running !== undefined) this.#feed.end(endedView(running, summary));
  }

  /** A session that everyone left before it started. */
  forget(name: string, sessionId: string): void {
    this.#drop(sessionId);
    this.#feed.end({ session: name, sessionId, state: "ended", sinks: [] });
  }

  [Symbol.dispose](): void {
    for (const watch of this.#watches.values()) watch[Symbol.dispose]();
    this.#watches.clear();
    this.#running.clear();
    this.#feed[Symbol.dispose]();
  }

  #drop(sessionId: string): void {
    this.#watches.get(sessionId)?.[Symbol.dispose]();
    this.#watches.delete(sessionId);
    this.#running.delete(sessionId);
  }

  #put(sessionId: string, running: RunningView | undefined): void {
    if (running === undefined) return;
    this.#running.set(sessionId, running);
    this.#feed.show(running.view);
  }

  #receive(sessionId: string, { subject, payload }: TransportMessage): void {
    const running = this.#running.get(sessionId);
    if (running === undefined) return;
    try {
      const up = withSafeText(decodeUp(payload));
      if (up.sessionId !== sessionId || up.epoch !== running.epoch) return;
      this.#put(sessionId, withReport(running, subject.slice(subject.lastIndexOf(".") + 1), up.message));
    } catch (thrown) {
      this.#options.logger.debug("dropped a report", { subject, reason: FanfoldError.from(thrown).message });
    }
  }
}

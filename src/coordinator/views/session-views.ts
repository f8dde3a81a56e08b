import type { Clock } from "../../lib/clock.ts";
import { FanfoldError } from "../../lib/errors.ts";
import type { Logger } from "../../lib/logger.ts";
import { decodeUp } from "../../protocol/frame/up.ts";
import type { Member } from "../../protocol/messages/control.ts";
import type { SessionView } from "../../protocol/messages/events.ts";
import type { CopyProgress, SessionSummary } from "../../protocol/messages/progress.ts";
import { withSafeText } from "../../protocol/names/peer-text.ts";
import { subjectsOf, upWildcard } from "../../protocol/subjects.ts";
import type { TransportMessage } from "../../transport/transport.ts";
import type { BrokerLink } from "../broker/broker-link.ts";
import { type RunningSession, type SessionRef, type SessionSlot, sourceOf } from "../session/session-slot.ts";
import {
  endedView,
  type RunningView,
  restoredView,
  runningView,
  waitingView,
  withJoined,
  withLoss,
  withProgress,
  withReport,
  withReturn,
  withSource,
} from "./session-view.ts";
import { ViewFeed } from "./view-feed.ts";

interface SessionViewsOptions {
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

  /** Shows what a slot is now: who waits, or whether the source is there. */
  show(state: SessionSlot): void {
    const view = waitingView(state);
    if (view !== undefined) {
      // Of a session that was taken over, nothing that the epoch before showed is true any more.
      this.#running.delete(view.sessionId);
      this.#feed.show(view);
    }
    const { running } = state;
    if (running === undefined) return;
    const here = sourceOf(state)?.away === undefined;
    this.#change(running.id, (shown) => withSource(shown, here));
  }

  /** A session of the coordinator before this one: everybody is away. */
  restore(state: SessionSlot): void {
    const { running, waiting } = state;
    const session = running ?? waiting;
    if (session !== undefined) this.open(session.id);
    if (running === undefined) this.show(state);
    else this.#put(running.id, restoredView(state.name, running));
  }

  start(name: string, session: RunningSession, dryRun: boolean): void {
    this.#put(session.id, runningView(name, session, dryRun));
  }

  progress(sessionId: string, progress: CopyProgress): void {
    this.#change(sessionId, (running) => withProgress(running, progress));
  }

  lost(sessionId: string, sinkId: string): void {
    this.#change(sessionId, (running) => withLoss(running, sinkId));
  }

  returned(sessionId: string, sinkId: string): void {
    this.#change(sessionId, (running) => withReturn(running, sinkId));
  }

  joined(sessionId: string, sink: Member): void {
    this.#change(sessionId, (running) => withJoined(running, sink));
  }

  end(name: string, session: SessionRef, summary: SessionSummary | undefined): void {
    const running = this.#running.get(session.id);
    if (running === undefined) {
      this.forget(name, session);
      return;
    }
    this.#drop(session.id);
    this.#feed.end(endedView(running, summary));
  }

  /** A session that never started, or not yet again, is over. */
  forget(name: string, { id: sessionId, epoch }: SessionRef): void {
    this.#drop(sessionId);
    this.#feed.end({ session: name, sessionId, epoch, state: "ended", sinks: [] });
  }

  /** The latest view of every session that waits or runs. */
  snapshot(): readonly SessionView[] {
    return this.#feed.latest;
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

  #change(sessionId: string, change: (running: RunningView) => RunningView | undefined): void {
    const running = this.#running.get(sessionId);
    const changed = running === undefined ? undefined : change(running);
    if (changed !== undefined) this.#put(sessionId, changed);
  }

  #put(sessionId: string, running: RunningView): void {
    this.#running.set(sessionId, running);
    this.#feed.show(running.view);
  }

  #receive(sessionId: string, { subject, payload }: TransportMessage): void {
    const running = this.#running.get(sessionId);
    if (running === undefined) return;
    try {
      const up = withSafeText(decodeUp(payload));
      if (up.sessionId !== sessionId || up.epoch !== running.epoch) return;
      this.#change(sessionId, (shown) => withReport(shown, subject.slice(subject.lastIndexOf(".") + 1), up));
    } catch (thrown) {
      this.#options.logger.debug("dropped a report", { subject, reason: FanfoldError.from(thrown).message });
    }
  }
}

import type { Clock } from "../../lib/clock.ts";
import { FanfoldError } from "../../lib/errors.ts";
import type { Logger } from "../../lib/logger.ts";
import { EMPTY_TRAIL, extendTrail, type RatePoint, type Trail } from "../../protocol/api/trail.ts";
import { openSealedFrame } from "../../protocol/frame/frame.ts";
import { decodeUp, type UpFrame, upOf } from "../../protocol/frame/up.ts";
import type { ClientMessage, Member, Seal } from "../../protocol/messages/control.ts";
import type { SessionSummary } from "../../protocol/messages/progress.ts";
import type { SessionView } from "../../protocol/messages/session-view.ts";
import { withSafeText } from "../../protocol/names/peer-text.ts";
import { ReportOpener } from "../../protocol/seal/report-seal.ts";
import { subjectsOf, upWildcard } from "../../protocol/subjects.ts";
import type { TransportMessage } from "../../transport/transport.ts";
import type { BrokerLink } from "../broker/broker-link.ts";
import { type RunningSession, type SessionRef, type SessionSlot, sourceOf } from "../session/session-slot.ts";
import {
  endedView,
  type FactsOf,
  type RunningView,
  restoredView,
  runningView,
  sameLimits,
  waitingView,
  withFacts,
  withJoined,
  withLimits,
  withLoss,
  withProgress,
  withReport,
  withReturn,
  withSeal,
  withSource,
  withStanding,
} from "./session-view.ts";
import { ViewFeed } from "./view-feed.ts";

interface SessionViewsOptions {
  readonly link: Pick<BrokerLink, "watch">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly emit: (view: SessionView) => void;
  /** What a sink that is connected said of its machine. */
  readonly factsOf: FactsOf;
  /** Public key of a member of the session of this name. */
  readonly keyOf: (session: string, memberId: string) => string | undefined;
}

type ProgressMessage = Extract<ClientMessage, { type: "progress" }>;

interface BegunCopy {
  readonly dryRun: boolean;
  /** How the session is sealed. */
  readonly seal: Seal | undefined;
}

/** The live views of all sessions, from what their members do and from the sinks' reports on the broker. */
export class SessionViews implements Disposable {
  readonly #options: SessionViewsOptions;
  readonly #feed: ViewFeed;
  readonly #running = new Map<string, RunningView>();
  /** Of the epoch that runs, by session. */
  readonly #trails = new Map<string, Trail>();
  readonly #watches = new Map<string, Disposable>();
  /** Of sessions that are sealed. */
  readonly #openers = new Map<string, ReportOpener>();

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
    const view = waitingView(state, this.#options.factsOf);
    if (view !== undefined) {
      // Of a session that was taken over, nothing that the epoch before showed is true any more.
      this.#running.delete(view.sessionId);
      this.#feed.show(view);
    }
    const { running } = state;
    if (running === undefined) return;
    const here = sourceOf(state)?.away === undefined;
    this.#change(running.id, (shown) => {
      const now = withSource(shown, here) ?? shown;
      const limited = withLimits(now, state);
      return now === shown && sameLimits(limited.view, shown.view) ? undefined : limited;
    });
  }

  /** A session of the coordinator before this one: everybody is away. */
  restore(state: SessionSlot): void {
    const { running, waiting } = state;
    const session = running ?? waiting;
    if (session !== undefined) this.open(session.id);
    if (running === undefined) this.show(state);
    else this.#put(running.id, restoredView(state.name, running));
  }

  start(name: string, session: RunningSession, { dryRun, seal }: BegunCopy): void {
    let running = runningView(name, session, dryRun);
    for (const { id } of session.sinks) running = withFacts(running, id, this.#options.factsOf(id)) ?? running;
    this.#trails.delete(session.id);
    this.#openers.delete(session.id);
    this.#put(session.id, withSeal(running, seal));
    if (seal !== undefined) this.sealed(session, seal);
  }

  /** What its sinks say is opened by this from now on. */
  sealed({ id, epoch }: SessionRef, seal: Seal): void {
    if (seal.by === "coordinator")
      this.#openers.set(id, new ReportOpener(Buffer.from(seal.secret, "base64url"), { sessionId: id, epoch }));
    this.#change(id, (running) => (running.view.sealed === true ? undefined : withSeal(running, seal)));
  }

  /** What a sink says of its machine. */
  said(sessionId: string, sinkId: string): void {
    this.#change(sessionId, (running) => withFacts(running, sinkId, this.#options.factsOf(sinkId)));
  }

  /** What a source says. Where only recipients can read what the sinks say, it says how they are doing, too. */
  progress(sessionId: string, { progress, sinks = [] }: Pick<ProgressMessage, "progress" | "sinks">): void {
    const shown = this.#running.get(sessionId);
    if (shown === undefined) return;
    this.#trails.set(sessionId, extendTrail(this.#trails.get(sessionId) ?? EMPTY_TRAIL, progress));
    this.#put(sessionId, sinks.reduce(withStanding, withProgress(shown, progress)));
  }

  lost(sessionId: string, sinkId: string): void {
    this.#change(sessionId, (running) => withLoss(running, sinkId));
  }

  returned(sessionId: string, sinkId: string): void {
    this.#change(sessionId, (running) => withReturn(running, sinkId));
    this.said(sessionId, sinkId);
  }

  joined(sessionId: string, sink: Pick<Member, "id" | "name">): void {
    this.#change(sessionId, (running) => withJoined(running, sink));
    this.said(sessionId, sink.id);
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

  /** How fast the source of a session sent by now; undefined of one that has not begun to copy, or is over. */
  rates(sessionId: string): readonly RatePoint[] | undefined {
    return this.#trails.get(sessionId)?.points;
  }

  /** The latest view of every session that waits or runs. */
  snapshot(): readonly SessionView[] {
    return this.#feed.latest;
  }

  [Symbol.dispose](): void {
    for (const watch of this.#watches.values()) watch[Symbol.dispose]();
    this.#watches.clear();
    this.#running.clear();
    this.#trails.clear();
    this.#feed[Symbol.dispose]();
  }

  #drop(sessionId: string): void {
    this.#watches.get(sessionId)?.[Symbol.dispose]();
    this.#watches.delete(sessionId);
    this.#running.delete(sessionId);
    this.#trails.delete(sessionId);
    this.#openers.delete(sessionId);
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

  /** @throws FanfoldError `damaged`, or `protocol-version` */
  #read({ session, sessionId }: SessionView, sinkId: string, payload: Uint8Array): UpFrame {
    const reports = this.#openers.get(sessionId);
    if (reports === undefined) return decodeUp(payload);
    const sink = { id: sinkId, key: this.#options.keyOf(session, sinkId) };
    const frame = openSealedFrame(payload, { open: (sealed) => reports.open(sealed, sink) });
    if (frame === undefined) throw new FanfoldError("damaged", "cannot read a report: its sink did not seal it");
    return upOf(frame);
  }

  #receive(sessionId: string, { subject, payload }: TransportMessage): void {
    const running = this.#running.get(sessionId);
    if (running === undefined) return;
    try {
      const sinkId = subject.slice(subject.lastIndexOf(".") + 1);
      // Nobody else's key is made, or held.
      if (!running.sinkIds.includes(sinkId) || running.view.recipients !== undefined) return;
      const up = withSafeText(this.#read(running.view, sinkId, payload));
      if (up.sessionId !== sessionId || up.epoch !== running.epoch) return;
      this.#change(sessionId, (shown) => withReport(shown, sinkId, up));
    } catch (thrown) {
      this.#options.logger.debug("dropped a report", { subject, reason: FanfoldError.from(thrown).message });
    }
  }
}

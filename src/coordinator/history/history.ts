import type { Clock } from "../../lib/clock.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { systemRandom } from "../../lib/random.ts";
import type { SinkCheck } from "../../protocol/api/answer-schemas.ts";
import type { RatePoint } from "../../protocol/api/trail.ts";
import type { CommitDecision, CommitRef } from "../../protocol/messages/commit.ts";
import type { Member, Role } from "../../protocol/messages/control.ts";
import { type SessionSummary, sessionSummaryShape } from "../../protocol/messages/progress.ts";
import type { NotedEnd } from "../notices/notice.ts";
import { type RestoredSession, restoredSession } from "../session/restore.ts";
import type { RunningSession, SessionEnd, SessionRef, SlotMember } from "../session/session-slot.ts";
import type { Retention } from "./retention.ts";
import type { SaidOfSink } from "./sink-store.ts";
import type { Store } from "./store.ts";

/** A session that its source finished, as one who took part in it finds it. */
export interface PastCopy {
  readonly session: SessionRef;
  readonly member: Member;
  readonly summary: SessionSummary;
  readonly decision: CommitDecision | undefined;
}

interface EndOfSession {
  readonly end: SessionEnd;
  readonly rates?: readonly RatePoint[] | undefined;
}

const PRUNE_EVERY_MS = 3_600_000;

interface HistoryOptions {
  readonly clock: Clock;
  readonly warn: (message: string) => void;
  readonly retention: Retention;
  /** Called inside of the transaction in which an end is written down. */
  readonly noteEnd: (end: NotedEnd) => void;
}

/** What a sink told of a check. */
interface ToldCheck {
  /** By which it is known when it is told once more. */
  readonly report: string;
  /** Undefined: it did not come to its end. */
  readonly check: Omit<SinkCheck, "at"> | undefined;
  /** By the clock of the sink. */
  readonly endedAt: string;
}

/** Writes what happens to the store, and reads what happened before. A history that cannot be written is told, and stops no session. */
export class History implements Disposable {
  /** Which state this is: another one knows nothing of what is decided here. */
  readonly coordinator: string;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #warn: (message: string) => void;
  readonly #noteEnd: (end: NotedEnd) => void;
  readonly #pruning: Disposable;

  constructor(store: Store, { clock, warn, retention, noteEnd }: HistoryOptions) {
    this.coordinator = store.decisions.ownId(systemRandom);
    this.#store = store;
    this.#clock = clock;
    this.#warn = warn;
    this.#noteEnd = noteEnd;
    const prune = (): void => void this.#write(() => store.prune(clock.date(), retention));
    this.#pruning = clock.every(PRUNE_EVERY_MS, prune);
  }

  [Symbol.dispose](): void {
    this.#pruning[Symbol.dispose]();
  }

  opened(session: SessionRef, name: string): void {
    this.#write(() => this.#store.opened(session, name, this.#clock.date()));
  }

  /** `ticket` is the one that opens the embedded relay. */
  joined(member: SlotMember, ticket: string | undefined): void {
    this.#write(() => this.#store.joined(member, ticket));
  }

  takenOver(session: SessionRef): void {
    this.#write(() => this.#store.takenOver(session));
  }

  started(session: RunningSession): void {
    this.#write(() => this.#store.started(session, this.#clock.date()));
  }

  /** A sink takes part that did not at the start. */
  tookPart(session: SessionRef, memberId: string): void {
    this.#write(() => this.#store.tookPart(session, memberId));
  }

  /** Writes down what is decided on a copy, for good. False when that cannot be done. */
  decide(decision: CommitDecision): boolean {
    return this.#write(() => this.#store.decisions.decide(decision, this.#clock.date()));
  }

  /** What was decided on a copy; undefined when nothing is written down. */
  decision(copy: CommitRef): CommitDecision | undefined {
    return this.#store.decisions.find(copy);
  }

  /** A sink signed what it proved. */
  receipt({
    sessionId,
    memberId,
    receipt,
  }: {
    readonly sessionId: string;
    readonly memberId: string;
    readonly receipt: string;
  }): void {
    this.#write(() => this.#store.receipt(sessionId, memberId, receipt));
  }

  /** A sink said of its machine what it can. */
  sinkSaid(sink: SaidOfSink, at: Date): void {
    this.#write(() => this.#store.sinks.said(sink, at));
  }

  /** Whether a report of a sink is the one that was told last, also by the coordinator before this one. */
  isTold(key: string, report: string): boolean {
    return this.#store.verified.told(key) === report;
  }

  /**
   * A sink has read its copy again, or did not go on with it: then there is no `check`. It may tell of it long afterwards: that makes
   * it no younger.
   */
  sinkTold(key: string, { report, check, endedAt }: ToldCheck): void {
    const now = this.#clock.date();
    const at = new Date(Math.min(Date.parse(endedAt), now.getTime())).toISOString();
    this.#write(() =>
      this.#store.verified.tell(key, { report, at: now }, () => {
        if (check !== undefined) this.#store.verified.keep(key, { ...check, at });
      }),
    );
  }

  /** The sinks that have a copy of a session of this name. */
  sinksOf(session: string): readonly { readonly key: string; readonly name: string }[] {
    return this.#store.verified.sinksOf(session);
  }

  /** A member left for good: its ticket opens nothing any more. */
  revoked(session: SessionRef, memberId: string): void {
    this.#write(() => this.#store.revoked(session.id, memberId));
  }

  /** Gives how the session ended, in the words of the history. `rates`: how fast its source sent. */
  ended(name: string, { id: sessionId }: SessionRef, { end, rates }: EndOfSession): NotedEnd {
    const noted = endOf(name, sessionId, end);
    const at = this.#clock.date();
    this.#write(() => this.#store.ended(sessionId, { at, ...noted, rates }, () => this.#noteEnd(noted)));
    return noted;
  }

  forgotten(sessionId: string): void {
    this.#write(() => this.#store.forgotten(sessionId));
  }

  /** What the coordinator before this one left running. */
  restorable(): readonly RestoredSession[] {
    return this.#store.running().flatMap((record) => {
      const restored = restoredSession(record, this.#store.members(record.id), {
        coordinator: this.coordinator,
        decision: this.decision({ sessionId: record.id, epoch: record.epoch }),
      });
      return restored === undefined ? [] : [restored];
    });
  }

  /** How the copy ended that a client comes back to; undefined when its source did not finish it. */
  past(back: SessionRef, role: Role, identity: string): PastCopy | undefined {
    const record = this.#store.session(back.id);
    if (record === undefined || record.summary === null || record.epoch !== back.epoch) return undefined;
    const member = this.#store
      .members(back.id)
      .find((each) => each.role === role && each.identity === identity && each.epoch === back.epoch);
    if (member === undefined) return undefined;
    const summary = sessionSummaryShape.accept(JSON.parse(record.summary));
    if (summary === undefined) return undefined;
    const decision = this.decision({ sessionId: back.id, epoch: back.epoch });
    return { session: back, member: { id: member.member_id, name: member.name }, summary, decision };
  }

  #write(write: () => void): boolean {
    try {
      write();
      return true;
    } catch (thrown) {
      this.#warn(
        `cannot write the history: ${FanfoldError.from(thrown).message}; sessions go on, but this one is not in the history`,
      );
      return false;
    }
  }
}

function endOf(session: string, sessionId: string, end: SessionEnd): NotedEnd {
  if (end.type === "finished") return { session, sessionId, result: end.summary.result, summary: end.summary };
  return { session, sessionId, result: end.code === "cancelled" ? "cancelled" : "interrupted", reason: end.reason };
}

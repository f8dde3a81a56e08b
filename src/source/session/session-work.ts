import type { ErrorCode, FanfoldError } from "../../lib/errors.ts";
import type { FrameScope } from "../../protocol/frame/frame.ts";
import type { UpFrame } from "../../protocol/frame/up.ts";
import type { Member } from "../../protocol/messages/control.ts";
import type { CopyProgress, SessionSummary, SinkOutcome, SinkStanding } from "../../protocol/messages/progress.ts";
import type { Subscription } from "../../transport/transport.ts";
import type { PublishedTree } from "../publish/published-tree.ts";
import type { TreeThreads } from "../tree-threads.ts";
import type { StragglerPolicy } from "./ladder.ts";
import type { SourceRuntime, SourceWire } from "./session-parts.ts";
import type { SinkRoster } from "./sink-roster.ts";

/** What is done about sinks that are away or slow, or fail. */
export interface SinkPolicy {
  /** How long a sink that went away in the middle of a session is waited for, in milliseconds. @default 600_000 */
  readonly sinkTimeoutMs?: number;
  /** What becomes of a sink that is much slower than the others. @default "detach" */
  readonly stragglers?: StragglerPolicy;
  /** So many whole copies are enough for a success. All of them when absent. */
  readonly minSuccess?: number;
}

/** Why a sink is turned away by the source. */
export interface SinkRefusal {
  readonly code: ErrorCode;
  readonly reason: string;
}

export interface SourceSessionOptions {
  readonly scope: FrameScope;
  /** Public key of this source, which receipts name; undefined where no coordinator knows it. */
  readonly key?: string | undefined;
  readonly tree: PublishedTree;
  /** The threads that own the tree's disk. */
  readonly threads: TreeThreads;
  readonly wire: SourceWire;
  /** What the sinks say. */
  readonly reports: Subscription;
  readonly sinks: readonly Member[];
  /** Names of those that were to take part (`--expect`). */
  readonly expected: readonly string[];
  readonly policy?: SinkPolicy;
  readonly runtime: SourceRuntime;
  readonly fileEvents: boolean;
  readonly tellProgress: (progress: CopyProgress, sinks: () => SinkStanding[]) => void;
  /** Why a sink may not take part; undefined when it may. @default all may */
  readonly refusal?: ((sink: Member) => SinkRefusal | undefined) | undefined;
  /** How long those that have a whole copy wait for the others, in milliseconds. As long as it takes when absent. */
  readonly wholeWaitMs?: number | undefined;
}

/** What a session keeps for its work: who takes part, and how it ends for each and for all. */
export interface SessionDesk {
  readonly roster: SinkRoster;
  /** A sink has its outcome; undefined: it had one before. */
  readonly settle: (outcome: SinkOutcome | undefined) => void;
  readonly fail: (sinkId: string, code: ErrorCode, reason: string) => void;
  /** Ends the session as a whole. */
  readonly end: (error: FanfoldError) => void;
}

/** What a session does for its sinks: it copies, or only asks what a copy would have to do. */
export interface SessionWork {
  start(): void;
  /**
   * A sink without an outcome says something. `wasAway`: for the first time in a while.
   *
   * @throws FanfoldError with which it has failed
   */
  take(sinkId: string, up: UpFrame, wasAway: boolean): void;
  /** The coordinator says that a sink is gone. */
  sinkLeft(sinkId: string, code: ErrorCode, reason: string): void;
  /** The coordinator says that a sink is there: for the first time or again. `restarted`: it knows nothing of this epoch. */
  sinkJoined(member: Member, restarted: boolean): void;
  /** Serves a sink no more: it has its outcome. */
  settled(outcome: SinkOutcome): void;
  heartbeat(nowMs: number): Promise<void>;
  /** Sends again what is due; returns the sinks that have asked for more than their share. */
  repair(nowMs: number): readonly string[];
  /** Looks who is silent or slow. */
  look(nowMs: number): void;
  progress(nowMs: number): CopyProgress;
  summary(nowMs: number): SessionSummary;
  stop(): Promise<void>;
}

export interface SessionWorkType {
  new (options: SourceSessionOptions, desk: SessionDesk): SessionWork;
  /** What its sinks do as long as nothing else is known. */
  readonly usual: "receiving" | "comparing";
}

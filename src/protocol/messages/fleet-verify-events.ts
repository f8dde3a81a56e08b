import type { VerifiedTrees, VerifyProgress, VerifyReport } from "./verification.ts";

/** What a sink that is asked to read its copy again does, as its coordinator sees it. */
export const VERIFICATION_STATES = ["asked", "reading", "done", "away", "gone", "silent"] as const;

/** A sink of a session whose copies are read again. */
export interface VerificationSink {
  /** As people know it. */
  readonly name: string;
  /** Its public key. */
  readonly key: string;
  /**
   * asked: it was told. reading: it has begun. done: it has answered, see `report`. away: it is known and was not there. gone: it
   * went before it answered. silent: it is connected, and says nothing, or gets no further.
   */
  readonly state: (typeof VERIFICATION_STATES)[number];
  /** How far it is. */
  readonly progress?: VerifyProgress;
  /** What came of it. */
  readonly report?: VerifyReport;
}

/** What happens while the copies of a session are read again (`fanfold verify --fleet`), in order. `type` says which. */
export type FleetVerifyEvent =
  /** The sinks are asked. */
  | {
      readonly type: "asked";
      /** Name of the session. */
      readonly session: string;
      /** What they read. */
      readonly trees: VerifiedTrees;
      /** Names of those that were there. */
      readonly sinks: readonly string[];
      /** Names of those that are known and away; absent when none is. */
      readonly missing?: readonly string[];
    }
  /** How far one of them is, now and then. */
  | {
      readonly type: "sinkread";
      /** As people know it. */
      readonly name: string;
      /** How far it is. */
      readonly read: VerifyProgress;
    }
  /** One of them has answered, or does not. */
  | {
      readonly type: "answered";
      /** Which, and how. */
      readonly sink: VerificationSink;
    }
  /** Nobody is waited for any more. */
  | {
      readonly type: "finished";
      /** differs: something is damaged. incomplete: nothing is, and not all have read everything. */
      readonly result: "equal" | "differs" | "incomplete";
      /**
       * With `--repair`, when something is damaged: the next run has begun, there is no source that could, or it could not be
       * ordered.
       */
      readonly repair?: "begun" | "no-source" | "failed";
      /** Why it could not be ordered: a word for programs, a sentence for people. */
      readonly repairFailure?: { readonly code: string; readonly message: string };
      /** All of them. */
      readonly sinks: readonly VerificationSink[];
    };

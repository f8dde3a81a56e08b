import type { AppliedLimit } from "../bandwidth/applied-limit.ts";
import type { CopyProgress, Problem, SessionSummary, SinkOutcome } from "./progress.ts";
import type { SinkLine } from "./sink-line.ts";
import type { VerifiedTrees, VerifyReport } from "./verification.ts";

/*
 * Everything the programs tell the world while they run: the terminal views, `--json` and the library all read these
 * same events (docs/events.md); those of a coordinator and of a comparison stand in files of their own. Names of files
 * in them are escaped. One event is one object with a `type`.
 */

/** What source and sink tell of their way to the coordinator and to the data. `type` says which. */
export type LinkEvent =
  /** Trying to reach the coordinator. */
  | {
      readonly type: "connecting";
      /** Of the coordinator: `HOST:PORT`. */
      readonly address: string;
      /** Counts from 1. */
      readonly attempt: number;
      /** Why the attempt before failed, or what was lost. */
      readonly reason?: string;
    }
  /** The coordinator is there, and cannot let us in yet. */
  | {
      readonly type: "held";
      /** Of the coordinator: `HOST:PORT`. */
      readonly address: string;
      /** What it waits for, as a word for programs. */
      readonly code: string;
      /** The same as a sentence for people. */
      readonly reason: string;
    }
  /** The coordinator let us in. */
  | {
      readonly type: "joined";
      /** Name of the session. */
      readonly session: string;
      /** Id of the session, given by the coordinator. */
      readonly sessionId: string;
      /** As others see this member. */
      readonly name: string;
      /** The kind in use. */
      readonly transport: "embedded" | "nats" | "amqp";
      /** Its address without a password; absent with the embedded relay. */
      readonly broker?: string;
    }
  /** Something happened to the data connection. */
  | {
      readonly type: "transport";
      /** `disconnected`, `reconnecting`, `reconnected`, `blocked`, `unblocked`, `lost`, `slow-consumer` or `closed`. */
      readonly status: string;
      /** What is known beyond that. */
      readonly detail?: string;
    }
  /**
   * The connection to the coordinator broke (`connecting` follows until it is back), or is there again. It stands, but the coordinator does not
   * answer, or answers again.
   */
  | {
      readonly type: "control";
      /** What became of it. */
      readonly status: "lost" | "back" | "silent" | "answers";
      /** Why it is lost. */
      readonly reason?: string;
    }
  /** Something that a person should know. */
  | {
      readonly type: "warning";
      /** A word for programs. */
      readonly code: string;
      /** A sentence for people. */
      readonly message: string;
    };

/** To what a member holds itself from now on. Absent when nothing holds it, nor is anything said about it. */
export interface LimitEvent {
  /** Which event it is. */
  readonly type: "limit";
  /** What holds it, and since when it is so. */
  readonly limit?: AppliedLimit;
}

/** Nobody is in this session whom this one waits for; in others somebody is. Its name may be mistyped. */
interface ElsewhereEvent {
  /** Which event it is. */
  readonly type: "elsewhere";
  /** Name of this session. */
  readonly session: string;
  /** Names of others, at most 10. */
  readonly sessions: readonly string[];
}

/** What happens at a source, in order. `type` says which; `finished` is the last one of a copy that came to its end. */
export type SourceEvent =
  | LinkEvent
  | LimitEvent
  | ElsewhereEvent
  /** There are not enough sinks yet, or a sink came or went. */
  | {
      readonly type: "waiting";
      /** Sinks that are wanted. */
      readonly needed: number;
      /** Names of those that are registered. */
      readonly sinks: readonly string[];
      /** Those that are expected by name (`--expect`) and not there; absent when all are. */
      readonly missing?: readonly string[];
    }
  /** The copy begins. */
  | {
      readonly type: "started";
      /** Names of those that take part. */
      readonly sinks: readonly string[];
      /** Those that are expected by name (`--expect`) and not there; absent when all are. */
      readonly missing?: readonly string[];
      /** What is sent is encrypted from here to the sinks. */
      readonly sealed?: true;
      /** For how many keys; absent when the coordinator passes the secret on. */
      readonly recipients?: number;
    }
  /** Several times a second. */
  | {
      readonly type: "progress";
      /** Of the whole copy. */
      readonly progress: CopyProgress;
      /** Of each sink. */
      readonly sinks: readonly SinkLine[];
    }
  /**
   * A file was read and sent, because some sink wanted it; only when asked for (`--verbose`, `--json`). Files that every sink
   * has already are not told of.
   */
  | {
      readonly type: "file";
      /** Escaped, relative to the root. */
      readonly path: string;
      /** Of its content. */
      readonly bytes: number;
      /** It was sent up to its size when it was opened, and is longer by now. */
      readonly grew?: true;
    }
  /** Of a dry run: a file that would be sent. Only when asked for, as `file`. */
  | {
      readonly type: "wanted";
      /** Escaped, relative to the root. */
      readonly path: string;
      /** Of its content. */
      readonly bytes: number;
      /** How many want it. */
      readonly sinks: number;
    }
  /** An entry is missing in the copy, or not exact. */
  | {
      readonly type: "problem";
      /** Which entry, and why. */
      readonly problem: Problem;
    }
  /** A sink is done. */
  | {
      readonly type: "sink";
      /** As people know it. */
      readonly name: string;
      /** How it ended for it. */
      readonly outcome: SinkOutcome;
    }
  /** Stopped in mid-session: for a while a second stop ends the session for all. After it the sinks wait on. */
  | {
      readonly type: "stopping";
      /** How long, in milliseconds. */
      readonly graceMs: number;
    }
  /** The session was ended for all, as asked for. */
  | {
      readonly type: "cancelled";
      /** Its name. */
      readonly session: string;
    }
  /** A sink changed its way of taking part. */
  | {
      readonly type: "sinkstate";
      /** As people know it. */
      readonly name: string;
      /** What it does from now on. */
      readonly state: SinkLine["state"];
      /** Why. */
      readonly message: string;
    }
  /** With `--every` and `--at`: the next run is still to come. */
  | {
      readonly type: "scheduled";
      /** When it begins: a time in UTC. */
      readonly at: string;
      /** Runs that have failed one after another up to now. */
      readonly failures: number;
    }
  /** All sinks are done. */
  | {
      readonly type: "finished";
      /** What was copied, and how it ended for each. */
      readonly summary: SessionSummary;
    };

/** What a sink does with a copy. */
export type ReceivingState = "receiving" | "comparing" | "verifying";

/** What happens at a sink, in order. `type` says which. With `stay` there is one `finished` for each copy. */
export type SinkEvent =
  | LinkEvent
  | LimitEvent
  | ElsewhereEvent
  /** Registered. */
  | {
      readonly type: "waiting";
      /** The session runs already: this sink joins it late, and is caught up. */
      readonly underWay: boolean;
    }
  /** The copy begins. */
  | {
      readonly type: "started";
      /** Name of the source. */
      readonly source: string;
      /** Names of all that take part. */
      readonly sinks: readonly string[];
      /** The source only asks what it would have to send. Nothing is changed. */
      readonly dryRun?: true;
      /** What comes was encrypted by the source. */
      readonly sealed?: true;
      /** For how many keys; absent when the coordinator passes the secret on. */
      readonly recipients?: number;
    }
  /** Several times a second. */
  | {
      readonly type: "progress";
      /** Of this sink. */
      readonly progress: CopyProgress;
      /** What it does. */
      readonly state: ReceivingState;
    }
  /** A file is whole; only when asked for (`--verbose`, `--json`). */
  | {
      readonly type: "file";
      /** Escaped, relative to the root. */
      readonly path: string;
      /** Of its content. */
      readonly bytes: number;
    }
  /** What the source has not was deleted here; only when asked for, as `file`. */
  | {
      readonly type: "deleted";
      /** Escaped, relative to the root. */
      readonly path: string;
    }
  /** An entry is missing in the copy, or not exact. */
  | {
      readonly type: "problem";
      /** Which entry, and why. */
      readonly problem: Problem;
    }
  /** Its session has decided on the snapshot that waited for it. */
  | {
      readonly type: "decided";
      /** Of the snapshot. */
      readonly name: string;
      /** switched: `latest` leads to it. dropped: it is none any more. kept: it stays, and `latest` as it was. */
      readonly becomes: "switched" | "dropped" | "kept";
    }
  /** The source left; the session waits for it to come back. */
  | {
      readonly type: "left";
      /** Of the source. */
      readonly name: string;
      /** A word for programs. */
      readonly code: string;
      /** A sentence for people. */
      readonly reason: string;
    }
  /** A source that had left sends again, with the copy as it was. A new start of the copy is a `started`. */
  | {
      readonly type: "returned";
      /** Of the source. */
      readonly name: string;
    }
  /** From here on the source serves this sink on its own lane. The copy begins again, with the data that is stored. */
  | { readonly type: "lane" }
  /** The copy is proven, and kept as a snapshot (`--snapshots`). */
  | {
      readonly type: "snapshot";
      /** Of the snapshot: its time. */
      readonly name: string;
      /** False: nothing has changed since that snapshot was made, and it was proven again. */
      readonly made: boolean;
      /** Files that were copied here, because the file system allows them no further name. */
      readonly filesCopied: number;
    }
  /** A snapshot is none any more, and what it alone had is being removed. */
  | {
      readonly type: "pruned";
      /** Of the snapshot. */
      readonly name: string;
      /** No rule keeps it; or too little of the disk was free. */
      readonly why: "rules" | "min-free";
    }
  /** The sink waits, and begins to read its copy again: it was asked to, or it was time (`--verify-every`). */
  | {
      readonly type: "checking";
      /** Why it does so. */
      readonly by: VerifyReport["by"];
      /** What it reads. */
      readonly trees: VerifiedTrees;
    }
  /** It has read its copy again, or does not go on with it. */
  | {
      readonly type: "verified";
      /** What came of it. */
      readonly report: VerifyReport;
    }
  /** The session is over for this sink; with `--stay` another `waiting` follows. */
  | {
      readonly type: "finished";
      /** How it ended. */
      readonly outcome: SinkOutcome;
      /** Since its copy began, in milliseconds. */
      readonly elapsedMs: number;
    };

import type { CopyProgress, Problem, SessionSummary, SinkOutcome, SinkProgress } from "./progress.ts";

/**
 * Everything the three programs tell the world while they run: the terminal views, `--json` and the library all read
 * these same events (docs/events.md). Names of files in them are escaped. One event is one object with a `type`.
 */
export type LinkEvent =
  /** Trying to reach the coordinator; `attempt` counts from 1, `reason` says why the attempt before failed, or what was lost. */
  | { readonly type: "connecting"; readonly address: string; readonly attempt: number; readonly reason?: string }
  /** The coordinator is there, and cannot let us in yet: `code` and `reason` say what it waits for. */
  | { readonly type: "held"; readonly address: string; readonly code: string; readonly reason: string }
  /** The coordinator let us in; `transport` is the kind in use, `broker` its address without a password. */
  | {
      readonly type: "joined";
      readonly session: string;
      readonly sessionId: string;
      readonly name: string;
      readonly transport: "embedded" | "nats" | "amqp";
      readonly broker?: string;
    }
  | { readonly type: "transport"; readonly status: string; readonly detail?: string }
  /**
   * The connection to the coordinator broke (`connecting` follows until it is back), or is there again. It stands, but the coordinator does not
   * answer, or answers again.
   */
  | { readonly type: "control"; readonly status: "lost" | "back" | "silent" | "answers"; readonly reason?: string }
  | { readonly type: "warning"; readonly code: string; readonly message: string };

/** Nobody is in this session whom this one waits for; in these others somebody is. Its name may be mistyped. */
interface ElsewhereEvent {
  readonly type: "elsewhere";
  readonly session: string;
  readonly sessions: readonly string[];
}

export type SourceEvent =
  | LinkEvent
  | ElsewhereEvent
  /** `missing`: the sinks that are expected by name (`--expect`) and not there. Left out when all are there. */
  | {
      readonly type: "waiting";
      readonly needed: number;
      readonly sinks: readonly string[];
      readonly missing?: readonly string[];
    }
  | { readonly type: "started"; readonly sinks: readonly string[]; readonly missing?: readonly string[] }
  | { readonly type: "progress"; readonly progress: CopyProgress; readonly sinks: readonly SinkLine[] }
  /**
   * A file was read and sent, because some sink wanted it; only when asked for (`--verbose`, `--json`). Files that every sink
   * has already are not told of. `grew`: it was sent up to its size when it was opened, and is longer by now.
   */
  | { readonly type: "file"; readonly path: string; readonly bytes: number; readonly grew?: true }
  /** Of a dry run: a file that would be sent, and to how many sinks; only when asked for, as `file`. */
  | { readonly type: "wanted"; readonly path: string; readonly bytes: number; readonly sinks: number }
  | { readonly type: "problem"; readonly problem: Problem }
  | { readonly type: "sink"; readonly name: string; readonly outcome: SinkOutcome }
  /** Stopped in mid-session: for `graceMs` from now a second stop ends the session for all; after it the sinks wait on. */
  | { readonly type: "stopping"; readonly graceMs: number }
  /** The session was ended for all, as asked for. */
  | { readonly type: "cancelled"; readonly session: string }
  /** A sink changed its way of taking part; `message` says why. */
  | {
      readonly type: "sinkstate";
      readonly name: string;
      readonly state: SinkLine["state"];
      readonly message: string;
    }
  | { readonly type: "finished"; readonly summary: SessionSummary };

/** A sink as the source and the coordinator show it. */
export interface SinkLine {
  readonly name: string;
  readonly state:
    | "registered"
    | "receiving"
    /** It says what it would want: a dry run. */
    | "comparing"
    | "verifying"
    /** The others wait for it, or it is silent. */
    | "lagging"
    /** Served on a lane of its own: it was too slow, came late or came back. */
    | "detached"
    | "away"
    | "proven"
    /** Proven but for what was taken as unchanged. */
    | "complete"
    | "incomplete"
    | "dry-run"
    | "failed";
  readonly progress: SinkProgress;
  /** How long a sink that is away is still waited for, in milliseconds. */
  readonly leftMs?: number;
}

/** What a sink does with a copy. */
export type ReceivingState = "receiving" | "comparing" | "verifying";

export type SinkEvent =
  | LinkEvent
  | ElsewhereEvent
  /** Registered. `underWay`: the session runs already; this sink joins it late, and is caught up. */
  | { readonly type: "waiting"; readonly underWay: boolean }
  /** `dryRun`: the source only asks what it would have to send. Nothing is changed. */
  | {
      readonly type: "started";
      readonly source: string;
      readonly sinks: readonly string[];
      readonly dryRun?: true;
    }
  | { readonly type: "progress"; readonly progress: CopyProgress; readonly state: ReceivingState }
  | { readonly type: "file"; readonly path: string; readonly bytes: number }
  /** What the source has not was deleted here; only when asked for, as `file`. */
  | { readonly type: "deleted"; readonly path: string }
  | { readonly type: "problem"; readonly problem: Problem }
  /** The source left; the session waits for it to come back. */
  | { readonly type: "left"; readonly name: string; readonly code: string; readonly reason: string }
  /** A source that had left sends again, with the copy as it was. A new start of the copy is a `started`. */
  | { readonly type: "returned"; readonly name: string }
  /** From here on the source serves this sink on its own lane. The copy begins again, with the data that is stored. */
  | { readonly type: "lane" }
  /** The session is over for this sink; with `--stay` another `waiting` follows. */
  | { readonly type: "finished"; readonly outcome: SinkOutcome; readonly elapsedMs: number };

export type CoordinatorEvent =
  /** `addresses` are what to type at `--coordinator`, the most useful first. */
  | {
      readonly type: "listening";
      readonly addresses: readonly string[];
      readonly broker: string;
      readonly loopbackOnly: boolean;
    }
  | {
      readonly type: "broker";
      readonly status: "connecting" | "connected" | "unreachable" | "lost";
      readonly broker: string;
      readonly reason?: string;
    }
  | { readonly type: "transport"; readonly status: string; readonly detail?: string }
  | { readonly type: "warning"; readonly code: string; readonly message: string }
  | {
      readonly type: "registered";
      readonly session: string;
      readonly role: "source" | "sink";
      readonly name: string;
      readonly address: string;
    }
  | {
      readonly type: "left";
      readonly session: string;
      readonly role: "source" | "sink";
      readonly name: string;
      readonly code: string;
      readonly reason: string;
    }
  /** Anything of a session changed: the whole view of it, at most ten times a second for each. */
  | { readonly type: "session"; readonly view: SessionView }
  | {
      readonly type: "finished";
      readonly session: string;
      readonly sessionId: string;
      readonly summary: SessionSummary;
    };

export interface SessionView {
  readonly session: string;
  readonly sessionId: string;
  /** Rises when the source was started again and took the session over: progress then begins anew. */
  readonly epoch: number;
  /** waiting: for a source or for sinks. running. paused: it waits for its source to come back. ended. */
  readonly state: "waiting" | "running" | "paused" | "ended";
  readonly source?: string;
  /** Sinks the source waits for; absent while there is no source. */
  readonly needed?: number;
  /** Who is expected by name and not there; absent when nobody is. */
  readonly missing?: readonly string[];
  readonly sinks: readonly SinkLine[];
  readonly progress?: CopyProgress;
}

/** How an entry of a folder is not what its manifest says. */
/** What stands in a folder and is not in its manifest. */
type ExtraKind = "file" | "directory" | "symlink" | "fifo" | "device" | "socket";
export type DifferenceKind =
  | "content"
  | "size"
  | "type"
  | "mode"
  | "time"
  | "owner"
  | "attributes"
  | "acl"
  | "device"
  | "target"
  | "link"
  | "missing"
  | "unreadable";

export interface Difference {
  readonly path: string;
  readonly kinds: readonly DifferenceKind[];
  /** A sentence that begins with "it". */
  readonly message: string;
}

/** What was compared, and what came of it. */
export interface VerifyCounts {
  files: number;
  directories: number;
  symlinks: number;
  /** Further names of files, links, FIFOs and devices. */
  hardlinks: number;
  /** FIFOs and devices. */
  specials: number;
  /** Of the files, as the manifest says. */
  bytes: number;
  /** Files whose content hash is known; the others are compared by size and time alone. */
  filesByContent: number;
  filesByTime: number;
  /** Entries that are there but not as they should be, and entries that are not there. */
  differing: number;
  missing: number;
  /** Entries that are not in the manifest; what is inside of an extra directory is not counted. */
  extra: number;
  /** Entries of the source that were not brought into the copy: nothing is known of what stands in their places. */
  notCarried: number;
}

export type VerifyEvent =
  /** `copiedAt` is when the copy began that the manifest tells of; `digest` is that of its tree. */
  | {
      readonly type: "verifying";
      readonly folder: string;
      readonly session: string;
      readonly copiedAt: string;
      readonly digest: string;
    }
  | { readonly type: "warning"; readonly code: string; readonly message: string }
  | { readonly type: "progress"; readonly progress: CopyProgress }
  /** A file is as it should be; only when asked for. */
  | { readonly type: "file"; readonly path: string; readonly bytes: number }
  | { readonly type: "difference"; readonly difference: Difference }
  | { readonly type: "extra"; readonly path: string; readonly kind: ExtraKind }
  | {
      readonly type: "finished";
      readonly result: "equal" | "differs";
      readonly counts: Readonly<VerifyCounts>;
      /** Files whose content is damaged, as the folder remembers now: the next copy wants them, whatever their size and time. */
      readonly wanted: number | "all";
      readonly elapsedMs: number;
    };

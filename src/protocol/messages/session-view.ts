import type { AppliedLimit } from "../bandwidth/applied-limit.ts";
import type { CopyProgress } from "./progress.ts";
import type { SinkLine } from "./sink-line.ts";

/** A session as it is at one moment, with its source and its sinks. */
export interface SessionView {
  /** Its name, as given by `--session`. */
  readonly session: string;
  /** Given by the coordinator; no two sessions have the same. */
  readonly sessionId: string;
  /** Rises when the source was started again and took the session over: progress then begins anew. */
  readonly epoch: number;
  /** waiting: for a source or for sinks. running. paused: it waits for its source to come back. ended. */
  readonly state: "waiting" | "running" | "paused" | "ended";
  /** Name of the source; absent while there is none. */
  readonly source?: string;
  /** How the directory is called that the source copies: its last name, escaped. Absent while there is no source. */
  readonly directory?: string;
  /** Sinks the source waits for; absent while there is no source. */
  readonly needed?: number;
  /** Who is expected by name and not there; absent when nobody is. */
  readonly missing?: readonly string[];
  /** All that are registered. */
  readonly sinks: readonly SinkLine[];
  /** Of the source; absent before the copy begins. */
  readonly progress?: CopyProgress;
  /** To what the source holds itself, for all sinks together. */
  readonly limit?: AppliedLimit;
  /** What is sent is encrypted by the source; absent before the copy begins. */
  readonly sealed?: boolean;
  /** For how many keys; absent when the coordinator passes the secret on. Then it reads neither names nor reports. */
  readonly recipients?: number;
}

import type { AppliedLimit } from "../bandwidth/applied-limit.ts";
import type { SinkProgress, SinkStanding } from "./progress.ts";

/** A sink as the source and the coordinator show it. */
export interface SinkLine {
  /** As people know it. */
  readonly name: string;
  /** Where it is on its way; `proven` and what stands below it are ends. */
  readonly state: SinkStanding["state"];
  /** How far it is. */
  readonly progress: SinkProgress;
  /** How long a sink that is away is still waited for, in milliseconds. */
  readonly leftMs?: number;
  /** Free for it on the file system that has its folder; as the coordinator shows it. */
  readonly freeBytes?: number;
  /** Of that file system in all. */
  readonly sizeBytes?: number;
  /** Name and version of its program; as the coordinator shows it. */
  readonly software?: string;
  /** To what it holds itself; absent when nothing holds it, nor is anything said about it. */
  readonly limit?: AppliedLimit;
}

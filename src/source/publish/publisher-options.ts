import type { FanfoldError } from "../../lib/errors.ts";
import type { FrameSealer, StreamScope } from "../../protocol/frame/frame.ts";
import type { DeletionWithheld } from "../../protocol/messages/deletion.ts";
import type { Transport } from "../../transport/transport.ts";
import type { ReadOutput } from "../read/read-output.ts";
import type { ProgressTally } from "../session/progress-tally.ts";
import type { TreeThreads } from "../tree-threads.ts";
import type { WalkMessage } from "../walk/walk-worker.ts";
import type { PublishedTree } from "./published-tree.ts";

/** Outputs of the threads that are not frames: files, problems, warnings; and that nothing is to be deleted. */
export type PublisherNotice =
  | Extract<ReadOutput | WalkMessage, { type: "file" | "problem" | "warning" }>
  | { readonly type: "deletion-withheld"; readonly withheld: DeletionWithheld };

export interface PublisherOptions {
  readonly scope: StreamScope;
  readonly tree: PublishedTree;
  readonly threads: TreeThreads;
  readonly transport: Transport;
  /** Where the stream goes. */
  readonly subject: string;
  readonly sealer?: FrameSealer | undefined;
  /** Where one sink alone is sent what it misses. */
  readonly repairSubject: (sinkId: string) => string;
  readonly sinkIds: readonly string[];
  readonly tally: ProgressTally;
  readonly onNotice: (notice: PublisherNotice) => void;
  readonly onFailure: (error: FanfoldError) => void;
  readonly fileNotices: boolean;
  readonly startMs: number;
  /** What the window never grows beyond. */
  readonly windowBytesMax?: number;
  /** What may be built at this moment, for a stream that has only a share. */
  readonly allowedBytes?: () => number;
  /** A data frame was built, and counts for so much. */
  readonly onBuilt?: (costBytes: number) => void;
  readonly signal: AbortSignal;
}

/** What a stream's own end does at this moment. */
export interface PublisherLoad {
  readonly queuedBytes: number;
  readonly windowBytes: number;
  /** Of content: stored by all sinks so far, and on its way to some of them. */
  readonly storedBytes: number;
  readonly waitingBytes: number;
  readonly reading: "disk" | "processor" | undefined;
  readonly limited: boolean;
}

/** How one sink holds up the others at this moment. */
export interface Backpressure {
  readonly outstandingBytes: number;
  readonly windowBytes: number;
  /** Pages it has not answered, and whether the reader waits for one of them. */
  readonly unanswered: number;
  readonly holdsReader: boolean;
  /** It owes answers to recipes. */
  readonly looksUp: boolean;
}

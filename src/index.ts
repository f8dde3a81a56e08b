/** The library face of fanfold: open a coordinator, run a source, run a sink, verify a sink's folder, and follow their events. */

export type { Coordinator } from "./coordinator/open-coordinator.ts";
export type { Clock } from "./lib/clock.ts";
export type { ErrorCode, FanfoldErrorOptions } from "./lib/errors.ts";
export { FanfoldError } from "./lib/errors.ts";
export type { FilePath } from "./lib/folder/file-path.ts";
export type { Logger } from "./lib/logger.ts";
export type { Random } from "./lib/random.ts";
export { cancelSession, openCoordinator, runSink, runSource, verifyFolder } from "./library/library.ts";
export type {
  CancelSessionOptions,
  OpenCoordinatorOptions,
  RunSinkOptions,
  RunSourceOptions,
  VerifyFolderOptions,
} from "./library/library-options.ts";
export type { ShownToken } from "./protocol/access/operator-api.ts";
export type { CompressionMode } from "./protocol/compression-mode.ts";
export type { DeltaMode } from "./protocol/delta-mode.ts";
export type { CoordinatorEvent } from "./protocol/messages/coordinator-events.ts";
export type { DeleteLimit, Deletion, DeletionWithheld } from "./protocol/messages/deletion.ts";
export type { LinkEvent, SinkEvent, SourceEvent } from "./protocol/messages/events.ts";
export type { CopyProgress, Problem, SessionSummary, SinkOutcome, SinkProgress } from "./protocol/messages/progress.ts";
export type { SessionView } from "./protocol/messages/session-view.ts";
export type { SinkLine } from "./protocol/messages/sink-line.ts";
export type { Difference, DifferenceKind, VerifyCounts, VerifyEvent } from "./protocol/messages/verify-events.ts";
export type { Durability } from "./sink/disk/entry-sync.ts";
export type { SinkRun } from "./sink/sink.ts";
export type { VerifyResult, VerifyRun } from "./sink/verify/verify.ts";
export type { CancelledSession } from "./source/cancel.ts";
export type { SourceRun } from "./source/source.ts";
export type { FilterOption } from "./source/walk/filter-options.ts";
export type { LinkPolicy } from "./source/walk/link-policy.ts";

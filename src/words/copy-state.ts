import type { AppliedLimit } from "../protocol/bandwidth/applied-limit.ts";
import type { CopyProgress } from "../protocol/messages/progress.ts";
import type { SinkLine } from "../protocol/messages/sink-line.ts";
import { type Behind, behindOf } from "./behind.ts";
import { fractionDone, isDone } from "./copy-done.ts";
import { measure, type RateMeter, startMeter, timeLeftMs } from "./rate.ts";

/** The progress of one copy, with what has to be remembered to show it calmly. */
export interface CopyState {
  /** Of the copy for all. When it goes on only for those that are behind, of the last of them. */
  readonly progress: CopyProgress;
  readonly behind: Behind | undefined;
  /** What tells how long it takes: what is done, whether something was sent for it or not. */
  readonly doneMeter: RateMeter;
  readonly filesMeter: RateMeter;
  /** What is shown as the rate: what is sent, or received. */
  readonly movedMeter: RateMeter;
  /** What the bar shows; never decreases, but when the copy goes on for those that are behind. */
  readonly fraction: number;
  /** To what it is held. */
  readonly limit?: AppliedLimit | undefined;
}

/** What a copy has moved by now, in bytes. */
type Moved = (progress: CopyProgress) => number;

/** By a sink; and what a check has read. */
export const receivedBytes: Moved = ({ bytesDone, bytesUnchanged, bytesKept }) =>
  Math.max(0, bytesDone - bytesUnchanged - bytesKept);

interface NextCopy {
  readonly progress: CopyProgress;
  readonly moved: Moved;
  readonly sinks?: readonly SinkLine[];
  readonly limit?: AppliedLimit | undefined;
  readonly nowMs: number;
}

export function nextCopy(
  before: CopyState | undefined,
  { progress: all, moved, sinks = [], limit, nowMs }: NextCopy,
): CopyState {
  const behind = behindOf(all, sinks);
  const progress = behind?.progress ?? all;
  const movedMeter = before?.movedMeter ?? startMeter(moved(all), nowMs);
  const goesOn = before !== undefined && (before.behind === undefined) === (behind === undefined);
  const meters = goesOn
    ? before
    : { doneMeter: startMeter(progress.bytesDone, nowMs), filesMeter: startMeter(progress.filesDone, nowMs) };
  return {
    progress,
    behind,
    limit,
    doneMeter: measure(meters.doneMeter, progress.bytesDone, nowMs),
    filesMeter: measure(meters.filesMeter, progress.filesDone, nowMs),
    movedMeter: measure(movedMeter, moved(all), nowMs),
    fraction: Math.max(goesOn ? before.fraction : 0, fractionDone(progress)),
  };
}

/** What is sent, or received, in a second now. */
export function shownRate({ progress, movedMeter }: CopyState): number {
  return movedMeter.perSecond > 0 ? movedMeter.perSecond : progress.rateBytesPerSecond;
}

/** Undefined where nobody can tell, and when nothing is left but to finish. */
export function timeLeft({ progress, doneMeter, filesMeter }: CopyState): number | undefined {
  if (!progress.discoveryEnded || isDone(progress)) return undefined;
  const { bytesDone, bytesFound, filesDone, filesFound } = progress;
  return bytesFound > bytesDone
    ? timeLeftMs(doneMeter, bytesFound - bytesDone)
    : timeLeftMs(filesMeter, filesFound - filesDone);
}

import type { SinkLine } from "../../protocol/messages/events.ts";
import type { CopyProgress } from "../../protocol/messages/progress.ts";
import { drawBar, drawOpenBar } from "./bar.ts";
import { type Behind, behindOf, isDone } from "./behind.ts";
import { fitEnd, fitMiddle, fitNames, fitParts, stringWidth } from "./fit.ts";
import { formatBytes, formatClock, formatCount, formatPercent, formatRate, plural } from "./format.ts";
import { measure, type RateMeter, startMeter, timeLeftMs } from "./rate.ts";
import type { Style } from "./style.ts";

/** Numbers that change keep their place: `1023.9 MiB/s`, `12:34`. */
const RATE_COLUMNS = 12;
const CLOCK_COLUMNS = 5;
const BAR_COLUMNS_MIN = 8;

/** The progress of one copy, with what has to be remembered to show it calmly. */
export interface CopyState {
  /** Of the copy for all; of the last of those that are behind, when it goes on for them only. */
  readonly progress: CopyProgress;
  readonly behind: Behind | undefined;
  /** What tells how long it takes: what is done, whether something was sent for it or not. */
  readonly doneMeter: RateMeter;
  readonly filesMeter: RateMeter;
  /** What is shown as the rate: what is sent, or received. */
  readonly movedMeter: RateMeter;
  /** What the bar shows; never decreases, but when the copy goes on for those that are behind. */
  readonly fraction: number;
}

/** What a copy has moved by now, in bytes. */
type Moved = (progress: CopyProgress) => number;

/** By a source. */
export const sentBytes: Moved = ({ bytesSent, bytesSentAgain, bytesCaughtUp }) =>
  bytesSent + bytesSentAgain + bytesCaughtUp;

/** By a sink; and what a check has read. */
export const receivedBytes: Moved = ({ bytesDone, bytesUnchanged }) => Math.max(0, bytesDone - bytesUnchanged);

interface NextCopy {
  readonly progress: CopyProgress;
  readonly moved: Moved;
  readonly sinks?: readonly SinkLine[];
  readonly nowMs: number;
}

export function nextCopy(
  before: CopyState | undefined,
  { progress: all, moved, sinks = [], nowMs }: NextCopy,
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
    doneMeter: measure(meters.doneMeter, progress.bytesDone, nowMs),
    filesMeter: measure(meters.filesMeter, progress.filesDone, nowMs),
    movedMeter: measure(movedMeter, moved(all), nowMs),
    fraction: Math.max(goesOn ? before.fraction : 0, fractionDone(progress)),
  };
}

/** By bytes, or by files where there are no bytes; 1 only when both are done. 0 while the total is not known. */
function fractionDone(progress: CopyProgress): number {
  const { bytesDone, bytesFound, filesDone, filesFound, discoveryEnded } = progress;
  if (!discoveryEnded) return 0;
  if (isDone(progress)) return 1;
  const fraction = bytesFound > 0 ? bytesDone / bytesFound : filesDone / filesFound;
  return Math.min(fraction, 0.999);
}

/** In the place of rate and time, which would only decay. */
const STANDING: readonly string[] = ["stands still"];

/**
 * The current file, the bar, the counts: three lines, none wider than `columns`. `standstill` says why nothing moves; it stands in the place of the
 * file.
 */
export function copyLines(copy: CopyState, columns: number, style: Style, standstill?: string): string[] {
  const { progress } = copy;
  const countsLine = fitParts(counts(copy), columns, style.separator);
  if (standstill !== undefined)
    return [style.careful(fitEnd(standstill, columns)), barLine(copy, columns, style, STANDING), countsLine];
  const file =
    progress.currentFile === "" ? style.quiet(withoutFile(copy, columns)) : fitMiddle(progress.currentFile, columns);
  return [file, barLine(copy, columns, style, besideBar(copy)), countsLine];
}

/** What is done while no file is on its way. */
function withoutFile({ progress, behind }: CopyState, columns: number): string {
  if (behind !== undefined) {
    const what = behind.away ? "waiting for" : "catching up";
    return fitEnd(`${what} ${fitNames(behind.names, Math.max(1, columns - what.length - 1))}`, columns);
  }
  const text = !progress.discoveryEnded ? "looking for files" : isDone(progress) ? "finishing" : "comparing files";
  return fitEnd(text, columns);
}

/** The same in one line, without colours. */
export function copyProgressLine(copy: CopyState, standstill?: string): string {
  const { progress, behind } = copy;
  const percent = progress.discoveryEnded ? [formatPercent(copy.fraction).trim()] : [];
  if (standstill !== undefined) return [standstill, ...percent, ...counts(copy)].join(", ");
  const left = timeLeft(copy);
  return [
    ...(behind === undefined ? [] : [withoutFile(copy, Number.POSITIVE_INFINITY)]),
    ...percent,
    ...counts(copy),
    ...(isDone(progress) ? ["finishing"] : [rateText(copy)]),
    ...(left === undefined ? [] : [`${formatClock(left)} left`]),
  ].join(", ");
}

function barLine(copy: CopyState, columns: number, style: Style, beside: readonly string[]): string {
  const { progress } = copy;
  const text = `  ${beside.join("  ")}`;
  const room = columns - stringWidth(text);
  if (room < BAR_COLUMNS_MIN)
    return fitParts(
      beside.map((part) => part.trim()),
      columns,
      "  ",
    );
  const bar = progress.discoveryEnded
    ? drawBar(copy.fraction, room, style)
    : drawOpenBar(progress.elapsedMs, room, style);
  return bar + text;
}

/** Percent, rate and time: how long it still takes, or, where nobody can tell, how long it has taken. */
function besideBar(copy: CopyState): string[] {
  const { progress } = copy;
  const rate = rateText(copy).padStart(RATE_COLUMNS);
  const soFar = `${formatClock(progress.elapsedMs).padStart(CLOCK_COLUMNS)} so far`;
  if (!progress.discoveryEnded) return [rate, soFar];
  if (isDone(progress)) return [formatPercent(copy.fraction), soFar];
  const left = timeLeft(copy);
  const clock = (left === undefined ? "-:--" : formatClock(left)).padStart(CLOCK_COLUMNS);
  return [formatPercent(copy.fraction), rate, `${clock} left`];
}

function rateText({ progress, movedMeter }: CopyState): string {
  return formatRate(movedMeter.perSecond > 0 ? movedMeter.perSecond : progress.rateBytesPerSecond);
}

function counts({ progress }: CopyState): string[] {
  const { bytesDone, bytesFound, filesDone, filesFound, bytesUnchanged, discoveryEnded } = progress;
  const unchanged = bytesUnchanged > 0 ? [`${formatBytes(bytesUnchanged)} unchanged`] : [];
  if (!discoveryEnded) {
    return [
      `${formatBytes(bytesDone)} done, at least ${formatBytes(bytesFound)} found`,
      `${formatCount(filesDone)} of at least ${plural(filesFound, "file")}`,
      ...unchanged,
    ];
  }
  return [
    `${formatBytes(Math.min(bytesDone, bytesFound))} of ${formatBytes(bytesFound)}`,
    `${formatCount(Math.min(filesDone, filesFound))} of ${plural(filesFound, "file")}`,
    ...unchanged,
  ];
}

/** Undefined where nobody can tell, and when nothing is left but to finish. */
function timeLeft({ progress, doneMeter, filesMeter }: CopyState): number | undefined {
  if (!progress.discoveryEnded || isDone(progress)) return undefined;
  const { bytesDone, bytesFound, filesDone, filesFound } = progress;
  return bytesFound > bytesDone
    ? timeLeftMs(doneMeter, bytesFound - bytesDone)
    : timeLeftMs(filesMeter, filesFound - filesDone);
}

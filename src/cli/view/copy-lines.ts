import type { CopyProgress } from "../../protocol/messages/progress.ts";
import { drawBar, drawOpenBar } from "./bar.ts";
import { fitMiddle, fitParts, stringWidth } from "./fit.ts";
import { formatBytes, formatClock, formatCount, formatPercent, formatRate, plural } from "./format.ts";
import { measure, type RateMeter, startMeter, timeLeftMs } from "./rate.ts";
import type { Style } from "./style.ts";

/** Numbers that change keep their place: `1023.9 MiB/s`, `12:34`. */
const RATE_COLUMNS = 12;
const CLOCK_COLUMNS = 5;
const BAR_COLUMNS_MIN = 8;

/** The progress of one copy, with what has to be remembered to show it calmly. */
export interface CopyState {
  readonly progress: CopyProgress;
  readonly bytesMeter: RateMeter;
  readonly filesMeter: RateMeter;
  /** What the bar shows; never decreases. */
  readonly fraction: number;
}

export function nextCopy(before: CopyState | undefined, progress: CopyProgress, nowMs: number): CopyState {
  const { bytesMeter, filesMeter } = before ?? {
    bytesMeter: startMeter(progress.bytesDone, nowMs),
    filesMeter: startMeter(progress.filesDone, nowMs),
  };
  return {
    progress,
    bytesMeter: measure(bytesMeter, progress.bytesDone, nowMs),
    filesMeter: measure(filesMeter, progress.filesDone, nowMs),
    fraction: Math.max(before?.fraction ?? 0, fractionDone(progress)),
  };
}

/** By bytes, or by files where there are no bytes; 1 only when both are done. 0 while the total is not known. */
function fractionDone(progress: CopyProgress): number {
  const { bytesDone, bytesFound, filesDone, filesFound, discoveryEnded } = progress;
  if (!discoveryEnded) return 0;
  const done = bytesDone >= bytesFound && filesDone >= filesFound;
  if (done) return 1;
  const fraction = bytesFound > 0 ? bytesDone / bytesFound : filesDone / filesFound;
  return Math.min(fraction, 0.999);
}

/** The current file, the bar, the counts: three lines, none wider than `columns`. */
export function copyLines(copy: CopyState, columns: number, style: Style): string[] {
  const { progress } = copy;
  const file = progress.currentFile === "" ? style.quiet(withoutFile(progress)) : progress.currentFile;
  return [fitMiddle(file, columns), barLine(copy, columns, style), fitParts(counts(copy), columns, style.separator)];
}

/** What is done while no file is on its way. */
function withoutFile(progress: CopyProgress): string {
  if (!progress.discoveryEnded) return "looking for files";
  return fractionDone(progress) === 1 ? "finishing" : "comparing files";
}

/** The same in one line, without colours. */
export function copyProgressLine(copy: CopyState): string {
  const { progress } = copy;
  const percent = progress.discoveryEnded ? [formatPercent(copy.fraction).trim()] : [];
  const left = timeLeft(copy);
  return [
    ...percent,
    ...counts(copy),
    rateText(copy),
    ...(left === undefined ? [] : [`${formatClock(left)} left`]),
  ].join(", ");
}

function barLine(copy: CopyState, columns: number, style: Style): string {
  const { progress } = copy;
  const left = timeLeft(copy);
  const rate = rateText(copy).padStart(RATE_COLUMNS);
  const beside = progress.discoveryEnded
    ? [
        formatPercent(copy.fraction),
        rate,
        `${(left === undefined ? "-:--" : formatClock(left)).padStart(CLOCK_COLUMNS)} left`,
      ]
    : [rate, `${formatClock(progress.elapsedMs).padStart(CLOCK_COLUMNS)} so far`];
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

function rateText({ progress, bytesMeter }: CopyState): string {
  return formatRate(bytesMeter.perSecond > 0 ? bytesMeter.perSecond : progress.rateBytesPerSecond);
}

function counts({ progress }: CopyState): string[] {
  const { bytesDone, bytesFound, filesDone, filesFound, discoveryEnded } = progress;
  if (!discoveryEnded) {
    return [
      `${formatBytes(bytesDone)} done, at least ${formatBytes(bytesFound)} found`,
      `${formatCount(filesDone)} of at least ${plural(filesFound, "file")}`,
    ];
  }
  return [
    `${formatBytes(Math.min(bytesDone, bytesFound))} of ${formatBytes(bytesFound)}`,
    `${formatCount(Math.min(filesDone, filesFound))} of ${plural(filesFound, "file")}`,
  ];
}

function timeLeft({ progress, bytesMeter, filesMeter }: CopyState): number | undefined {
  if (!progress.discoveryEnded) return undefined;
  const { bytesDone, bytesFound, filesDone, filesFound } = progress;
  return bytesFound > 0
    ? timeLeftMs(bytesMeter, bytesFound - bytesDone)
    : timeLeftMs(filesMeter, filesFound - filesDone);
}

import { isDone } from "../../words/copy-done.ts";
import { type CopyState, shownRate, timeLeft } from "../../words/copy-state.ts";
import { formatBytes, formatClock, formatCount, formatPercent, formatRate, plural } from "../../words/format.ts";
import { heldBackText } from "../../words/held-back.ts";
import { limitWord } from "../../words/limit-words.ts";
import { drawBar, drawOpenBar } from "./text/bar.ts";
import { fitEnd, fitMiddle, fitNames, fitParts, stringWidth } from "./text/fit.ts";
import type { Style } from "./text/style.ts";

/** Numbers that change keep their place: `1023.9 MiB/s`, `12:34`. */
const RATE_COLUMNS = 12;
const CLOCK_COLUMNS = 5;
const BAR_COLUMNS_MIN = 8;

/** In the place of rate and time, which would only decay. */
const STANDING = "stands still";

/**
 * The current file, the bar, the counts, and what holds the copy back where that is known: no line is wider than
 * `columns`. `standstill` says why nothing moves; it stands in the place of the file.
 */
export function copyLines(copy: CopyState, columns: number, style: Style, standstill?: string): string[] {
  const { progress } = copy;
  const countsLine = fitParts(counts(copy), columns, style.separator);
  if (standstill !== undefined)
    return [
      style.careful(fitEnd(standstill, columns)),
      barLine(copy, columns, style, [...percentOf(copy), STANDING]),
      countsLine,
    ];
  const file =
    progress.currentFile === "" ? style.quiet(withoutFile(copy, columns)) : fitMiddle(progress.currentFile, columns);
  const why = heldBack(progress).map((text) => style.careful(fitEnd(text, columns)));
  return [file, barLine(copy, columns, style, besideBar(copy)), countsLine, ...why];
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
  const percent = percentOf(copy).map((text) => text.trim());
  if (standstill !== undefined) return [standstill, ...percent, ...counts(copy)].join(", ");
  const left = timeLeft(copy);
  return [
    ...(behind === undefined ? [] : [withoutFile(copy, Number.POSITIVE_INFINITY)]),
    ...percent,
    ...counts(copy),
    ...(isDone(progress) ? ["finishing"] : [rateText(copy)]),
    ...heldBack(progress),
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

function percentOf({ progress, fraction }: CopyState): string[] {
  return progress.discoveryEnded ? [formatPercent(fraction)] : [];
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

function heldBack({ heldBack: by }: CopyState["progress"]): string[] {
  return by === undefined ? [] : [heldBackText(by)];
}

function rateText(copy: CopyState): string {
  return formatRate(shownRate(copy));
}

function counts({ progress, limit }: CopyState): string[] {
  const word = limitWord(limit);
  // The rate beside it is of content, which compression makes smaller before it is limited.
  const held = word === undefined ? [] : [`${word} on the wire`];
  const { bytesDone, bytesFound, filesDone, filesFound, bytesUnchanged, bytesKept, discoveryEnded } = progress;
  const unchanged = bytesUnchanged > 0 ? [`${formatBytes(bytesUnchanged)} unchanged`] : [];
  const kept = bytesKept > 0 ? [`${formatBytes(bytesKept)} reused`] : [];
  if (!discoveryEnded) {
    return [
      `${formatBytes(bytesDone)} done, at least ${formatBytes(bytesFound)} found`,
      `${formatCount(filesDone)} of at least ${plural(filesFound, "file")}`,
      ...unchanged,
      ...kept,
      ...held,
    ];
  }
  return [
    `${formatBytes(Math.min(bytesDone, bytesFound))} of ${formatBytes(bytesFound)}`,
    `${formatCount(Math.min(filesDone, filesFound))} of ${plural(filesFound, "file")}`,
    ...unchanged,
    ...kept,
    ...held,
  ];
}

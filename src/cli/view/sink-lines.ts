import type { SinkLine } from "../../protocol/messages/events.ts";
import type { CopyProgress } from "../../protocol/messages/progress.ts";
import { drawBar } from "./bar.ts";
import { fitEnd, fitExactly, fitMiddle, stringWidth } from "./fit.ts";
import { formatBytes, formatClock, plural } from "./format.ts";
import { inOrder } from "./sink-order.ts";
import type { Style } from "./style.ts";

interface SinkTable {
  readonly columns: number;
  /** Lines it may take. */
  readonly rows: number;
  /** The copy the sinks take part in; absent before it starts. */
  readonly progress?: CopyProgress;
  /** Nothing can be known of those at work at the moment. */
  readonly noNews?: boolean;
}

const NAME_COLUMNS_MAX = 20;
const BYTES_COLUMNS = 10;
const STATE_COLUMNS = 10;

/**
 * One line per sink, those in trouble first: name, bar, bytes, state, current file. In a narrow terminal the less important
 * parts go.
 */
export function sinkLines(sinks: readonly SinkLine[], table: SinkTable, style: Style): string[] {
  if (table.rows < 1) return [];
  const fits = sinks.length <= table.rows;
  const shown = inOrder(fits ? sinks : mostTelling(sinks, table.rows - 1), ({ state }) => state);
  const widest = Math.max(0, ...shown.map((sink) => stringWidth(sink.name)));
  const nameColumns = Math.min(widest, table.columns >= 100 ? NAME_COLUMNS_MAX : 12);
  const lines = shown.map((sink) => sinkLine(sink, nameColumns, { ...table, style }));
  if (!fits)
    lines.push(
      style.quiet(fitEnd(`and ${plural(sinks.length - shown.length, "more sink", "more sinks")}`, table.columns)),
    );
  return lines;
}

/** Where not all fit: those that failed, then the slowest. */
function mostTelling(sinks: readonly SinkLine[], rows: number): SinkLine[] {
  const rank = (sink: SinkLine): number =>
    sink.state === "failed" || sink.state === "away" ? -1 : sink.progress.bytesDone;
  return inOrder(sinks, ({ state }) => state)
    .sort((one, other) => rank(one) - rank(other))
    .slice(0, rows);
}

const WORKING: ReadonlySet<SinkLine["state"]> = new Set<SinkLine["state"]>([
  ...(["receiving", "comparing", "verifying", "lagging", "detached"] as const),
]);

interface LineContext extends SinkTable {
  readonly style: Style;
}

function sinkLine(
  sink: SinkLine,
  nameColumns: number,
  { columns, progress, noNews = false, style }: LineContext,
): string {
  const barColumns = columns >= 100 ? 20 : columns >= 60 ? 10 : 0;
  const parts = [style.strong(fitExactly(sink.name, nameColumns))];
  if (barColumns > 0 && progress?.discoveryEnded === true)
    parts.push(drawBar(sinkFraction(sink, progress), barColumns, style));
  if (progress !== undefined) parts.push(formatBytes(sink.progress.bytesDone).padStart(BYTES_COLUMNS));
  const isUnknown = noNews && WORKING.has(sink.state);
  const file = WORKING.has(sink.state) && !isUnknown ? sink.progress.currentFile : "";
  if (isUnknown) return fitEnd([...parts, style.careful("no news")].join("  "), columns);
  const state = sink.leftMs === undefined ? sink.state : `${sink.state}, waited for ${formatClock(sink.leftMs)} more`;
  parts.push(stateColour(sink.state, style)(file === "" ? state : fitExactly(state, STATE_COLUMNS)));
  const line = parts.join("  ");
  const room = columns - stringWidth(line) - 2;
  return file !== "" && room >= 8 ? `${line}  ${style.quiet(fitMiddle(file, room))}` : fitEnd(line.trimEnd(), columns);
}

const DONE: ReadonlySet<SinkLine["state"]> = new Set<SinkLine["state"]>([
  ...(["proven", "complete", "incomplete", "dry-run"] as const),
]);

function sinkFraction(sink: SinkLine, progress: CopyProgress): number {
  if (DONE.has(sink.state)) return 1;
  const { bytesFound, filesFound } = progress;
  if (bytesFound > 0) return Math.min(sink.progress.bytesDone / bytesFound, 0.999);
  return filesFound > 0 ? Math.min(sink.progress.filesDone / filesFound, 0.999) : 0;
}

const CAREFUL: ReadonlySet<SinkLine["state"]> = new Set<SinkLine["state"]>([
  "incomplete",
  "lagging",
  "detached",
  "away",
]);

function stateColour(state: SinkLine["state"], style: Style): (text: string) => string {
  if (state === "proven" || state === "complete") return style.good;
  if (state === "failed") return style.bad;
  return CAREFUL.has(state) ? style.careful : (text) => text;
}

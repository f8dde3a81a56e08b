import type { CopyProgress } from "../../protocol/messages/progress.ts";
import type { SessionView } from "../../protocol/messages/session-view.ts";
import type { SinkLine } from "../../protocol/messages/sink-line.ts";
import { formatBytes, formatClock, formatCount } from "../../words/format.ts";
import { limitWord } from "../../words/limit-words.ts";
import { mostTelling } from "../../words/sink-order.ts";
import { isSinkPaused, sinkFraction } from "../../words/sink-progress.ts";
import { drawBar } from "./text/bar.ts";
import { fitEnd, fitExactly, fitMiddle, stringWidth } from "./text/fit.ts";
import type { Style } from "./text/style.ts";

interface SinkTable {
  readonly columns: number;
  /** Lines it may take. */
  readonly rows: number;
  /** The copy the sinks take part in; absent before it starts. */
  readonly progress?: CopyProgress;
  /** Nothing can be known of those at work at the moment. */
  readonly noNews?: boolean;
  /** What the session does, where that is known. */
  readonly session?: SessionView["state"];
}

const NAME_COLUMNS_MAX = 20;
const BYTES_COLUMNS = 10;
const STATE_COLUMNS = 10;
/** In narrower terminals there is no room for what holds a sink. */
const LIMIT_COLUMNS_MIN = 60;

/**
 * One line per sink, those in trouble first: name, bar, bytes, state, current file. In a narrow terminal the less important
 * parts go.
 */
export function sinkLines(sinks: readonly SinkLine[], table: SinkTable, style: Style): string[] {
  if (table.rows < 1) return [];
  const fits = sinks.length <= table.rows;
  const shown = mostTelling(sinks, fits ? table.rows : table.rows - 1);
  const widest = Math.max(0, ...shown.map((sink) => stringWidth(sink.name)));
  const nameColumns = Math.min(widest, table.columns >= 100 ? NAME_COLUMNS_MAX : 12);
  const lines = shown.map((sink) => sinkLine(sink, nameColumns, { ...table, style }));
  if (!fits) lines.push(style.quiet(moreText(sinks, shown, table)));
  return lines;
}

/** Rows that sinks may take of a terminal: what is printed above them has to be seen, too. */
export function tableRowsMax(rows: number): number {
  return Math.max(TABLE_ROWS_MIN, Math.floor(rows / 2));
}

const TABLE_ROWS_MIN = 6;

/** `+12 more: 10 receiving, 2 proven` */
function moreText(
  sinks: readonly SinkLine[],
  shown: readonly SinkLine[],
  { columns, session }: Pick<SinkTable, "columns" | "session">,
): string {
  const counts = new Map<string, number>();
  for (const sink of sinks) {
    const word = stateWord(sink, session);
    if (!shown.includes(sink)) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const states = [...counts].map(([state, count]) => `${formatCount(count)} ${state}`).join(", ");
  return fitEnd(`+${formatCount(sinks.length - shown.length)} more: ${states}`, columns);
}

/** What a sink does, in one word. */
type StateWord = SinkLine["state"] | "paused";

const WORKING: ReadonlySet<StateWord> = new Set<StateWord>([
  ...(["receiving", "comparing", "verifying", "lagging", "detached"] as const),
]);

interface LineContext extends SinkTable {
  readonly style: Style;
}

function sinkLine(
  sink: SinkLine,
  nameColumns: number,
  { columns, progress, noNews = false, session, style }: LineContext,
): string {
  const barColumns = columns >= 100 ? 20 : columns >= 60 ? 10 : 0;
  const parts = [style.strong(fitExactly(sink.name, nameColumns))];
  if (barColumns > 0 && progress?.discoveryEnded === true)
    parts.push(drawBar(sinkFraction(sink, progress) ?? 0, barColumns, style));
  if (progress !== undefined) parts.push(formatBytes(sink.progress.bytesDone).padStart(BYTES_COLUMNS));
  const isUnknown = noNews && WORKING.has(sink.state);
  if (isUnknown) return fitEnd([...parts, style.careful("no news")].join("  "), columns);
  const word = stateWord(sink, session);
  const state = sink.leftMs === undefined ? word : `${word}, waited for ${formatClock(sink.leftMs)} more`;
  const file = WORKING.has(word) ? sink.progress.currentFile : "";
  parts.push(stateColour(word, style)(file === "" ? state : fitExactly(state, STATE_COLUMNS)));
  parts.push(...heldPart(sink, columns, style));
  const line = parts.join("  ");
  const room = columns - stringWidth(line) - 2;
  return file !== "" && room >= 8 ? `${line}  ${style.quiet(fitMiddle(file, room))}` : fitEnd(line.trimEnd(), columns);
}

function stateWord(sink: SinkLine, session: SinkTable["session"]): StateWord {
  return isSinkPaused(sink, session) ? "paused" : sink.state;
}

function heldPart({ state, limit }: SinkLine, columns: number, style: Style): string[] {
  const word = WORKING.has(state) && columns >= LIMIT_COLUMNS_MIN ? limitWord(limit) : undefined;
  return word === undefined ? [] : [style.quiet(word)];
}

const CAREFUL: ReadonlySet<StateWord> = new Set<StateWord>(["incomplete", "lagging", "detached", "away", "paused"]);

function stateColour(state: StateWord, style: Style): (text: string) => string {
  if (state === "proven" || state === "complete") return style.good;
  if (state === "failed") return style.bad;
  return CAREFUL.has(state) ? style.careful : (text) => text;
}

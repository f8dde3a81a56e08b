import type { SessionEntry, WantedSession } from "../../../protocol/api/answer-schemas.ts";
import type { SessionView } from "../../../protocol/messages/session-view.ts";
import { formatBytes, formatCount, formatElapsed } from "../../../words/format.ts";
import { tableLines } from "../text/table.ts";
import { minuteOf, stateWords } from "./record-words.ts";

const HEAD = [
  "ID",
  "SESSION",
  "OPENED (UTC)",
  "RESULT",
  "TOOK",
  "SOURCE",
  "DIRECTORY",
  "SINKS",
  "FILES",
  "BYTES",
  "PROBLEMS",
];
/** Characters of an id in the list: enough to name one. */
const ID_CHARS_SHOWN = 6;

/** `live`: those that wait or run, as they are now. */
export function sessionTable(
  sessions: readonly SessionEntry[],
  live: readonly SessionView[],
  runs: boolean,
): readonly string[] {
  const views = new Map(live.map((view) => [view.sessionId, view]));
  return tableLines([HEAD, ...sessions.map((entry) => row(entry, views.get(entry.sessionId), runs))]);
}

function row(entry: SessionEntry, view: SessionView | undefined, runs: boolean): readonly string[] {
  const { sessionId, session, opened, source = "-", directory = "-", sinks, problemCount } = entry;
  const files = entry.files ?? view?.progress?.filesDone;
  const bytes = entry.bytes ?? view?.progress?.bytesDone;
  const elapsedMs = entry.elapsedMs ?? view?.progress?.elapsedMs;
  return [
    sessionId.slice(0, ID_CHARS_SHOWN),
    session,
    minuteOf(opened),
    stateWords(entry, view, runs),
    elapsedMs === undefined ? "-" : formatElapsed(elapsedMs),
    source,
    directory,
    formatCount(view?.sinks.length ?? sinks),
    files === undefined ? "-" : formatCount(files),
    bytes === undefined ? "-" : formatBytes(bytes),
    problemCount === undefined ? "-" : formatCount(problemCount),
  ];
}

/** What is not as it should be, before anything else. */
export function missedLines(wanted: readonly WantedSession[]): readonly string[] {
  return wanted.flatMap(({ session, withinMs, missed, lastProven, since }) => {
    if (missed === undefined) return [];
    const last =
      lastProven === undefined ? `none since ${minuteOf(since)}` : `the last one ended ${minuteOf(lastProven)}`;
    return [`MISSED: ${session} has no whole copy in ${formatElapsed(withinMs)}: ${last} UTC`];
  });
}

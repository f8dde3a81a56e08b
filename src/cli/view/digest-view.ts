import type { DigestEvent } from "../../protocol/messages/digest-events.ts";
import { formatBytes, formatElapsed, formatRate, plural } from "../../words/format.ts";
import { type ReadingState, readingView } from "./reading-view.ts";
import { field, treeText } from "./summary-lines.ts";
import type { Style } from "./text/style.ts";
import { detail, info, type Message, type View, warning } from "./view.ts";

/** How the making of a digest looks. */
export const digestView: View<DigestEvent, ReadingState> = readingView({
  first: "reading the directory",
  doing: "reading",
  name: "digest",
  progressOf: (event) => (event.type === "progress" ? event.progress : undefined),
  messages: (event, _state, style) => digestMessages(event, style),
});

function digestMessages(event: DigestEvent, style: Style): readonly Message[] {
  switch (event.type) {
    case "reading":
      return [info(`reading ${event.folder}`)];
    case "warning":
      return [warning(event.message)];
    case "file":
      return [detail(`${event.path} (${formatBytes(event.bytes)})`)];
    case "problem":
      return [
        { level: "warning", text: `${style.bad(event.problem.kind)}  ${event.problem.path}: ${event.problem.message}` },
      ];
    case "finished":
      return finishedMessages(event, style);
    case "progress":
      return [];
    default:
      return event satisfies never;
  }
}

function finishedMessages(event: Extract<DigestEvent, { type: "finished" }>, style: Style): readonly Message[] {
  const { digest, counts, problemCount, notCarried, elapsedMs } = event;
  const rate = elapsedMs > 0 ? ` (${formatRate((counts.bytes * 1000) / elapsedMs)})` : "";
  const word = problemCount === 0 ? style.good("read") : style.careful("incomplete");
  const amount = `${plural(counts.files, "file")}, ${formatBytes(counts.bytes)} in ${formatElapsed(elapsedMs)}${rate}`;
  const lines: Message[] = [
    info(`${word}: ${amount}`),
    info(field("tree", treeText({ ...counts, notCarried }), style)),
  ];
  lines.push(info(field("digest", digest, style)));
  if (problemCount > 0) {
    const text = `fanfold: ${plural(problemCount, "entry", "entries")} could not be read: this is not the digest of the whole tree`;
    lines.push({ level: "warning", text });
  }
  return lines;
}

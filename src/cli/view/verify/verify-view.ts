import type { VerifyCounts, VerifyEvent } from "../../../protocol/messages/verify-events.ts";
import { formatBytes, formatElapsed, formatRate, plural } from "../../../words/format.ts";
import { olderText, wantedAgainText } from "../../../words/verify-words.ts";
import { type ReadingState, readingView } from "../reading-view.ts";
import type { Style } from "../text/style.ts";
import { detail, info, type Message, type View, warning } from "../view.ts";

/** How a check of a folder looks. */
export const verifyView: View<VerifyEvent, ReadingState> = readingView({
  first: "reading the manifest",
  doing: "verifying",
  name: "verify",
  // Until all of the manifest has been read the totals say nothing.
  progressOf: (event) => (event.type === "progress" && event.progress.discoveryEnded ? event.progress : undefined),
  messages: (event, _state, style) => verifyMessages(event, style),
});

function verifyMessages(event: VerifyEvent, style: Style): readonly Message[] {
  switch (event.type) {
    case "verifying":
      return [info(verifyingText(event))];
    case "warning":
      return [warning(event.message)];
    case "file":
      return [detail(`${event.path} (${formatBytes(event.bytes)})`)];
    case "difference": {
      const { path, kinds, message } = event.difference;
      const isMissing = kinds.includes("missing");
      return [
        {
          level: "warning",
          text: `${style.bad(kinds.join(","))}  ${path}${isMissing ? "" : style.quiet(`  ${message}`)}`,
        },
      ];
    }
    case "extra":
      return [info(`${style.careful("extra")}  ${event.path}${event.kind === "directory" ? "/" : ""}`)];
    case "finished":
      return finishedMessages(event, style);
    case "progress":
      return [];
    default:
      return event satisfies never;
  }
}

function verifyingText(event: Extract<VerifyEvent, { type: "verifying" }>): string {
  const { folder, snapshot, copiedAt, session } = event;
  const what = snapshot === undefined ? folder : `the snapshot ${snapshot} of ${folder}`;
  return `verifying ${what} against its copy of ${copiedAt} (session ${session})`;
}

function finishedMessages(event: Extract<VerifyEvent, { type: "finished" }>, style: Style): readonly Message[] {
  const { counts, wanted, elapsedMs, result } = event;
  const rate = elapsedMs > 0 ? ` (${formatRate((counts.bytes * 1000) / elapsedMs)})` : "";
  const amount = `${plural(counts.files, "file")}, ${formatBytes(counts.bytes)} in ${formatElapsed(elapsedMs)}${rate}`;
  const word = result === "equal" ? style.good("equal") : style.bad("differs");
  const lines: Message[] = [info(`${word}: ${amount}`)];
  if (counts.extra > 0) lines.push(info(`  ${style.quiet("extra  ")} ${extraText(counts)}`));
  if (counts.filesByTime > 0) {
    const text = `${plural(counts.filesByTime, "file")} compared by size and time only: the hash of the content is not known`;
    lines.push(info(`  ${style.quiet("content")} ${text}`));
  }
  if (counts.notCarried > 0) {
    const text = `${plural(counts.notCarried, "entry", "entries")} of the source are not in the copy`;
    lines.push(info(`  ${style.quiet("left   ")} ${text}`));
  }
  const again = wantedAgainText({ wanted });
  if (again !== undefined) lines.push(info(`  ${style.quiet("next   ")} ${again}`));
  const notMended = olderText(event);
  if (notMended !== undefined) lines.push(info(`  ${style.quiet("older  ")} ${notMended}`));
  if (result === "differs") lines.push({ level: "warning", text: `fanfold: ${found(counts).join(", ")}` });
  return lines;
}

function found(counts: VerifyCounts): string[] {
  const parts = [
    counts.differing > 0 ? `${plural(counts.differing, "entry", "entries")} not as copied` : "",
    counts.missing > 0 ? `${plural(counts.missing, "entry", "entries")} missing` : "",
    counts.extra > 0 ? extraText(counts) : "",
  ];
  return parts.filter((part) => part !== "");
}

function extraText({ extra }: VerifyCounts): string {
  return `${plural(extra, "entry", "entries")} in the folder but not in the copy`;
}

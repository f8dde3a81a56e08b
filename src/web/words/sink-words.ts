import type { SessionView } from "../../protocol/messages/session-view.ts";
import type { SinkLine } from "../../protocol/messages/sink-line.ts";
import { formatBytes, formatClock, plural } from "../../words/format.ts";
import { isSinkPaused } from "../../words/sink-progress.ts";

const AT_WORK: ReadonlySet<SinkLine["state"]> = new Set<SinkLine["state"]>([
  ...(["receiving", "comparing", "verifying", "lagging", "detached", "away"] as const),
]);
/** Less is on its way in any case. */
const BEHIND_SHOWN_BYTES = 1024 * 1024;

export function isAtWork({ state }: SinkLine): boolean {
  return AT_WORK.has(state);
}

export function behindText(bytes: number): string {
  return bytes < BEHIND_SHOWN_BYTES ? "–" : formatBytes(bytes);
}

/** What a sink does, or what it waits for. */
export function waitsFor(sink: SinkLine, { state: session, source = "its source" }: SessionView): string {
  if (isSinkPaused(sink, session)) return `waits for ${source} to come back`;
  const { state, leftMs, progress } = sink;
  switch (state) {
    case "registered":
      return "waits for the start";
    case "receiving":
    case "comparing":
      return progress.currentFile;
    case "verifying":
      return "syncs its disk, and compares the digest";
    case "lagging":
      return "the others wait for it";
    case "detached":
      return "has a stream of its own";
    case "away":
      return leftMs === undefined ? "is waited for" : `is waited for, ${formatClock(leftMs)} more`;
    case "failed":
      return "its copy is not whole";
    default:
      return plural(progress.filesDone, "file");
  }
}

import type { SessionSummary, SinkOutcome } from "../../protocol/messages/progress.ts";
import type { TakenAsUnchanged } from "../../protocol/messages/taken.ts";
import { formatCount, plural } from "../../words/format.ts";

/**
 * What stands behind a sink's outcome, as far as the word for it does not say. It is which part of the copy was proven
 * by content in this session, and which was taken as unchanged since a proof before. Undefined where nothing was taken.
 */
export function proofText({ filesDone, takenAsUnchanged }: SinkOutcome): string | undefined {
  if (takenAsUnchanged === undefined) return undefined;
  const proven = filesDone - takenAsUnchanged.files;
  const { files } = takenAsUnchanged;
  const taken = `${proven > 0 ? formatCount(files) : plural(files, "file")} ${takenText(takenAsUnchanged)}`;
  return proven > 0 ? `${plural(proven, "file")} proven, ${taken}` : taken;
}

/** ` by size and time`, where that is all that some sink went by; or nothing. */
export function comparedBy({ sinks }: SessionSummary): string {
  return sinks.some(({ takenAsUnchanged }) => takenAsUnchanged !== undefined) ? ", by size and time" : "";
}

function takenText({ files, oldestProof }: TakenAsUnchanged): string {
  const date = oldestProof.slice(0, "2026-11-28".length);
  return `taken as unchanged by size and time, last proven on ${date}${files === 1 ? "" : " or later"}`;
}

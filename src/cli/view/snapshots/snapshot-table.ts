import { FanfoldError } from "../../../lib/errors.ts";
import { escapeText } from "../../../lib/escape-name.ts";
import { fingerprint } from "../../../protocol/names/fingerprint.ts";
import type { Snapshot } from "../../../sink/snapshots/catalogue.ts";
import type { SnapshotFacts } from "../../../sink/snapshots/snapshot-facts.ts";
import { formatBytes, formatCount, plural } from "../../../words/format.ts";
import { minuteOf } from "../records/record-words.ts";
import { tableLines } from "../text/table.ts";
import type { SnapshotList, SnapshotRecord } from "./snapshot-records.ts";

const HEAD = ["SNAPSHOT", "SOURCE", "DIRECTORY", "FILES", "BYTES", "NEW", "TREE", "PROVEN (UTC)", "HOW"];
/** Behind the column of what was new. */
const NEW_AT = HEAD.indexOf("NEW") + 1;

/** `own`: bytes that each holds alone, where that was looked at. */
export function snapshotTable(
  snapshots: readonly Snapshot[],
  own: ReadonlyMap<string, number> | undefined,
): readonly string[] {
  const rows = [HEAD, ...snapshots.map(row)];
  if (own === undefined) return tableLines(rows);
  const column = ["ALONE", ...snapshots.map(({ name }) => bytesText(own.get(name)))];
  return tableLines(
    rows.map((cells, index) => [...cells.slice(0, NEW_AT), column[index] ?? "", ...cells.slice(NEW_AT)]),
  );
}

/** For programs. */
export function snapshotRecord(
  { name, facts }: Snapshot,
  bytesAlone: number | undefined,
): SnapshotList["snapshots"][number] {
  if (facts instanceof FanfoldError) return { name, error: { code: facts.code, message: facts.message } };
  const { version: _, ...known }: { readonly version: number } & Omit<SnapshotRecord, "bytesAlone"> = facts;
  return { ...known, ...(bytesAlone === undefined ? {} : { bytesAlone }) };
}

function row({ name, facts }: Snapshot): readonly string[] {
  if (facts instanceof FanfoldError) return [name, "-", "-", "-", "-", "-", "-", "-", "not known"];
  const { source, files, bytes, bytesNew, digest, provenAt, provenAgainAt } = facts;
  return [
    name,
    escapeText(source.name),
    escapeText(source.folder ?? "-"),
    formatCount(files),
    formatBytes(bytes),
    bytesText(bytesNew),
    fingerprint(digest),
    minuteOf(provenAgainAt ?? provenAt),
    proofWords(facts),
  ];
}

function bytesText(bytes: number | undefined): string {
  return bytes === undefined ? "-" : formatBytes(bytes);
}

function proofWords({ takenAsUnchanged, problemCount, proofs }: SnapshotFacts): string {
  const parts = [
    takenAsUnchanged === undefined ? "by content" : `${plural(takenAsUnchanged.files, "file")} by size and time`,
    ...(proofs > 1 ? [`${formatCount(proofs)} times`] : []),
    ...(problemCount > 0 ? [plural(problemCount, "problem")] : []),
  ];
  return parts.join(", ");
}

import type { FleetSink, SinkProof } from "../../../protocol/api/answer-schemas.ts";
import { formatBytes, formatCount, formatPercent } from "../../../words/format.ts";
import { tableLines } from "../text/table.ts";
import { minuteOf } from "./record-words.ts";

const HEAD = ["NAME", "HERE", "LAST WHOLE COPY (UTC)", "OF SESSION", "BYTES", "FREE", "VERSION", "KEY"];
/** Before these stands what only some fleets have. */
const FREE_AT = HEAD.indexOf("FREE");
const KEY_DIGITS_SHOWN = 12;

export function fleetTable(sinks: readonly FleetSink[]): readonly string[] {
  const sorted = [...sinks].sort((one, other) => compare(one.name, other.name) || compare(one.key, other.key));
  // For many fleets there is nothing to say of these.
  const columns = [
    ["READ AGAIN (UTC)", ...sorted.map(checkWords)],
    ["NEWEST SNAPSHOT", ...sorted.map(({ snapshot }) => snapshotWords(snapshot))],
  ].filter(([, ...words]) => words.some((word) => word !== NOTHING));
  const rows = [HEAD, ...sorted.map(row)];
  return tableLines(
    rows.map((cells, index) => cells.toSpliced(FREE_AT, 0, ...columns.map((column) => column[index] ?? NOTHING))),
  );
}

const NOTHING = "-";

/** `2026-01-02 03:04 equal`, `2026-01-02 03:04, 3 damaged` */
function checkWords({ lastCheck }: FleetSink): string {
  if (lastCheck === undefined) return NOTHING;
  const { at, result, differing, missing } = lastCheck;
  return `${minuteOf(at)}${result === "equal" ? " equal" : `, ${formatCount(differing + missing)} damaged`}`;
}

/** `2026-01-02T03-04-05Z, 12 kept` */
function snapshotWords(snapshot: FleetSink["snapshot"]): string {
  if (snapshot === undefined) return NOTHING;
  return snapshot.kept === undefined ? snapshot.name : `${snapshot.name}, ${formatCount(snapshot.kept)} kept`;
}

function row({ name, key, connected, lastProof, lastCopy, ...machine }: FleetSink): readonly string[] {
  return [
    name,
    connected ? "yes" : "no",
    proofWords(lastProof, lastCopy),
    lastProof?.session ?? "-",
    lastProof === undefined ? "-" : formatBytes(lastProof.bytes),
    freeWords(connected, machine),
    machine.software?.replace(/^fanfold /, "") ?? "-",
    key.slice(0, KEY_DIGITS_SHOWN),
  ];
}

/** `2026-01-02 03:04 proven`, and what came after it and lacks something. */
function proofWords(lastProof: SinkProof | undefined, lastCopy: SinkProof | undefined): string {
  const proof = lastProof === undefined ? "never" : `${minuteOf(lastProof.at)} ${lastProof.outcome}`;
  const isLater = lastCopy !== undefined && lastCopy.sessionId !== lastProof?.sessionId;
  return isLater ? `${proof}, then ${lastCopy.outcome} ${minuteOf(lastCopy.at)}` : proof;
}

/** `3.4 GiB of 10.0 GiB, 34%`; of one that is not here, also on what day it said so. */
function freeWords(connected: boolean, { freeBytes, sizeBytes, said }: Partial<FleetSink>): string {
  if (freeBytes === undefined || sizeBytes === undefined) return "-";
  const share = sizeBytes === 0 ? "" : `,${formatPercent(freeBytes / sizeBytes)}`;
  const when = connected || said === undefined ? "" : ` on ${said.slice(0, "2026-01-02".length)}`;
  return `${formatBytes(freeBytes)} of ${formatBytes(sizeBytes)}${share}${when}`;
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}

import type { FleetSink, SinkProof } from "../../../protocol/api/answer-schemas.ts";
import { formatBytes, formatPercent } from "../../../words/format.ts";
import { tableLines } from "../text/table.ts";
import { minuteOf } from "./record-words.ts";

const HEAD = ["NAME", "HERE", "LAST WHOLE COPY (UTC)", "OF SESSION", "BYTES", "FREE", "VERSION", "KEY"];
const KEY_DIGITS_SHOWN = 12;

export function fleetTable(sinks: readonly FleetSink[]): readonly string[] {
  const sorted = [...sinks].sort((one, other) => compare(one.name, other.name) || compare(one.key, other.key));
  return tableLines([HEAD, ...sorted.map(row)]);
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

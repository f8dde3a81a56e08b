import { escapeName } from "../lib/escape-name.ts";
import type { DifferenceKind } from "../protocol/events.ts";
import type { Entry, Keeps, Timestamp } from "../protocol/page.ts";
import type { FoundEntry } from "./folder-reader.ts";
import type { ManifestState } from "./manifest.ts";

/** What a manifest promises of an entry. */
export interface PromisedEntry {
  readonly entry: Entry;
  readonly size: number;
  readonly mode: number;
  readonly mtime: Timestamp;
  /** Of a file: its content hash [P-5], undefined where it is not known. */
  readonly hash: Uint8Array | undefined;
}

/** One way in which an entry is not what it should be; `text` continues a sentence that begins with "it". */
export interface Fault {
  readonly kind: DifferenceKind;
  readonly text: string;
}

/** Undefined: it is not in the copy, and nothing is promised of what stands under its name. */
export function promisedEntry(entry: Entry, state: ManifestState): PromisedEntry | undefined {
  if (state.state === "withdrawn" || state.state === "not-carried") return undefined;
  const { mode, mtime } = entry;
  if (entry.kind !== "file") return { entry, size: 0, mode, mtime, hash: undefined };
  if (state.state === "delivered") return { entry, ...state.final };
  return { entry, size: entry.size, mode, mtime, hash: state.state === "unchanged" ? state.hash : undefined };
}

const KIND_NAMES = {
  file: "a file",
  directory: "a directory",
  symlink: "a symbolic link",
  fifo: "a FIFO",
  device: "a device",
  socket: "a socket",
} as const;

/** What an lstat shows. Links have no mode of their own; where an entry is of another kind nothing else is compared. */
export function entryFaults(promised: PromisedEntry, found: FoundEntry, keeps: Keeps): Fault[] {
  const { entry, size, mode, mtime } = promised;
  const expected = entry.kind === "hardlink" ? "file" : entry.kind;
  if (found.kind !== expected)
    return [{ kind: "type", text: `is ${KIND_NAMES[found.kind]}, expected ${KIND_NAMES[expected]}` }];
  // All else is the file's own.
  if (entry.kind === "hardlink") return [];
  const faults: Fault[] = [];
  if (entry.kind === "file" && found.size !== size)
    faults.push({ kind: "size", text: `has ${found.size} bytes, expected ${size}` });
  if (keeps.perms && entry.kind !== "symlink" && !sameMode(entry, mode, found.mode))
    faults.push({ kind: "mode", text: `has the mode ${octal(found.mode)}, expected ${octal(mode)}` });
  if (keeps.times && !sameTime(mtime, found.mtime))
    faults.push({ kind: "time", text: `has the time ${timeText(found.mtime)}, expected ${timeText(mtime)}` });
  return faults;
}

export const CONTENT_FAULT: Fault = { kind: "content", text: "has other content than was copied" };
/** `first`: the path of the file that it should be another name of. */
export function linkFault(first: string): Fault {
  return { kind: "link", text: `is a file of its own, expected another name of "${first}"` };
}
export const MISSING_FAULT: Fault = { kind: "missing", text: "is missing" };

export function targetFaults(expected: Uint8Array, found: Uint8Array): Fault[] {
  if (Buffer.compare(expected, found) === 0) return [];
  return [{ kind: "target", text: `leads to "${escapeName(found)}", expected "${escapeName(expected)}"` }];
}

const SET_GROUP_ID = 0o2000;
const SET_IDS = 0o6000;

/**
 * A system silently leaves out the set-group-id bit of a directory whose group is not the sink's; a sink leaves out those bits
 * of a file whose owner it could not set (metadata.ts).
 */
function sameMode(entry: Entry, expected: number, found: number): boolean {
  return found === expected || found === (expected & ~(entry.kind === "directory" ? SET_GROUP_ID : SET_IDS));
}

/** From here on, the year 2242, a time cannot be set to the microsecond (docs/limits.md). */
const COARSE_SECONDS = 2 ** 33;

function sameTime(expected: Timestamp, found: Timestamp): boolean {
  const apart = (found.seconds - expected.seconds) * 1e6 + micro(found) - micro(expected);
  const allowed = Math.abs(expected.seconds) < COARSE_SECONDS ? 0 : Math.abs(expected.seconds) * 2 ** -52 * 1e6 + 1;
  return Math.abs(apart) <= allowed;
}

function micro({ nanoseconds }: Timestamp): number {
  return Math.floor(nanoseconds / 1000);
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

function timeText(time: Timestamp): string {
  const date = new Date(time.seconds * 1000);
  if (Number.isNaN(date.getTime())) return `${time.seconds} s`;
  return date.toISOString().replace(/\.000Z$/, `.${String(micro(time)).padStart(6, "0")}Z`);
}

import { escapeName } from "../../lib/escape-name.ts";
import type { Entry, Keeps } from "../../protocol/frame/page.ts";
import type { Timestamp } from "../../protocol/frame/timestamp.ts";
import type { DifferenceKind } from "../../protocol/messages/verify-events.ts";
import type { FoundEntry, FoundKind } from "../disk/folder-reader.ts";
import { LACKS, type ManifestState } from "../manifest/manifest.ts";

/** What a manifest promises of an entry. */
export interface PromisedEntry {
  readonly entry: Entry;
  readonly size: number;
  readonly mode: number;
  readonly mtime: Timestamp;
  /** Of a file: its content hash [P-5], undefined where it is not known. */
  readonly hash: Uint8Array | undefined;
}

/** One way in which an entry is not what it should be. `text` continues a sentence that begins with "it". */
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

export function typeFault(expected: FoundKind, found: FoundKind): Fault {
  return { kind: "type", text: `is ${KIND_NAMES[found]}, expected ${KIND_NAMES[expected]}` };
}

/**
 * What the copy kept of the source: which metadata it was to keep, and which parts of the entry it could not carry (LACKS).
 */
export interface Carried {
  readonly keeps: Keeps;
  readonly lacks: number;
}

/**
 * What an lstat shows, of an entry that is no further name. Links have no mode of their own; where an entry is of another kind nothing
 * else is compared.
 */
export function entryFaults(promised: PromisedEntry, found: FoundEntry, { keeps, lacks }: Carried): Fault[] {
  const { entry, size, mode, mtime } = promised;
  if (entry.kind === "hardlink") return [];
  if (found.kind !== entry.kind) return [typeFault(entry.kind, found.kind)];
  const faults: Fault[] = [];
  if (entry.kind === "file" && found.size !== size)
    faults.push({ kind: "size", text: `has ${found.size} bytes, expected ${size}` });
  if (entry.kind === "device" && deviceText(found.numbers) !== deviceText(entry))
    faults.push({ kind: "device", text: `is the ${deviceText(found.numbers)}, expected the ${deviceText(entry)}` });
  if (keeps.perms && entry.kind !== "symlink" && !sameMode(mode, found.mode, lacks))
    faults.push({ kind: "mode", text: `has the mode ${octal(found.mode)}, expected ${octal(mode)}` });
  if (keeps.times && !sameTime(mtime, found.mtime, lacks))
    faults.push({ kind: "time", text: `has the time ${timeText(found.mtime)}, expected ${timeText(mtime)}` });
  return faults;
}

export const CONTENT_FAULT: Fault = { kind: "content", text: "has other content than was copied" };
/** `first`: the path of what it should be another name of. */
export function linkFault(first: string): Fault {
  return { kind: "link", text: `is a separate entry, expected a hard link to "${first}"` };
}
/** `other`: the path of what it is another name of, and should not be. */
export function sharedFault(other: string): Fault {
  return { kind: "link", text: `is a hard link to "${other}", expected a separate entry` };
}
export const MISSING_FAULT: Fault = { kind: "missing", text: "is missing" };

export function targetFaults(expected: Uint8Array, found: Uint8Array): Fault[] {
  if (Buffer.compare(expected, found) === 0) return [];
  return [{ kind: "target", text: `leads to "${escapeName(found)}", expected "${escapeName(expected)}"` }];
}

const SET_IDS = 0o6000;

/** A sink leaves out the set-id bits of a file whose owner it could not set. */
function sameMode(expected: number, found: number, lacks: number): boolean {
  if ((lacks & LACKS.permissions) !== 0) return true;
  const leftOut = (lacks & LACKS.setuid) === 0 ? 0 : expected & SET_IDS;
  return ((found ^ expected) & ~leftOut) === 0;
}

function sameTime(expected: Timestamp, found: Timestamp, lacks: number): boolean {
  if ((lacks & LACKS.time) !== 0) return true;
  if (found.seconds !== expected.seconds) return false;
  return (lacks & LACKS["time-fraction"]) === 0
    ? found.nanoseconds === expected.nanoseconds
    : micro(found) === micro(expected);
}

function micro({ nanoseconds }: Timestamp): number {
  return Math.floor(nanoseconds / 1000);
}

function deviceText({ character, major, minor }: FoundEntry["numbers"]): string {
  return `${character ? "character" : "block"} device ${major}:${minor}`;
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

function timeText(time: Timestamp): string {
  const date = new Date(time.seconds * 1000);
  if (Number.isNaN(date.getTime())) return `${time.seconds} s`;
  return date.toISOString().replace(/\.000Z$/, `.${String(time.nanoseconds).padStart(9, "0")}Z`);
}

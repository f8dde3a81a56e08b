import { ByteWriter } from "../../protocol/frame/bytes.ts";
import { entryPath } from "../../protocol/frame/page.ts";
import { blake3 } from "../../protocol/hash/blake3.ts";
import type { PromisedEntry } from "../verify/compare-entry.ts";
import type { SnapshotEntry, SnapshotTree } from "./snapshot-tree.ts";

/** How an entry of one snapshot is another one in a later one. */
export type ChangeKind = "added" | "removed" | "content" | "metadata" | "type";

export interface SnapshotChange {
  readonly kind: ChangeKind;
  readonly entry: SnapshotEntry;
}

/** Bytes kept of an entry: one for its kind, and the beginnings of two hashes. By chance they never agree. */
const CONTENT_BYTES = 16;
const METADATA_BYTES = 8;
const METADATA_AT = 1 + CONTENT_BYTES;
const RECORD_BYTES = METADATA_AT + METADATA_BYTES;
/** Instead of a kind: there is none, or it was found again. */
const GONE = 0;
const NOTHING = new Uint8Array(0);
const KINDS = { file: 1, directory: 2, symlink: 3, hardlink: 4, fifo: 5, device: 6 } as const;

/**
 * What differs between two snapshots, by their manifests: first what the later one has, in its order, then what it has no more.
 * Memory holds 25 bytes for each entry of the earlier one beside the tables of paths. Times of directories do not count: whatever is
 * made in one changes its time. Both trees must be indexed.
 *
 * Synchronous, in steps: a step without a change is undefined.
 */
export function* snapshotDiff(
  before: SnapshotTree,
  after: SnapshotTree,
): Generator<SnapshotChange | undefined, void, undefined> {
  const records = Buffer.alloc(before.manifest.end.entries * RECORD_BYTES);
  for (const held of before.entries()) {
    records.set(recordOf(held), held.entry.entry * RECORD_BYTES);
    yield;
  }
  for (const held of after.entries()) {
    const number = before.numberOf(held.entry.directory, held.entry.name);
    const start = (number ?? 0) * RECORD_BYTES;
    const old = records.subarray(start, number === undefined ? start : start + RECORD_BYTES);
    const kind = changeOf(old, recordOf(held));
    // What is left in the end is no more.
    if (old.length > 0) old[0] = GONE;
    yield kind === undefined ? undefined : { kind, entry: held };
  }
  for (const held of before.entries())
    yield records[held.entry.entry * RECORD_BYTES] === GONE ? undefined : { kind: "removed", entry: held };
}

/** `old` is empty, or begins with 0, when there was none. */
export function changeOf(old: Uint8Array, record: Buffer): ChangeKind | undefined {
  if (old.length === 0 || old[0] === GONE) return "added";
  if (old[0] !== record[0]) return "type";
  if (record.compare(old, 1, METADATA_AT, 1, METADATA_AT) !== 0) return "content";
  return record.compare(old, METADATA_AT, RECORD_BYTES, METADATA_AT, RECORD_BYTES) === 0 ? undefined : "metadata";
}

/** What an entry is known by: two with the same record are the same. */
export function recordOf(held: SnapshotEntry): Buffer {
  const record = Buffer.alloc(RECORD_BYTES);
  const shown = held.first ?? held;
  record[0] = KINDS[shown.entry.kind];
  record.set(blake3(contentOf(shown)).subarray(0, CONTENT_BYTES), 1);
  record.set(blake3(metadataOf(shown, held)).subarray(0, METADATA_BYTES), METADATA_AT);
  return record;
}

/** The same for entries that have the same content. Where the hash of a file is not known, its size and time stand for it. */
function contentOf({ entry, size, hash, mtime }: PromisedEntry): Buffer {
  const out = new ByteWriter(64);
  if (entry.kind === "symlink") out.string(entry.target);
  else if (entry.kind === "device")
    for (const part of [entry.character ? 1 : 0, entry.major, entry.minor]) out.varint(part);
  else if (entry.kind === "file") {
    out.varint(size);
    if (hash !== undefined) out.raw(hash);
    else for (const part of [mtime.seconds, mtime.nanoseconds]) out.signed(part);
  }
  return Buffer.from(out.view());
}

/** All else, and which name it is one with. */
function metadataOf({ entry, mode, mtime }: PromisedEntry, named: SnapshotEntry): Buffer {
  const { owner, attributes } = entry;
  const time = entry.kind === "directory" ? undefined : mtime;
  const first = named.first === undefined ? undefined : entryPath(named.first.entry).toString("hex");
  const values = attributes?.map(({ name, value }) => [bytesOf(name), bytesOf(value)]);
  const owners = owner && [owner.uid, owner.gid, bytesOf(owner.user), bytesOf(owner.group)];
  return Buffer.from(JSON.stringify([mode, time, owners, values, first]));
}

function bytesOf(bytes: Uint8Array = NOTHING): string {
  return Buffer.from(bytes).toString("hex");
}

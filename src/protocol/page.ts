import { escapeName } from "../lib/escape-name.ts";
import { ByteReader, ByteWriter, damaged } from "./bytes.ts";
import { HASH_BYTES, LINK_TARGET_BYTES_MAX, PAGE_ENTRIES_MAX, PATH_BYTES_MAX } from "./limits.ts";
import { checkName, checkPath, isOwnFolder, joinPath } from "./relative-path.ts";

/**
 * A page: a run of consecutive entries [P-4].
 *
 *   page   = number first groups *group
 *   group  = directory-path(string) count *entry          ; entries directly in that directory
 *   entry  = kind(u8) name(string) mode mtime extra
 *   mtime  = seconds(signed) nanoseconds
 *   extra  = size            for a file
 *          | size hash(32)   for a file whose content was hashed beforehand (--checksum)
 *          | target(string)  for a symbolic link
 *          | nothing         for a directory
 *
 * All numbers are varints. Entry 0 of page 0 is the root: a directory with an empty name. A directory stands before what
 * is in it. Entries of one directory are sorted by the bytes of their names, in runs when there are very many.
 */
export const ENTRY_KINDS = { file: 1, directory: 2, symlink: 3 } as const;
const HASHED_FILE = 4;
export type EntryKind = keyof typeof ENTRY_KINDS;

export interface Timestamp {
  /** Since 1970, rounded down; negative before. */
  readonly seconds: number;
  /** 0 to 999,999,999. */
  readonly nanoseconds: number;
}

interface EntryBase {
  /** Number of the entry in its session and epoch. */
  readonly entry: number;
  /** Relative path of the directory it is in. */
  readonly directory: Uint8Array;
  readonly name: Uint8Array;
  /** Permission bits, 07777 at most. */
  readonly mode: number;
  readonly mtime: Timestamp;
}
export interface FileEntry extends EntryBase {
  readonly kind: "file";
  readonly size: number;
  /** Content hash [P-5] as the source knew it when it wrote the page; undefined unless it compares by content. */
  readonly hash?: Uint8Array;
}
export interface DirectoryEntry extends EntryBase {
  readonly kind: "directory";
}
export interface SymlinkEntry extends EntryBase {
  readonly kind: "symlink";
  readonly target: Uint8Array;
}
export type Entry = FileEntry | DirectoryEntry | SymlinkEntry;

export interface Page {
  readonly page: number;
  /** Number of the first entry. */
  readonly first: number;
  readonly entries: readonly Entry[];
}

export function entryPath(entry: Entry): Buffer {
  return joinPath(entry.directory, entry.name);
}

/** The path as people see it; the root is `.`. */
export function entryDisplay(entry: Entry): string {
  const path = entryPath(entry);
  return path.length === 0 ? "." : escapeName(path);
}

export function encodePage(page: Page): Buffer {
  const groups: Entry[][] = [];
  for (const entry of page.entries) {
    const last = groups.at(-1);
    if (last?.[0] !== undefined && Buffer.compare(last[0].directory, entry.directory) === 0) last.push(entry);
    else groups.push([entry]);
  }
  const out = new ByteWriter(4096);
  out.varint(page.page);
  out.varint(page.first);
  out.varint(groups.length);
  for (const group of groups) {
    out.string(group[0]?.directory ?? Buffer.alloc(0));
    out.varint(group.length);
    for (const entry of group) encodeEntry(out, entry);
  }
  return Buffer.from(out.view());
}

/** Upper bound of what `entry` adds to an encoded page, so that a page can be cut before it is too large. */
export function entryBytesBound(entry: Entry): number {
  const hash = entry.kind === "file" && entry.hash !== undefined ? HASH_BYTES : 0;
  const extra = hash + (entry.kind === "symlink" ? entry.target.length + 2 : 8);
  return 1 + 2 + entry.name.length + 2 + 8 + 5 + extra + (2 + entry.directory.length + 2);
}

function encodeEntry(out: ByteWriter, entry: Entry): void {
  const hash = entry.kind === "file" ? entry.hash : undefined;
  out.u8(hash === undefined ? ENTRY_KINDS[entry.kind] : HASHED_FILE);
  out.string(entry.name);
  out.varint(entry.mode);
  encodeTimestamp(out, entry.mtime);
  if (entry.kind === "file") {
    out.varint(entry.size);
    if (hash !== undefined) out.raw(hash);
  }
  if (entry.kind === "symlink") out.string(entry.target);
}

export function encodeTimestamp(out: ByteWriter, time: Timestamp): void {
  out.signed(time.seconds);
  out.varint(time.nanoseconds);
}

export function decodeTimestamp(bytes: ByteReader): Timestamp {
  const seconds = bytes.signed();
  const nanoseconds = bytes.varint();
  if (nanoseconds > 999_999_999) throw damaged(`holds a time with ${nanoseconds} nanoseconds`);
  return { seconds, nanoseconds };
}

/** @throws FanfoldError `damaged` */
export function decodeMode(bytes: ByteReader): number {
  const mode = bytes.varint();
  if (mode > 0o7777) throw damaged(`holds the mode ${mode.toString(8)}`);
  return mode;
}

/** setuid and setgid would give whoever runs the file the rights of the sink: the owner is not carried. */
export function checkFileMode(mode: number): number {
  if (mode > 0o1777) throw damaged(`holds a file with the mode ${mode.toString(8)}`);
  return mode;
}

/** @throws FanfoldError `damaged`; what it returns holds only names and paths that stay below the root */
export function decodePage(table: Uint8Array): Page {
  const bytes = new ByteReader(table);
  const page = bytes.varint();
  const first = bytes.varint();
  const groupCount = bytes.varint();
  if (groupCount > PAGE_ENTRIES_MAX) throw damaged(`announces ${groupCount} directories in one page`);
  const entries: Entry[] = [];
  for (let group = 0; group < groupCount; group += 1) {
    const directory = bytes.string(PATH_BYTES_MAX);
    checkPath(directory);
    const count = bytes.varint();
    if (entries.length + count > PAGE_ENTRIES_MAX)
      throw damaged(`announces more than ${PAGE_ENTRIES_MAX} entries in one page`);
    for (let index = 0; index < count; index += 1) entries.push(decodeEntry(bytes, first + entries.length, directory));
  }
  bytes.end();
  return { page, first, entries };
}

function decodeEntry(bytes: ByteReader, entry: number, directory: Uint8Array): Entry {
  const kind = bytes.u8();
  const name = bytes.string(PATH_BYTES_MAX);
  const mode = decodeMode(bytes);
  const base = { entry, directory, name, mode, mtime: decodeTimestamp(bytes) };
  const isRoot = entry === 0;
  if (isRoot !== (name.length === 0) || (isRoot && (directory.length > 0 || kind !== ENTRY_KINDS.directory))) {
    throw damaged("names the root in another place than entry 0");
  }
  if (!isRoot) {
    checkName(name);
    if (directory.length === 0 && isOwnFolder(name)) throw damaged("names fanfold's own folder");
    if (directory.length + 1 + name.length > PATH_BYTES_MAX) throw damaged("holds a path that is too long");
  }
  switch (kind) {
    case ENTRY_KINDS.directory:
      return { ...base, kind: "directory" };
    case ENTRY_KINDS.file:
      return { ...base, mode: checkFileMode(mode), kind: "file", size: bytes.varint() };
    case HASHED_FILE:
      return {
        ...base,
        mode: checkFileMode(mode),
        kind: "file",
        size: bytes.varint(),
        hash: Buffer.from(bytes.raw(HASH_BYTES)),
      };
    case ENTRY_KINDS.symlink:
      return { ...base, kind: "symlink", target: decodeTarget(bytes) };
    default:
      throw damaged(`holds an entry of the unknown kind ${kind}`);
  }
}

function decodeTarget(bytes: ByteReader): Uint8Array {
  const target = bytes.string(LINK_TARGET_BYTES_MAX);
  if (target.length === 0 || target.includes(0)) throw damaged("holds a link target that is empty or has a NUL byte");
  return target;
}

import { escapeName } from "../../lib/escape-name.ts";
import { HASH_BYTES, LINK_TARGET_BYTES_MAX, PAGE_ENTRIES_MAX, PATH_BYTES_MAX } from "../limits.ts";
import { checkPath, joinPath } from "../names/relative-path.ts";
import type { Attribute } from "./attribute-names.ts";
import { ByteReader, ByteWriter, damaged } from "./bytes.ts";
import { deviceFault, modeFault, placeFault, targetFault } from "./field-faults.ts";
import { decodeFile, encodeFile, type FileExtra } from "./page-file.ts";
import { type DecodedTables, decodeTables, type Owner, PageTables, rowOf } from "./page-tables.ts";
import { decodeTimestamp, encodeTimestamp, type Timestamp } from "./timestamp.ts";

/**
 * A page: a run of consecutive entries [P-4].
 *
 *   page   = number first keeps(u8) tables groups *group         ; tables: owners and attributes (page-tables.ts)
 *   group  = directory-path(string) count *entry                 ; entries directly in that directory
 *   entry  = kind(u8) name(string) mode mtime owner set extra    ; owner, set: rows of the tables
 *   mtime  = seconds(signed) nanoseconds
 *   extra  = size flags(u8) [room] [hash(32)]    for a file; flags: 1 its hash follows (--checksum), 2 it has holes, room follows
 *          | target(string)                for a symbolic link
 *          | to                            for a hard link: the number of the file, link, FIFO or device that it is another name of
 *          | type(u8) major minor          for a device; type: 1 character, 2 block
 *          | nothing                       for a directory, a FIFO
 *
 * All numbers are varints. Entry 0 of page 0 is the root: a directory with an empty name. A directory stands before what
 * is in it. Entries of one directory are sorted by the bytes of their names, in runs when there are very many.
 */
const ENTRY_KINDS = { file: 1, directory: 2, symlink: 3, hardlink: 4, fifo: 5, device: 6 } as const;
export type EntryKind = keyof typeof ENTRY_KINDS;
const KEEPS_PERMS = 1;
const KEEPS_TIMES = 2;
const CHARACTER = 1;
const BLOCK = 2;

interface EntryBase {
  /** Number of the entry in its session and epoch. */
  readonly entry: number;
  /** Relative path of the directory it is in. */
  readonly directory: Uint8Array;
  readonly name: Uint8Array;
  /** Permission bits, 07777 at most. */
  readonly mode: number;
  readonly mtime: Timestamp;
  /** Undefined: it is not told, and whoever makes the entry owns it. */
  readonly owner?: Owner | undefined;
  /** All extended attributes, sorted by name; undefined: they are not known, and stay as they are. */
  readonly attributes?: readonly Attribute[] | undefined;
}
export interface FileEntry extends EntryBase, FileExtra {
  readonly kind: "file";
}
interface DirectoryEntry extends EntryBase {
  readonly kind: "directory";
}
export interface SymlinkEntry extends EntryBase {
  readonly kind: "symlink";
  readonly target: Uint8Array;
}
/** Another name of a file, link, FIFO or device that came before. */
export interface HardLinkEntry extends EntryBase {
  readonly kind: "hardlink";
  /** Number of that entry. */
  readonly to: number;
}
export interface FifoEntry extends EntryBase {
  readonly kind: "fifo";
}
export interface DeviceEntry extends EntryBase {
  readonly kind: "device";
  readonly character: boolean;
  readonly major: number;
  readonly minor: number;
}
export type Entry = FileEntry | DirectoryEntry | SymlinkEntry | HardLinkEntry | FifoEntry | DeviceEntry;

/** What of the metadata a sink is to apply; where not, it does as for files that it makes itself. */
export interface Keeps {
  readonly perms: boolean;
  readonly times: boolean;
}
export const KEEPS_ALL: Keeps = { perms: true, times: true };

export interface Page {
  readonly page: number;
  /** Number of the first entry. */
  readonly first: number;
  readonly keeps: Keeps;
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
  const tables = new PageTables();
  const rows = new Map<Entry, readonly [owner: number, set: number]>();
  for (const entry of page.entries) {
    rows.set(entry, tables.add(entry));
    const last = groups.at(-1);
    if (last?.[0] !== undefined && Buffer.compare(last[0].directory, entry.directory) === 0) last.push(entry);
    else groups.push([entry]);
  }
  const out = new ByteWriter(4096);
  out.varint(page.page);
  out.varint(page.first);
  out.u8((page.keeps.perms ? KEEPS_PERMS : 0) | (page.keeps.times ? KEEPS_TIMES : 0));
  tables.encode(out);
  out.varint(groups.length);
  for (const group of groups) {
    out.string(group[0]?.directory ?? Buffer.alloc(0));
    out.varint(group.length);
    for (const entry of group) encodeEntry(out, entry, rows.get(entry) ?? [0, 0]);
  }
  return Buffer.from(out.view());
}

/** Upper bound of what a page takes besides its entries and the rows of its tables. */
export const PAGE_HEAD_BYTES = 48;

/** Upper bound of what `entry` adds to an encoded page, without its tables. By it a page ends before it is too large. */
export function entryBytesBound(entry: Entry): number {
  const hash = entry.kind === "file" && entry.hash !== undefined ? HASH_BYTES : 0;
  const extra = hash + (entry.kind === "symlink" ? entry.target.length + 2 : 17);
  return 1 + 2 + entry.name.length + 2 + 8 + 5 + 2 + 2 + extra + (2 + entry.directory.length + 2);
}

function encodeEntry(out: ByteWriter, entry: Entry, [owner, set]: readonly [number, number]): void {
  out.u8(ENTRY_KINDS[entry.kind]);
  out.string(entry.name);
  out.varint(entry.mode);
  encodeTimestamp(out, entry.mtime);
  out.varint(owner);
  out.varint(set);
  switch (entry.kind) {
    case "file":
      encodeFile(out, entry);
      return;
    case "symlink":
      out.string(entry.target);
      return;
    case "hardlink":
      out.varint(entry.to);
      return;
    case "device":
      out.u8(entry.character ? CHARACTER : BLOCK);
      out.varint(entry.major);
      out.varint(entry.minor);
      return;
    case "directory":
    case "fifo":
      return;
    default:
      entry satisfies never;
  }
}

/** @throws FanfoldError `damaged` */
export function decodeMode(bytes: ByteReader): number {
  const mode = bytes.varint();
  const fault = modeFault(mode);
  if (fault !== undefined) throw damaged(fault);
  return mode;
}

/** @throws FanfoldError `damaged`; what it returns holds only names and paths that stay below the root */
export function decodePage(table: Uint8Array): Page {
  const bytes = new ByteReader(table);
  const page = bytes.varint();
  const first = bytes.varint();
  const keeps = decodeKeeps(bytes.u8());
  const tables = decodeTables(bytes);
  const groupCount = bytes.varint();
  if (groupCount > PAGE_ENTRIES_MAX) throw damaged(`announces ${groupCount} directories in one page`);
  const entries: Entry[] = [];
  for (let group = 0; group < groupCount; group += 1) {
    const directory = bytes.string(PATH_BYTES_MAX);
    checkPath(directory);
    const count = bytes.varint();
    if (entries.length + count > PAGE_ENTRIES_MAX)
      throw damaged(`announces more than ${PAGE_ENTRIES_MAX} entries in one page`);
    for (let index = 0; index < count; index += 1)
      entries.push(decodeEntry(bytes, { entry: first + entries.length, directory, tables }));
  }
  bytes.end();
  return { page, first, keeps, entries };
}

function decodeKeeps(bits: number): Keeps {
  if (bits > (KEEPS_PERMS | KEEPS_TIMES)) throw damaged(`keeps ${bits} of the metadata`);
  return { perms: (bits & KEEPS_PERMS) !== 0, times: (bits & KEEPS_TIMES) !== 0 };
}

interface DecodedPlace {
  readonly entry: number;
  readonly directory: Uint8Array;
  readonly tables: DecodedTables;
}

function decodeEntry(bytes: ByteReader, { entry, directory, tables }: DecodedPlace): Entry {
  const kind = bytes.u8();
  const name = bytes.string(PATH_BYTES_MAX);
  const mode = decodeMode(bytes);
  const mtime = decodeTimestamp(bytes);
  const owner = rowOf(tables.owners, bytes.varint(), "owner");
  const attributes = rowOf(tables.sets, bytes.varint(), "set of attributes");
  const isRoot = entry === 0;
  if (isRoot !== (name.length === 0) || (isRoot && (directory.length > 0 || kind !== ENTRY_KINDS.directory))) {
    throw damaged("names the root in another place than entry 0");
  }
  const fault = isRoot ? undefined : placeFault({ directory, name });
  if (fault !== undefined) throw damaged(fault);
  if (kind === ENTRY_KINDS.file) {
    // Written out, as nearly all entries are files: copies of copies cost more than the rest of a page.
    const { size, roomBytes, hash } = decodeFile(bytes);
    const file: FileEntry = { kind: "file", entry, directory, name, mode, mtime, owner, attributes, size, roomBytes };
    return hash === undefined ? file : { ...file, hash };
  }
  const base = { entry, directory, name, mode, mtime, owner, attributes };
  switch (kind) {
    case ENTRY_KINDS.directory:
      return { ...base, kind: "directory" };
    case ENTRY_KINDS.symlink:
      return { ...base, kind: "symlink", target: decodeTarget(bytes) };
    case ENTRY_KINDS.hardlink:
      return { ...base, kind: "hardlink", to: decodeLinked(bytes, entry) };
    case ENTRY_KINDS.fifo:
      return { ...base, kind: "fifo" };
    case ENTRY_KINDS.device:
      return { ...base, kind: "device", ...decodeDevice(bytes) };
    default:
      throw damaged(`holds an entry of the unknown kind ${kind}`);
  }
}

/** That it is not a directory, and no other hard link, is for whoever has the pages to say. */
function decodeLinked(bytes: ByteReader, entry: number): number {
  const to = bytes.varint();
  if (to >= entry) throw damaged(`holds a hard link to entry ${to}, which does not come before entry ${entry}`);
  return to;
}

function decodeDevice(bytes: ByteReader): Pick<DeviceEntry, "character" | "major" | "minor"> {
  const [type, major, minor] = [bytes.u8(), bytes.varint(), bytes.varint()];
  if (type !== CHARACTER && type !== BLOCK) throw damaged(`holds a device of the unknown type ${type}`);
  const fault = deviceFault({ major, minor });
  if (fault !== undefined) throw damaged(fault);
  return { character: type === CHARACTER, major, minor };
}

function decodeTarget(bytes: ByteReader): Uint8Array {
  const target = bytes.string(LINK_TARGET_BYTES_MAX);
  const fault = targetFault(target);
  if (fault !== undefined) throw damaged(fault);
  return target;
}

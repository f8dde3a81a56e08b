import { escapeName } from "../../lib/escape-name.ts";
import { HASH_BYTES, PAGE_BYTES_MAX } from "../limits.ts";
import { joinPath } from "../names/relative-path.ts";
import type { Attribute } from "./attribute-names.ts";
import { type ByteReader, ByteWriter, damaged } from "./bytes.ts";
import { modeFault } from "./field-faults.ts";
import { encodeFile, type FileExtra } from "./page-file.ts";
import { type Owner, PageTables } from "./page-tables.ts";
import type { PlainFile } from "./plain-file.ts";
import { encodeTimestamp, type Timestamp } from "./timestamp.ts";

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
 *
 * `PageWriter` writes it, page-rows.ts reads it.
 */
export const ENTRY_KINDS = { file: 1, directory: 2, symlink: 3, hardlink: 4, fifo: 5, device: 6 } as const;
export type EntryKind = keyof typeof ENTRY_KINDS;
const KEEPS_PERMS = 1;
const KEEPS_TIMES = 2;
export const CHARACTER = 1;
const BLOCK = 2;

export function isDeviceType(type: number): boolean {
  return type === CHARACTER || type === BLOCK;
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

/** Encodes the entries of a page one by one, in its order; what each is numbered follows from the first one's number. */
export class PageWriter {
  #tables = new PageTables();
  /** Groups that are complete, and the entries of the one that is not. */
  readonly #groups = new ByteWriter(PAGE_BYTES_MAX);
  readonly #entries = new ByteWriter(PAGE_BYTES_MAX);
  #directory: Uint8Array = NOWHERE;
  #groupCount = 0;
  #entryCount = 0;

  /** Upper bound of the bytes by which `entry` makes the page longer. */
  growth(entry: Entry): number {
    const hash = entry.kind === "file" && entry.hash !== undefined ? HASH_BYTES : 0;
    const extra = hash + (entry.kind === "symlink" ? entry.target.length + 2 : 17);
    return entryBytesBound(entry, entry.name.length) + extra + this.#tables.growth(entry);
  }

  growthPlain(file: PlainFile): number {
    return entryBytesBound(file, file.nameBytes) + 17 + this.#tables.growth(file);
  }

  add(entry: Entry): void {
    this.#enter(entry.directory);
    const [owner, set] = [this.#tables.owner(entry.owner), this.#tables.set(entry.attributes)];
    encodeEntry(this.#entries, entry, owner, set);
    this.#entryCount += 1;
  }

  /** The same as for the `FileEntry` that it stands for. */
  addPlain(file: PlainFile): void {
    this.#enter(file.directory);
    const out = this.#entries;
    out.u8(ENTRY_KINDS.file);
    out.varint(file.nameBytes);
    out.part(file.name, 0, file.nameBytes);
    out.varint(file.mode);
    out.signed(file.mtimeSeconds);
    out.varint(file.mtimeNanoseconds);
    out.varint(this.#tables.owner(file.owner));
    out.varint(this.#tables.set(file.attributes));
    encodeFile(out, file);
    this.#entryCount += 1;
  }

  /** The page of all of them; the writer starts anew. */
  take({ page, first, keeps }: Omit<Page, "entries">): Buffer {
    if (this.#entryCount > 0) this.#endGroup();
    const out = new ByteWriter(this.#groups.length + 4096);
    out.varint(page);
    out.varint(first);
    out.u8((keeps.perms ? KEEPS_PERMS : 0) | (keeps.times ? KEEPS_TIMES : 0));
    this.#tables.encode(out);
    out.varint(this.#groupCount);
    out.raw(this.#groups.view());
    this.#tables = new PageTables();
    this.#groups.truncate(0);
    this.#groupCount = 0;
    return Buffer.from(out.view());
  }

  #enter(directory: Uint8Array): void {
    if (directory === this.#directory) return;
    if (this.#entryCount > 0 && Buffer.compare(directory, this.#directory) !== 0) this.#endGroup();
    this.#directory = directory;
  }

  #endGroup(): void {
    this.#groups.string(this.#directory);
    this.#groups.varint(this.#entryCount);
    this.#groups.raw(this.#entries.view());
    this.#entries.truncate(0);
    this.#entryCount = 0;
    this.#groupCount += 1;
  }
}

const NOWHERE = new Uint8Array(0);

/** Upper bound of what a page takes besides its entries and the rows of its tables. */
export const PAGE_HEAD_BYTES = 48;

/** The same without its tables and what its kind alone has. By it a page ends before it is too large. */
function entryBytesBound({ directory }: Pick<Entry, "directory">, nameBytes: number): number {
  return 1 + 2 + nameBytes + 2 + 8 + 5 + 2 + 2 + (2 + directory.length + 2);
}

function encodeEntry(out: ByteWriter, entry: Entry, owner: number, set: number): void {
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

/** @throws FanfoldError `damaged` */
export function decodeKeeps(bits: number): Keeps {
  if (bits > (KEEPS_PERMS | KEEPS_TIMES)) throw damaged(`keeps ${bits} of the metadata`);
  return { perms: (bits & KEEPS_PERMS) !== 0, times: (bits & KEEPS_TIMES) !== 0 };
}

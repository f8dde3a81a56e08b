import { FanfoldError } from "../../lib/errors.ts";
import { HASH_BYTES, PAGE_ENTRIES_MAX, PATH_BYTES_MAX } from "../limits.ts";
import { checkPath, joinPath } from "../names/relative-path.ts";
import type { Attribute } from "./attribute-names.ts";
import { ByteReader, damaged } from "./bytes.ts";
import { placedFault } from "./field-faults.ts";
import {
  decodeKeeps,
  decodeMode,
  ENTRY_KINDS,
  type Entry,
  type EntryKind,
  type FileEntry,
  type Keeps,
  type Page,
} from "./page.ts";
import { NO_ROOM, PageColumns } from "./page-columns.ts";
import { decodeDevice, decodeLinked, decodeTarget } from "./page-extras.ts";
import { decodeFile } from "./page-file.ts";
import { type DecodedTables, decodeTables, type Owner, rowOf } from "./page-tables.ts";
import { decodeTimestamp } from "./timestamp.ts";

/** Least bytes of an entry: bounds the rows that are made for a table. */
const ENTRY_BYTES_MIN = 7;

/** What a page is made of, beside its rows. */
interface PageParts extends Pick<Page, "page" | "first" | "keeps"> {
  readonly table: Buffer;
  readonly tables: DecodedTables;
  readonly directories: readonly Uint8Array[];
  readonly columns: PageColumns;
  readonly count: number;
}

/**
 * A page that was checked as a whole, and whose entries are rows of numbers. An entry becomes an object when it is asked
 * for. All names are views of the table, which must stay as it is.
 */
export class PageRows {
  readonly page: number;
  /** Number of the first entry. */
  readonly first: number;
  readonly keeps: Keeps;
  /** Entries in it. */
  readonly count: number;
  /** The page as it came. */
  readonly table: Buffer;
  readonly #tables: DecodedTables;
  readonly #directories: readonly Uint8Array[];
  readonly #columns: PageColumns;

  constructor({ page, first, keeps, table, tables, directories, columns, count }: PageParts) {
    this.page = page;
    this.first = first;
    this.keeps = keeps;
    this.count = count;
    this.table = table;
    this.#tables = tables;
    this.#directories = directories;
    this.#columns = columns;
  }

  /** One of ENTRY_KINDS. */
  kind(index: number): number {
    return this.#columns.kinds[index] ?? 0;
  }

  isFile(index: number): boolean {
    return this.#columns.kinds[index] === ENTRY_KINDS.file;
  }

  /** Which run of entries of one directory it is in: these have the same directory, and others may. */
  group(index: number): number {
    return this.#columns.groups[index] ?? 0;
  }

  /** The same object for all entries of a group. */
  directory(index: number): Uint8Array {
    return this.#directories[this.group(index)] ?? NOWHERE;
  }

  nameStart(index: number): number {
    return this.#columns.nameStarts[index] ?? 0;
  }

  nameEnd(index: number): number {
    return this.nameStart(index) + (this.#columns.nameLengths[index] ?? 0);
  }

  name(index: number): Uint8Array {
    return this.table.subarray(this.nameStart(index), this.nameEnd(index));
  }

  /** Whether its name has only bytes of ASCII. */
  isAscii(index: number): boolean {
    const end = this.nameEnd(index);
    for (let at = this.nameStart(index); at < end; at += 1) if ((this.table[at] ?? 0) >= 0x80) return false;
    return true;
  }

  path(index: number): Buffer {
    return joinPath(this.directory(index), this.name(index));
  }

  mode(index: number): number {
    return this.#columns.modes[index] ?? 0;
  }

  seconds(index: number): number {
    return this.#columns.seconds[index] ?? 0;
  }

  nanoseconds(index: number): number {
    return this.#columns.nanoseconds[index] ?? 0;
  }

  /** The same object for all that have it. */
  owner(index: number): Owner | undefined {
    return this.#tables.owners[(this.#columns.owners[index] ?? 0) - 1];
  }

  /** The same object for all that have them. */
  attributes(index: number): readonly Attribute[] | undefined {
    return this.#tables.sets[(this.#columns.sets[index] ?? 0) - 1];
  }

  /** Of a file. */
  size(index: number): number {
    return this.#columns.sizes[index] ?? 0;
  }

  /** What the content of a file takes: its size, less its holes. */
  room(index: number): number {
    const room = this.#columns.rooms[index] ?? NO_ROOM;
    return room === NO_ROOM ? this.size(index) : room;
  }

  /** Of a file, if its page has it. */
  hash(index: number): Uint8Array | undefined {
    const at = this.#columns.hashes[index] ?? 0;
    return at === 0 ? undefined : this.table.subarray(at, at + HASH_BYTES);
  }

  /** Of a symbolic link. */
  target(index: number): Uint8Array {
    return decodeTarget(this.#extra(index));
  }

  /** Where in the table lies what only its kind has [P-4]. */
  extraStart(index: number): number {
    return this.#columns.extraStarts[index] ?? 0;
  }

  extraEnd(index: number): number {
    return this.#columns.extraEnds[index] ?? 0;
  }

  entry(index: number): Entry {
    const kind = KINDS[this.kind(index)];
    if (kind === undefined || index >= this.count)
      throw new FanfoldError("internal", `cannot look up row ${index} of a page with ${this.count}`);
    const entry = this.first + index;
    const [directory, name, mode] = [this.directory(index), this.name(index), this.mode(index)];
    const mtime = { seconds: this.seconds(index), nanoseconds: this.nanoseconds(index) };
    const [owner, attributes] = [this.owner(index), this.attributes(index)];
    const base = { entry, directory, name, mode, mtime, owner, attributes };
    switch (kind) {
      case "file": {
        const [size, room, hash] = [this.size(index), this.#columns.rooms[index], this.hash(index)];
        const file = { kind, ...base, size, roomBytes: room === NO_ROOM ? undefined : room };
        return hash === undefined ? file : { ...file, hash: Buffer.from(hash) };
      }
      case "directory":
      case "fifo":
        return { ...base, kind };
      case "symlink":
        return { ...base, kind, target: this.target(index) };
      case "hardlink":
        return { ...base, kind, to: decodeLinked(this.#extra(index), entry) };
      case "device":
        return { ...base, kind, ...decodeDevice(this.#extra(index)) };
      default:
        return kind satisfies never;
    }
  }

  /** Undefined for what is no file. */
  file(index: number): FileEntry | undefined {
    const entry = this.isFile(index) ? this.entry(index) : undefined;
    return entry?.kind === "file" ? entry : undefined;
  }

  /** All of them as objects. */
  entries(): Entry[] {
    return Array.from({ length: this.count }, (_, index) => this.entry(index));
  }

  #extra(index: number): ByteReader {
    return new ByteReader(this.table.subarray(this.extraStart(index), this.extraEnd(index)));
  }
}

const NOWHERE = new Uint8Array(0);
const KINDS: readonly (EntryKind | undefined)[] = kindsByNumber();

function kindsByNumber(): (EntryKind | undefined)[] {
  const kinds: (EntryKind | undefined)[] = [];
  for (const [kind, number] of Object.entries(ENTRY_KINDS)) kinds[number] = kind as EntryKind;
  return kinds;
}

/**
 * Checks a table, and keeps it: nobody may change it any more.
 *
 * @throws FanfoldError `damaged`; what it returns holds only names and paths that stay below the root
 */
export function readRows(table: Uint8Array): PageRows {
  const bytes = new ByteReader(table);
  const page = bytes.varint();
  const first = bytes.varint();
  const keeps = decodeKeeps(bytes.u8());
  const tables = decodeTables(bytes);
  const groupCount = bytes.varint();
  if (groupCount > PAGE_ENTRIES_MAX) throw damaged(`announces ${groupCount} directories in one page`);
  const columns = new PageColumns(Math.min(PAGE_ENTRIES_MAX, Math.floor(bytes.left / ENTRY_BYTES_MIN)));
  const reader = new RowReader({ table, bytes, columns, tables, first });
  const directories: Uint8Array[] = [];
  for (let group = 0; group < groupCount; group += 1) {
    const directory = bytes.string(PATH_BYTES_MAX);
    checkPath(directory);
    directories.push(directory);
    const count = bytes.varint();
    if (reader.count + count > PAGE_ENTRIES_MAX)
      throw damaged(`announces more than ${PAGE_ENTRIES_MAX} entries in one page`);
    for (let index = 0; index < count; index += 1) reader.next(group, directory.length);
  }
  bytes.end();
  const kept = Buffer.from(table.buffer, table.byteOffset, table.byteLength);
  return new PageRows({ page, first, keeps, table: kept, tables, directories, columns, count: reader.count });
}

/** A page as objects. @throws FanfoldError `damaged` */
export function decodePage(table: Uint8Array): Page {
  const rows = readRows(table);
  const { page, first, keeps } = rows;
  return { page, first, keeps, entries: rows.entries() };
}

interface RowSource {
  readonly table: Uint8Array;
  readonly bytes: ByteReader;
  readonly columns: PageColumns;
  readonly tables: DecodedTables;
  readonly first: number;
}

/** Puts one entry after the other into the columns. */
class RowReader {
  readonly #from: RowSource;
  count = 0;

  constructor(from: RowSource) {
    this.#from = from;
  }

  next(group: number, directoryBytes: number): void {
    const { bytes, columns, tables } = this.#from;
    const row = this.count;
    const kind = bytes.u8();
    const nameBytes = bytes.passString(PATH_BYTES_MAX);
    const nameStart = bytes.at - nameBytes;
    columns.modes[row] = decodeMode(bytes);
    const { seconds, nanoseconds } = decodeTimestamp(bytes);
    const owner = bytes.varint();
    rowOf(tables.owners, owner, "owner");
    const set = bytes.varint();
    rowOf(tables.sets, set, "set of attributes");
    this.#checkPlace(kind, nameStart, { nameBytes, directoryBytes });
    columns.kinds[row] = kind;
    columns.groups[row] = group;
    columns.nameStarts[row] = nameStart;
    columns.nameLengths[row] = nameBytes;
    columns.seconds[row] = seconds;
    columns.nanoseconds[row] = nanoseconds;
    columns.owners[row] = owner;
    columns.sets[row] = set;
    columns.extraStarts[row] = bytes.at;
    this.#passExtra(kind);
    columns.extraEnds[row] = bytes.at;
    this.count += 1;
  }

  #checkPlace(
    kind: number,
    nameStart: number,
    { nameBytes, directoryBytes }: { readonly nameBytes: number; readonly directoryBytes: number },
  ): void {
    const { table, first } = this.#from;
    const isRoot = first + this.count === 0;
    if (isRoot !== (nameBytes === 0) || (isRoot && (directoryBytes > 0 || kind !== ENTRY_KINDS.directory)))
      throw damaged("names the root in another place than entry 0");
    if (isRoot) return;
    const fault = placedFault(table, { nameStart, nameEnd: nameStart + nameBytes, directoryBytes });
    if (fault !== undefined) throw damaged(fault);
  }

  #passExtra(kind: number): void {
    const { bytes, first } = this.#from;
    switch (kind) {
      case ENTRY_KINDS.file:
        this.#passFile();
        return;
      case ENTRY_KINDS.directory:
      case ENTRY_KINDS.fifo:
        return;
      case ENTRY_KINDS.symlink:
        decodeTarget(bytes);
        return;
      case ENTRY_KINDS.hardlink:
        decodeLinked(bytes, first + this.count);
        return;
      case ENTRY_KINDS.device:
        decodeDevice(bytes);
        return;
      default:
        throw damaged(`holds an entry of the unknown kind ${kind}`);
    }
  }

  #passFile(): void {
    const { bytes, columns } = this.#from;
    const { size, roomBytes, hash } = decodeFile(bytes);
    columns.sizes[this.count] = size;
    columns.rooms[this.count] = roomBytes ?? NO_ROOM;
    columns.hashes[this.count] = hash === undefined ? 0 : bytes.at - HASH_BYTES;
  }
}

import { setBit } from "../../lib/bits.ts";
import { joined } from "../../lib/disk/directories.ts";
import { readFully } from "../../lib/disk/read-fully.ts";
import type { FileEntry } from "../../protocol/frame/page.ts";
import type { PageRows } from "../../protocol/frame/page-rows.ts";
import { stateKind, UNCHANGED, unchangedHash } from "../../protocol/frame/trailer.ts";
import { hashChunk } from "../../protocol/hash/content-hash.ts";
import { DELTA_FILE_BYTES_MIN, PIECE_HASH_BYTES } from "../../protocol/limits.ts";
import { KEPT_DIFFERS, readable } from "../disk/entry-problem.ts";
import { TELL_BYTES, writeFully } from "../disk/read-content.ts";
import { type OpenFile, openRegular } from "../disk/regular-file.ts";
import type { Root } from "../disk/root.ts";
import type { Basis } from "../disk/root-options.ts";
import type { FreeSpace } from "../engine/free-space.ts";
import { type ManifestPage, manifestStateOf } from "../manifest/manifest.ts";
import { ManifestReader } from "../manifest/manifest-reader.ts";
import { type PartialFile, partialName } from "../own/partial-files.ts";
import type { WantMessage } from "../wants/page-wants.ts";
import { ContentTable, type FileLook, type FileOfTable } from "./content-table.ts";

/** The manifest is read when the small files that are wanted have so much more than a part of its bytes. */
const MANIFEST_PART = 16;
/** Files that are offered and have not come. Each takes half a KiB of memory. */
const OFFERS_MAX = 2 ** 15;
/** So many bytes of files that are replaced may have to stand twice; and so many stay free beside them. */
const TWICE_BYTES_MAX = 64 * 1024 * 1024;
/** After so many files that were looked at it is said that the silence has a reason: a slow disk seeks each. */
const TELL_FILES = 32;

interface SameContentOptions {
  readonly root: Root;
  /** The newest snapshot, where there are some. */
  readonly basis: Basis | undefined;
  readonly space: FreeSpace;
  /** Called now and then while much is read. */
  readonly onBusy: () => void;
}

/** A wanted file by its index in the page. */
interface Sought {
  readonly index: number;
  /** Nothing stands under its name. */
  readonly isNew: boolean;
}

type ProvenFile = Pick<FileEntry, "name" | "size" | "mtime"> & { readonly hash: Uint8Array };

/** A wanted file, whose hash the source was told. */
interface SameOffer {
  readonly page: number;
  readonly directory: Uint8Array;
  readonly partial: string;
  /** What it can be made of. */
  readonly from: FileOfTable;
  /** What may stand twice for its sake. */
  readonly twiceBytes: number;
  /** Its content is in its partial file: what it was made of is not there any more. */
  isMade: boolean;
}

/**
 * Small files that are wanted, and that the last copy has put here under other names [P-17]. The manifest says which look the
 * same. Such a file is read, and the source is told its hash. When it has the same content, nothing of it is sent, and the
 * file is made when its close mark comes. When this copy replaces what it is made of before that, it is made by then. Part
 * of the door to the disk (D11).
 */
export class SameContent {
  readonly #options: SameContentOptions;
  /** Of the manifest; undefined when there is none. */
  readonly #manifestBytes: number | undefined;
  #table: ContentTable | undefined;
  #wantedBytes = 0;
  #untoldBytes = 0;
  #untoldFiles = 0;
  readonly #offers = new Map<number, SameOffer>();
  /** Their numbers by the path of what they are made of. */
  readonly #users = new Map<string, Set<number>>();
  /** Paths of files that are wanted, and whose own content has not been replaced yet. */
  readonly #replaced = new Set<string>();
  #twiceBytes = 0;

  constructor(options: SameContentOptions) {
    this.#options = options;
    using manifest = opened(options.root);
    this.#manifestBytes = manifest?.bytes;
    if (this.isKnown) options.root.onReplace = (directory, name) => this.#beforeReplaced(directory, name);
  }

  /** Whether anything can be here. */
  get isKnown(): boolean {
    return this.#manifestBytes !== undefined;
  }

  /** Of these files of a page. */
  offer(rows: PageRows, sought: readonly Sought[]): WantMessage["same"] {
    for (const each of sought) this.#note(rows, each);
    const table = this.#tableNow();
    if (table === undefined) return undefined;
    const bits = new Uint8Array(Math.ceil(rows.count / 8));
    const hashes: Buffer[] = [];
    for (const { index, isNew } of sought) {
      if (this.#offers.size >= OFFERS_MAX) break;
      const entry = isSmall(rows.size(index)) ? rows.file(index) : undefined;
      const from = entry && this.#find(table, entry, isNew);
      if (entry === undefined || from === undefined) continue;
      this.#promise({ page: rows.page, entry, from, twiceBytes: this.#twice(from, isNew) });
      setBit(bits, index);
      hashes.push(from.hash);
    }
    if (hashes.length === 0) return undefined;
    return { bits: Buffer.from(bits).toString("base64"), hashes: Buffer.concat(hashes).toString("base64") };
  }

  /**
   * The first bytes of a file that was offered, when content comes from there on, or none. Undefined when it was not, or
   * when they are in its partial file. It is not offered any more.
   *
   * @throws Error when somebody has changed what it was to be made of
   */
  take(entry: number, bytes: number): Buffer | undefined {
    const offer = this.#offers.get(entry);
    if (offer === undefined) return undefined;
    const isServed = bytes > 0 && bytes <= offer.from.size;
    this.#end(entry, offer);
    if (offer.isMade && !isServed) this.#discard(offer);
    if (offer.isMade || !isServed) return undefined;
    const content = this.#read(offer.from);
    if (content === undefined) throw Object.assign(new Error("what was here of it differs"), { code: KEPT_DIFFERS });
    return content.subarray(0, bytes);
  }

  #note(rows: PageRows, { index, isNew }: Sought): void {
    const size = rows.size(index);
    if (isSmall(size)) this.#wantedBytes += size;
    if (isNew || this.#replaced.size >= OFFERS_MAX) return;
    this.#replaced.add(pathOf({ directory: rows.directory(index), name: rows.name(index) }));
  }

  #promise({
    page,
    entry,
    from,
    twiceBytes,
  }: Pick<SameOffer, "page" | "from" | "twiceBytes"> & { entry: FileEntry }): void {
    const { directory } = entry;
    this.#offers.set(entry.entry, { page, directory, partial: partialName(entry), from, twiceBytes, isMade: false });
    this.#twiceBytes += twiceBytes;
    const path = pathOf(from);
    const users = this.#users.get(path) ?? new Set();
    this.#users.set(path, users.add(entry.entry));
  }

  #end(entry: number, { page, from, twiceBytes, isMade }: SameOffer): void {
    this.#offers.delete(entry);
    this.#twiceBytes -= twiceBytes;
    const path = pathOf(from);
    const users = this.#users.get(path);
    users?.delete(entry);
    if (users?.size === 0) this.#users.delete(path);
    // From here on it counts like any other.
    if (isMade) this.#options.space.need(page, from.size);
  }

  /** What stands under a name is about to go: what is to be made of it is made now. */
  #beforeReplaced(directory: Uint8Array, name: Uint8Array): void {
    if (this.#users.size === 0 && this.#replaced.size === 0) return;
    const path = pathOf({ directory, name });
    this.#replaced.delete(path);
    const users = this.#users.get(path);
    if (users === undefined) return;
    this.#users.delete(path);
    for (const entry of users) {
      const offer = this.#offers.get(entry);
      const bytes = offer && (this.#inBasis(offer.from) === undefined ? this.#read(offer.from) : undefined);
      if (offer !== undefined && bytes !== undefined) this.#make(offer, bytes);
    }
  }

  /** When that fails, it is missed when the close mark comes. */
  #make(offer: SameOffer, bytes: Buffer): void {
    const { partials } = this.#options.root;
    let partial: PartialFile | undefined;
    const isMade = readable(() => {
      partial = partials.create(offer.directory, offer.partial);
      writeFully(partial.fd, bytes, 0);
      return true;
    });
    if (partial !== undefined) partials.close(partial);
    if (isMade === true) {
      partials.keep(offer.partial);
      offer.isMade = true;
      this.#options.space.stored(offer.page, bytes.length);
    } else if (partial !== undefined) this.#discard(offer);
  }

  #discard({ directory, partial }: SameOffer): void {
    readable(() => this.#options.root.partials.forget(directory, partial));
  }

  /**
   * Bytes that may stand twice: those of a file that replaces one, made early because what it is made of is replaced, too.
   * Where nothing stands under its name, its room is counted anyway.
   */
  #twice(from: FileOfTable, isNew: boolean): number {
    if (isNew || this.#options.basis !== undefined) return 0;
    return this.#replaced.size >= OFFERS_MAX || this.#replaced.has(pathOf(from)) ? from.size : 0;
  }

  #mayStandTwice(bytes: number): boolean {
    if (bytes === 0) return true;
    const twiceBytes = this.#twiceBytes + bytes;
    return twiceBytes <= TWICE_BYTES_MAX && twiceBytes + TWICE_BYTES_MAX <= this.#options.space.spareBytes;
  }

  #tell(bytes: number): void {
    this.#untoldBytes += bytes;
    this.#untoldFiles += 1;
    if (this.#untoldBytes < TELL_BYTES && this.#untoldFiles < TELL_FILES) return;
    this.#untoldBytes = 0;
    this.#untoldFiles = 0;
    this.#options.onBusy();
  }

  /** Read when it is worth it. */
  #tableNow(): ContentTable | undefined {
    const bytes = this.#manifestBytes;
    if (this.#table !== undefined || bytes === undefined || this.#wantedBytes * MANIFEST_PART < bytes)
      return this.#table;
    const table = new ContentTable();
    try {
      using manifest = opened(this.#options.root);
      for (const page of manifest?.pages() ?? []) {
        this.#options.onBusy();
        if (!enter(table, page)) break;
      }
    } catch {
      // What cannot be read, or is damaged, is good as far as it goes: each file is read before it serves.
    }
    this.#table = table;
    return table;
  }

  /** One that has the content that its copy had, and may serve. */
  #find(table: ContentTable, entry: FileEntry, isNew: boolean): FileOfTable | undefined {
    const { root } = this.#options;
    if (entry.roomBytes !== undefined) return undefined;
    const isHere = () => root.isFresh(entry.directory) || root.isOnOwnMount(entry.directory);
    for (const file of table.find(traitsOf(entry), isNew)) {
      const isOther = entry.hash !== undefined && !isHash(entry.hash, file.hash);
      if (isOther || isItself(file, entry) || !this.#mayStandTwice(this.#twice(file, isNew))) continue;
      if (this.#read(file) !== undefined) return readable(isHere) === true ? file : undefined;
    }
    return undefined;
  }

  /** All of a file, if its content still is what the manifest says. */
  #read(file: FileOfTable): Buffer | undefined {
    const { root } = this.#options;
    return this.#contentOf(file, () => root.openFile(file.directory, file.name)) ?? this.#inBasis(file);
  }

  #inBasis(file: FileOfTable): Buffer | undefined {
    const { basis } = this.#options;
    if (basis === undefined) return undefined;
    return this.#contentOf(file, () => {
      const found = basis.directory(file.directory);
      return found && openRegular(joined(found, file.name));
    });
  }

  #contentOf({ size, hash }: FileOfTable, open: () => OpenFile | undefined): Buffer | undefined {
    using file = readable(open);
    this.#tell(file?.facts.size === size ? size : 0);
    if (file?.facts.size !== size) return undefined;
    const bytes = Buffer.allocUnsafe(size);
    if (readable(() => readFully(file.fd, bytes, 0)) !== size) return undefined;
    return isHash(hashChunk(bytes).hash, hash) ? bytes : undefined;
  }
}

function opened(root: Root): ManifestReader | undefined {
  try {
    return ManifestReader.open(root);
  } catch {
    return undefined;
  }
}

/** No name holds a NUL. */
function pathOf({ directory, name }: Pick<FileOfTable, "directory" | "name">): string {
  return `${Buffer.from(directory).toString("latin1")}\0${Buffer.from(name).toString("latin1")}`;
}

function isSmall(size: number): boolean {
  return size > 0 && size < DELTA_FILE_BYTES_MIN;
}

/** `beginning` is that of a hash. */
function isHash(hash: Uint8Array, beginning: Uint8Array): boolean {
  return Buffer.compare(hash.subarray(0, PIECE_HASH_BYTES), beginning) === 0;
}

function isItself(file: FileOfTable, { directory, name }: FileEntry): boolean {
  return Buffer.compare(file.name, name) === 0 && Buffer.compare(file.directory, directory) === 0;
}

function traitsOf({ name, size, mtime }: Pick<FileEntry, "name" | "size" | "mtime">): FileLook {
  return { name, size, seconds: mtime.seconds, micros: Math.floor(mtime.nanoseconds / 1000) };
}

/** False when there is no room for more. */
function enter(table: ContentTable, { rows, states }: ManifestPage): boolean {
  let [group, directory] = [-1, Buffer.alloc(0)];
  for (let index = 0; index < rows.count; index += 1) {
    if (!rows.isFile(index)) continue;
    if (rows.group(index) !== group) {
      group = rows.group(index);
      directory = Buffer.from(rows.directory(index));
    }
    const known = knownOf({ rows, states }, index);
    if (known !== undefined && isSmall(known.size) && !table.add(directory, traitsOf(known), known.hash)) return false;
  }
  return true;
}

/** What the last copy has proven of a file. */
function knownOf({ rows, states }: ManifestPage, index: number): ProvenFile | undefined {
  const name = rows.table.subarray(rows.nameStart(index), rows.nameEnd(index));
  if (stateKind(states, index) === UNCHANGED) {
    const mtime = { seconds: rows.seconds(index), nanoseconds: rows.nanoseconds(index) };
    return { name, size: rows.size(index), mtime, hash: unchangedHash(states, index) };
  }
  const state = manifestStateOf(states, index);
  return state.state === "delivered" ? { name, ...state.final } : undefined;
}

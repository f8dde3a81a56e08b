import { setBit } from "../../lib/bits.ts";
import { joined } from "../../lib/disk/directories.ts";
import { readFully } from "../../lib/disk/read-fully.ts";
import type { FileEntry } from "../../protocol/frame/page.ts";
import type { PageRows } from "../../protocol/frame/page-rows.ts";
import { stateKind, UNCHANGED, unchangedHash } from "../../protocol/frame/trailer.ts";
import { hashChunk } from "../../protocol/hash/content-hash.ts";
import { DELTA_FILE_BYTES_MIN, PIECE_HASH_BYTES } from "../../protocol/limits.ts";
import { readable } from "../disk/entry-problem.ts";
import { TELL_BYTES, writeFully } from "../disk/read-content.ts";
import { type OpenFile, openRegular } from "../disk/regular-file.ts";
import type { Root } from "../disk/root.ts";
import type { Basis } from "../disk/root-options.ts";
import { type ManifestPage, manifestStateOf } from "../manifest/manifest.ts";
import { ManifestReader } from "../manifest/manifest-reader.ts";
import { partialName } from "../own/partial-files.ts";
import type { WantMessage } from "../wants/page-wants.ts";
import { ContentTable, type FileLook, type FileOfTable } from "./content-table.ts";

/** The manifest is read when the small files that are wanted have so much more than a part of its bytes. */
const MANIFEST_PART = 16;

interface SameContentOptions {
  readonly root: Root;
  /** The newest snapshot, where there are some. */
  readonly basis: Basis | undefined;
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

/** What is told of a page, and the bytes that stand in partial files now. */
interface SameFiles {
  readonly same: NonNullable<WantMessage["same"]>;
  readonly bytes: number;
}

/**
 * Small files that are wanted, and that the last copy has put here under other names [P-17]. The manifest says which look the
 * same. Such a file is copied at once, before it can be replaced or removed, and the source is told its hash. When it has
 * the same content, nothing of it is sent. Part of the door to the disk (D11).
 */
export class SameContent {
  readonly #options: SameContentOptions;
  /** Of the manifest; undefined when there is none. */
  readonly #manifestBytes: number | undefined;
  #table: ContentTable | undefined;
  #wantedBytes = 0;
  #untoldBytes = 0;

  constructor(options: SameContentOptions) {
    this.#options = options;
    using manifest = opened(options.root);
    this.#manifestBytes = manifest?.bytes;
  }

  /** Whether anything can be here. */
  get isKnown(): boolean {
    return this.#manifestBytes !== undefined;
  }

  /** Of these files of a page. */
  offer(rows: PageRows, sought: readonly Sought[]): SameFiles | undefined {
    for (const { index } of sought) this.#wantedBytes += isSmall(rows.size(index)) ? rows.size(index) : 0;
    const table = this.#tableNow();
    if (table === undefined) return undefined;
    const bits = new Uint8Array(Math.ceil(rows.count / 8));
    const hashes: Buffer[] = [];
    let bytes = 0;
    for (const { index, isNew } of sought) {
      const entry = isSmall(rows.size(index)) ? rows.file(index) : undefined;
      const hash = entry && this.#make(table, entry, isNew);
      if (hash === undefined) continue;
      setBit(bits, index);
      hashes.push(hash);
      bytes += rows.size(index);
      this.#tell(rows.size(index));
    }
    if (hashes.length === 0) return undefined;
    return {
      same: { bits: Buffer.from(bits).toString("base64"), hashes: Buffer.concat(hashes).toString("base64") },
      bytes,
    };
  }

  #tell(bytes: number): void {
    this.#untoldBytes += bytes;
    if (this.#untoldBytes < TELL_BYTES) return;
    this.#untoldBytes = 0;
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

  /** Makes the file without its name, and returns the beginning of its hash. Undefined: there is none like it. */
  #make(table: ContentTable, entry: FileEntry, isNew: boolean): Buffer | undefined {
    const { root } = this.#options;
    if (entry.roomBytes !== undefined) return undefined;
    for (const file of table.find(traitsOf(entry), isNew)) {
      const isOther = entry.hash !== undefined && !isHash(entry.hash, file.hash);
      if (isOther || isItself(file, entry)) continue;
      const bytes = this.#read(file);
      if (bytes === undefined) continue;
      const isMade = readable(() => {
        if (!root.isFresh(entry.directory) && !root.isOnOwnMount(entry.directory)) return false;
        const partial = root.partials.create(entry.directory, partialName(entry));
        try {
          writeFully(partial.fd, bytes, 0);
        } finally {
          root.partials.close(partial);
        }
        root.partials.keep(partialName(entry));
        return true;
      });
      return isMade === true ? file.hash : undefined;
    }
    return undefined;
  }

  /** All of a file, if its content still is what the manifest says. */
  #read({ directory, name, size, hash }: FileOfTable): Buffer | undefined {
    const { root, basis } = this.#options;
    const inBasis = (): OpenFile | undefined => {
      const found = basis?.directory(directory);
      return found && openRegular(joined(found, name));
    };
    using file = readable(() => root.openFile(directory, name)) ?? readable(inBasis);
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

import { readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { makeDirectories } from "../../lib/folder/make-directories.ts";
import { parentOf } from "../../protocol/names/relative-path.ts";
import { type BytesAt, HashRows, HashRowWriter, type RowPlace } from "./hash-rows.ts";

/** About eleven million files. */
const HASH_MEMORY_BYTES_MAX = 1024 * 1024 * 1024;
/** A tree that no source has copied for so long is forgotten. */
const FORGOTTEN_DAYS = 90;
const DAY_MS = 24 * 60 * 60 * 1000;

interface MemoryOptions {
  /** Whether what this run finds out is kept for the next one. */
  readonly keeps: boolean;
  /** Wall clock, in milliseconds since 1970. */
  readonly nowMs: number;
  readonly bytesMax?: number;
}

/**
 * What a source knows of the content of files that it does not read: their hashes, by path, as long as device, inode, size
 * and both times are what they were when they were read. It never trusts a file more than size and time are trusted anyway.
 * Old and new rows are in the order of the walk, and are read and written side by side: memory holds a block of each.
 *
 * It only saves work. Where it cannot be read or written, the files are read.
 */
export class ContentMemory implements Disposable {
  readonly #path: Buffer;
  readonly #old: HashRows | undefined;
  #new: HashRowWriter | undefined;

  private constructor(path: Buffer, old: HashRows | undefined, fresh: HashRowWriter | undefined) {
    this.#path = path;
    this.#old = old;
    this.#new = fresh;
  }

  static open(path: Buffer, { keeps, nowMs, bytesMax = HASH_MEMORY_BYTES_MAX }: MemoryOptions): ContentMemory {
    let fresh: HashRowWriter | undefined;
    if (keeps)
      spared(() => {
        makeDirectories(folderOf(path), 0o700);
        takeOver(path, bytesMax);
        forget(path, nowMs);
        fresh = new HashRowWriter(draftOf(path), bytesMax);
      });
    return new ContentMemory(path, HashRows.open(path), fresh);
  }

  /** The content hash of a file that looks like this. Asked in the order of the walk. */
  find(place: RowPlace, traits: BytesAt): BytesAt | undefined {
    const old = this.#old;
    while (old?.isThere === true) {
      const order = old.compare(place);
      if (order > 0) return undefined;
      const hash = order === 0 && old.looksAs(traits) ? old.hash : undefined;
      old.next();
      if (order === 0) return hash;
    }
    return undefined;
  }

  /** A file that looks like this has this content, and its next change will show. In the order of the walk. */
  keep(place: RowPlace, traits: BytesAt, hash: BytesAt): void {
    try {
      this.#new?.add(place, traits, hash);
    } catch {
      this.#giveUp();
    }
  }

  /** All files of the walk were given: what is kept takes the place of what was known before. */
  commit(): void {
    try {
      this.#new?.flush();
      if (this.#new !== undefined) renameSync(draftOf(this.#path), this.#path);
    } catch {
      this.#giveUp();
    }
    this.#close();
  }

  /** What was kept so far, and not committed, the next run takes over. */
  [Symbol.dispose](): void {
    this.#close();
    this.#old?.[Symbol.dispose]();
  }

  #close(): void {
    this.#new?.[Symbol.dispose]();
    this.#new = undefined;
  }

  #giveUp(): void {
    this.#close();
    spared(() => rmSync(draftOf(this.#path), { force: true }));
  }
}

function draftOf(path: Buffer): Buffer {
  return Buffer.concat([path, Buffer.from(".new")]);
}

function folderOf(path: Buffer): Buffer {
  return Buffer.from(parentOf(path));
}

/** A run that was cut off has kept the beginning of its walk: it is put before the rest of what was known. */
function takeOver(path: Buffer, bytesMax: number): void {
  const draft = draftOf(path);
  using begun = HashRows.open(draft);
  if (begun === undefined) return;
  const merged = Buffer.concat([path, Buffer.from(".merged")]);
  {
    using rows = new HashRowWriter(merged, bytesMax);
    let last: RowPlace | undefined;
    for (; begun.isThere; begun.next()) {
      last = begun.place;
      rows.add(last, begun.traits, begun.hash);
    }
    using old = HashRows.open(path);
    for (; old?.isThere === true; old.next())
      if (last === undefined || old.compare(last) > 0) rows.add(old.place, old.traits, old.hash);
    rows.flush();
  }
  renameSync(merged, path);
  rmSync(draft, { force: true });
}

/** Removes what is known of trees that were not copied for long. */
function forget(path: Buffer, nowMs: number): void {
  const folder = folderOf(path);
  for (const name of readdirSync(folder, { encoding: "buffer" })) {
    const other = Buffer.concat([folder, Buffer.from("/"), name]);
    if (!other.equals(path) && statSync(other).mtimeMs < nowMs - FORGOTTEN_DAYS * DAY_MS)
      rmSync(other, { force: true });
  }
}

function spared(work: () => void): void {
  try {
    work();
  } catch {
    // It only saves work.
  }
}

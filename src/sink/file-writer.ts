import { closeSync, fchmodSync, futimesSync, writeSync } from "node:fs";
import { FanfoldError } from "../lib/errors.ts";
import { type ChunkHash, FileHasher } from "../protocol/content-hash.ts";
import type { ChunkRecord, FileFinal } from "../protocol/data-table.ts";
import { entryDisplay, type FileEntry } from "../protocol/page.ts";
import { fileTime } from "./file-time.ts";
import type { Partial, Root } from "./root.ts";

/** Files that may be open at once: a source reads one after another, and packs at most a few into one frame. */
const FILES_OPEN_MAX = 64;

interface OpenFile {
  readonly entry: FileEntry;
  readonly partial: Partial;
  readonly hasher: FileHasher;
  writtenBytes: number;
}

/**
 * Writes the content of files: each into a partial file, which gets its final name only when its close mark came and all
 * its bytes and its hash agree with it [P-6]. Errors of the system pass through; the caller knows which of them concern one
 * entry and which the whole disk.
 */
export class FileWriter implements Disposable {
  readonly #root: Root;
  readonly #open = new Map<number, OpenFile>();

  constructor(root: Root) {
    this.#root = root;
  }

  /** Writes a chunk whose hash was checked. @throws FanfoldError `damaged` out of order */
  chunk(entry: FileEntry, record: ChunkRecord, hashed: ChunkHash): void {
    const file = this.#open.get(entry.entry) ?? this.#create(entry);
    if (record.offset !== file.writtenBytes) {
      throw new FanfoldError(
        "damaged",
        `Write "${entryDisplay(entry)}": a chunk for byte ${record.offset} came, expected byte ${file.writtenBytes}`,
      );
    }
    writeFully(file.partial.fd, record.bytes, record.offset);
    file.hasher.add(hashed);
    file.writtenBytes += record.bytes.length;
  }

  /** Gives the file its name. @throws FanfoldError `digest-mismatch` when it is not what the close mark says */
  close(entry: FileEntry, final: FileFinal): void {
    const file = this.#open.get(entry.entry) ?? this.#create(entry);
    if (file.writtenBytes !== final.size || !equal(file.hasher.digest(), final.hash)) {
      throw new FanfoldError(
        "digest-mismatch",
        `Close "${entryDisplay(entry)}": ${file.writtenBytes} bytes were stored, and they are not the ${final.size} bytes that were read at the source`,
      );
    }
    const time = fileTime(final.mtime);
    fchmodSync(file.partial.fd, final.mode);
    futimesSync(file.partial.fd, time, time);
    closeSync(file.partial.fd);
    this.#open.delete(entry.entry);
    try {
      this.#root.commit(file.partial, entry.directory, entry.name);
    } catch (thrown) {
      this.#root.discard(file.partial);
      throw thrown;
    }
  }

  /** Forgets what came of a file; what stood under its name before is untouched. */
  discard(entry: number): void {
    const file = this.#open.get(entry);
    if (file === undefined) return;
    this.#open.delete(entry);
    closeSync(file.partial.fd);
    this.#root.discard(file.partial);
  }

  [Symbol.dispose](): void {
    for (const entry of [...this.#open.keys()]) this.discard(entry);
  }

  #create(entry: FileEntry): OpenFile {
    if (this.#open.size >= FILES_OPEN_MAX)
      throw new FanfoldError(
        "damaged",
        `Write "${entryDisplay(entry)}": ${FILES_OPEN_MAX} other files were begun and not closed`,
      );
    const partial = this.#root.createPartial(entry.directory, entry.entry);
    const file = { entry, partial, hasher: new FileHasher(), writtenBytes: 0 };
    this.#open.set(entry.entry, file);
    return file;
  }
}

export function equal(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0;
}

function writeFully(fd: number, bytes: Uint8Array, offset: number): void {
  let done = 0;
  while (done < bytes.length) done += writeSync(fd, bytes, done, bytes.length - done, offset + done);
}

import { type BigIntStats, closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { escapeName } from "../lib/escape-name.ts";
import { FileHasher } from "../protocol/content-hash.ts";
import type { FileFinal } from "../protocol/data-table.ts";
import { pageDigest } from "../protocol/digest.ts";
import { entryPath, type FileEntry, type Page } from "../protocol/page.ts";
import type { Problem } from "../protocol/progress.ts";
import { joinPath } from "../protocol/relative-path.ts";
import { type EntryState, encodeTrailer } from "../protocol/trailer.ts";
import type { BuiltFrame, FrameBuilder } from "./frame-builder.ts";
import { problemOf, REPLACED, timestampOf } from "./walk.ts";

/** What is done once this output is stored: bytes as the pages announced them, and files. */
interface Done {
  readonly doneBytes: number;
  readonly doneFiles: number;
}
export type ReadOutput =
  | ({ readonly type: "frame"; readonly frame: BuiltFrame; readonly current: string } & Done)
  | { readonly type: "file"; readonly path: string; readonly bytes: number }
  | { readonly type: "problem"; readonly problem: Problem }
  | ({
      readonly type: "trailer";
      readonly page: number;
      readonly body: Uint8Array;
      readonly digest: Uint8Array;
    } & Done);

export interface ReadPageOptions {
  readonly root: Buffer;
  readonly builder: FrameBuilder;
  /** Whether some sink wants the entry at this index of the page. */
  readonly isWanted: (index: number) => boolean;
}

/**
 * Reads the files of one page into data frames, then gives its trailer. Synchronous: reading has a thread of its own. A
 * file is delivered only when a second stat, after its last byte, equals the one before its first [P-6].
 */
export function* readPage(page: Page, options: ReadPageOptions): Generator<ReadOutput, void, undefined> {
  const reader = new PageReader(options);
  const states: EntryState[] = [];
  for (const [index, entry] of page.entries.entries()) {
    if (entry.kind !== "file") states.push({ state: "as-listed" });
    else if (!options.isWanted(index)) {
      reader.skip(entry);
      states.push({ state: "not-read" });
    } else states.push(yield* reader.file(entry));
  }
  yield* reader.flush();
  const digest = pageDigest(page, states);
  const body = encodeTrailer({ page: page.page, states, digest });
  yield { type: "trailer", page: page.page, body, digest, ...reader.takeDone() };
}

class PageReader {
  readonly #options: ReadPageOptions;
  readonly #builder: FrameBuilder;
  #current = "";
  #doneBytes = 0;
  #doneFiles = 0;
  /** Of the file being read. */
  #counted = 0;

  constructor(options: ReadPageOptions) {
    this.#options = options;
    this.#builder = options.builder;
  }

  *file(entry: FileEntry): Generator<ReadOutput, EntryState, undefined> {
    const path = entryPath(entry);
    let fd: number | undefined;
    let final: FileFinal | undefined;
    this.#counted = 0;
    try {
      fd = openSync(
        joinPath(this.#options.root, path),
        constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
      );
      final = yield* this.#content(entry, fd);
      if (final !== undefined) yield { type: "file", path: escapeName(path), bytes: final.size };
      else
        yield {
          type: "problem",
          problem: { path: escapeName(path), kind: "changed", message: "changed: it was written to while it was read" },
        };
    } catch (thrown) {
      yield { type: "problem", problem: problemOf(path, thrown) };
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
    yield* this.#close(entry, final);
    return final === undefined ? { state: "withdrawn" } : { state: "delivered", final };
  }

  /** Publishes what is in the frame. */
  *flush(): Generator<ReadOutput, void, undefined> {
    const frame = this.#builder.finish();
    if (frame === undefined) return;
    yield { type: "frame", frame, current: this.#current, ...this.takeDone() };
  }

  /** Nobody wants it: done without being read. */
  skip(entry: FileEntry): void {
    this.#doneBytes += entry.size;
    this.#doneFiles += 1;
  }

  /** What is done since the last call. */
  takeDone(): Done {
    const done = { doneBytes: this.#doneBytes, doneFiles: this.#doneFiles };
    this.#doneBytes = 0;
    this.#doneFiles = 0;
    return done;
  }

  *#content(entry: FileEntry, fd: number): Generator<ReadOutput, FileFinal | undefined, undefined> {
    const before = fstatSync(fd, { bigint: true });
    if (!before.isFile()) throw Object.assign(new Error("something else took its place"), { code: REPLACED });
    const size = Number(before.size);
    this.#current = escapeName(entryPath(entry));
    const hasher = new FileHasher();
    for (let offset = 0; offset < size; ) {
      const length = Math.min(this.#builder.chunkBytes, size - offset);
      if (!this.#builder.fits(length)) yield* this.flush();
      if (readFully(fd, this.#builder.space(length), offset) < length) return undefined;
      // The second stat comes before the last chunk is committed, so that of a small file that changed nothing is sent.
      if (offset + length === size && !isSame(before, fstatSync(fd, { bigint: true }))) return undefined;
      hasher.add(this.#builder.chunk(entry.entry, offset, length));
      offset += length;
      this.#count(entry, offset);
    }
    return finalOf(before, hasher);
  }

  *#close(entry: FileEntry, final: FileFinal | undefined): Generator<ReadOutput, void, undefined> {
    if (!this.#builder.fits(0)) yield* this.flush();
    this.#builder.close(entry.entry, final);
    this.#count(entry, entry.size);
    this.#doneFiles += 1;
  }

  /** Counts up to `bytes` of this file as done, never more than its page announced and never twice. */
  #count(entry: FileEntry, bytes: number): void {
    const capped = Math.min(bytes, entry.size);
    this.#doneBytes += capped - this.#counted;
    this.#counted = capped;
  }
}

function finalOf(stats: BigIntStats, hasher: FileHasher): FileFinal {
  // setuid and setgid mean another owner's rights at a sink, where the owner is not carried: they are cleared.
  return {
    size: Number(stats.size),
    mode: Number(stats.mode) & 0o1777,
    mtime: timestampOf(stats.mtimeNs),
    hash: hasher.digest(),
  };
}

function isSame(before: BigIntStats, after: BigIntStats): boolean {
  return before.size === after.size && before.mtimeNs === after.mtimeNs && before.ctimeNs === after.ctimeNs;
}

/** Fills `space` from `offset`; returns less than its length at the end of the file. */
function readFully(fd: number, space: Buffer, offset: number): number {
  let done = 0;
  while (done < space.length) {
    const count = readSync(fd, space, done, space.length - done, offset + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}

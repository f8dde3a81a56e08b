import { SpillFile } from "../../../src/lib/disk/spill-file.ts";
import { DataTableWriter, type FileFinal } from "../../../src/protocol/frame/data-table.ts";
import {
  buildFrame,
  FRAME_HEADER_BYTES,
  finishFrame,
  STREAM_DATA,
  writeFrameHeader,
} from "../../../src/protocol/frame/frame.ts";
import { encodeEnd, encodeWalked } from "../../../src/protocol/frame/marks.ts";
import { type Entry, KEEPS_ALL, type Page } from "../../../src/protocol/frame/page.ts";
import type { Timestamp } from "../../../src/protocol/frame/timestamp.ts";
import type { EntryState } from "../../../src/protocol/frame/trailer.ts";
import { hashChunk } from "../../../src/protocol/hash/content-hash.ts";
import { TreeDigest } from "../../../src/protocol/hash/tree-digest.ts";
import { encodePage, rowsOf } from "./rows-of.ts";
import { SESSION } from "./source-frames.ts";
import { encodeTrailer, pageDigest, writtenStates } from "./trailers.ts";

export const TIME: Timestamp = { seconds: 1_600_000_000, nanoseconds: 123_456_789 };
const EMPTY = Buffer.alloc(0);

/** An entry by its path; its number is given by the page. */
export function entryOf(
  path: string,
  rest:
    | { kind: "file"; size: number }
    | { kind: "directory" }
    | { kind: "symlink"; target: Buffer }
    | { kind: "hardlink"; to: number }
    | { kind: "fifo" }
    | { kind: "device"; character: boolean; major: number; minor: number },
): Entry {
  const slash = path.lastIndexOf("/");
  const directory = Buffer.from(path.slice(0, Math.max(0, slash)));
  return { entry: 0, directory, name: Buffer.from(path.slice(slash + 1)), mode: 0o755, mtime: TIME, ...rest };
}

export const file = (path: string, size = 0): Entry => entryOf(path, { kind: "file", size });
export const directory = (path: string): Entry => entryOf(path, { kind: "directory" });
export const symlink = (path: string, target: string): Entry =>
  entryOf(path, { kind: "symlink", target: Buffer.from(target) });
export const fifo = (path: string): Entry => entryOf(path, { kind: "fifo" });
export const device = (path: string, major: number, minor: number): Entry =>
  entryOf(path, { kind: "device", character: true, major, minor });
/** Another name of the entry with this number. */
export const hardlink = (path: string, to: number): Entry => entryOf(path, { kind: "hardlink", to });
export const rootEntry: Entry = {
  entry: 0,
  directory: EMPTY,
  name: EMPTY,
  mode: 0o755,
  mtime: TIME,
  kind: "directory",
};

export interface HandChunk {
  readonly entry: number;
  readonly offset?: number;
  readonly bytes: Buffer;
  /** A wrong one, for a source that lies. */
  readonly hash?: Uint8Array;
}
export interface HandClose {
  readonly entry: number;
  readonly final: FileFinal | undefined;
}

export function finalOf(content: Buffer): FileFinal {
  return { size: content.length, mode: 0o644, mtime: TIME, hash: hashChunk(content).hash };
}

/** A source in the hands of a test: makes the frames it is told to, however wrong. */
export class HandSource {
  readonly #trailers: [Page, readonly EntryState[]][] = [];
  #walkedEntries = Number.POSITIVE_INFINITY;
  #pages = 0;
  #entries = 0;

  /** The next page; entries are numbered on. */
  page(entries: readonly Entry[], change: Partial<Page> = {}): { payload: Buffer; page: Page } {
    const first = this.#entries;
    const page = {
      page: this.#pages,
      first,
      keeps: KEEPS_ALL,
      entries: entries.map((entry, index) => ({ ...entry, entry: first + index })),
      ...change,
    };
    this.#pages += 1;
    this.#entries += entries.length;
    return { payload: seal("page", encodePage(page)), page };
  }

  /** The end of the walk, after the pages so far; its totals of files and bytes mean nothing to a sink. */
  walked(): Buffer {
    this.#walkedEntries = this.#entries;
    return seal("walked", encodeWalked({ pages: this.#pages, entries: this.#entries, files: 0, bytes: 0 }));
  }

  trailer(
    page: Page,
    states: readonly EntryState[],
    digest: Uint8Array = pageDigest(encodePage(page), states),
  ): Buffer {
    this.#trailers.push([page, states]);
    return seal("trailer", encodeTrailer({ page: page.page, states, digest }));
  }

  /** Of the tree, by the trailers so far. */
  digest(): Buffer {
    using tree = new TreeDigest(() => SpillFile.open());
    for (const [page, states] of this.#trailers) {
      if (page.first >= this.#walkedEntries) tree.again(rowsOf(page), writtenStates(states));
      else tree.page(rowsOf(page), writtenStates(states));
    }
    return tree.end();
  }

  end(digest: Uint8Array = this.digest()): Buffer {
    return seal("end", encodeEnd({ pages: this.#pages, entries: this.#entries, digest }));
  }
}

export interface HandHole {
  readonly entry: number;
  readonly offset: number;
  readonly length: number;
}

/** Holes come behind the chunks, and before the close marks. */
export function dataFrame(
  chunks: readonly HandChunk[],
  closes: readonly HandClose[] = [],
  holes: readonly HandHole[] = [],
): Buffer {
  const table = new DataTableWriter();
  for (const { entry, offset = 0, bytes, hash = hashChunk(bytes).hash } of chunks)
    table.chunk({ entry, offset, length: bytes.length, hash });
  for (const hole of holes) table.hole(hole);
  for (const { entry, final } of closes) table.close(entry, final);
  const content = Buffer.concat(chunks.map(({ bytes }) => bytes));
  const frame = Buffer.concat([Buffer.alloc(FRAME_HEADER_BYTES), content, table.take()]);
  writeFrameHeader(frame, { type: "data", ...SESSION, stream: STREAM_DATA }, content.length);
  finishFrame(frame, 0);
  return frame;
}

export const AS_LISTED: EntryState = { state: "as-listed" };
export const WITHDRAWN: EntryState = { state: "withdrawn" };
export function delivered(content: Buffer): EntryState {
  return { state: "delivered", final: finalOf(content) };
}

/** A file that no sink wanted. */
export function unchanged(content: Uint8Array): EntryState {
  return { state: "unchanged", hash: hashChunk(content).hash };
}

export function seal(type: Parameters<typeof buildFrame>[0]["type"], table: Uint8Array): Buffer {
  const frame = buildFrame({ type, ...SESSION, stream: STREAM_DATA }, table);
  finishFrame(frame, 0);
  return frame;
}

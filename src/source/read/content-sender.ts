import { filePieces } from "../../lib/disk/file-pieces.ts";
import { readFully } from "../../lib/disk/read-fully.ts";
import type { FileEntry } from "../../protocol/frame/page.ts";
import type { FileHasher } from "../../protocol/hash/content-hash.ts";
import { FRAME_KEPT_BYTES_MAX, LEAF_BYTES } from "../../protocol/limits.ts";
import type { SentRun } from "../delta/sent-runs.ts";
import { type SentRange, sentRange } from "./content-plan.ts";
import type { DoneCount } from "./done-count.ts";
import type { FrameBuilder } from "./frame-builder.ts";
import type { ReadOutput } from "./read-output.ts";
import type { FileChange } from "./second-look.ts";

/** A file whose content is being sent. */
interface SentFile {
  readonly entry: FileEntry;
  readonly fd: number;
  /** As it was opened: up to there it is sent. */
  readonly size: number;
  /** Gets all that is sent. */
  readonly hasher: FileHasher;
  /** Whether these bytes of it are those of which the sinks were told; true when they were told of none. */
  readonly isAsTold: (bytes: Buffer, offset: number) => boolean;
  /** Looks at the file again. */
  readonly look: () => FileChange;
  readonly isSparse: boolean;
}

interface ContentSenderOptions {
  readonly builder: FrameBuilder;
  readonly done: DoneCount;
  /** Publishes what is in the frame. */
  readonly flush: () => Generator<ReadOutput, void, undefined>;
}

/** Puts the content of one file after the other into frames: data, holes, and what every sink has. */
export class ContentSender {
  readonly #builder: FrameBuilder;
  readonly #done: DoneCount;
  readonly #flush: () => Generator<ReadOutput, void, undefined>;
  /** Of the file that was sent last some is kept: its hasher has not got all of it. */
  hasKept = false;

  constructor({ builder, done, flush }: ContentSenderOptions) {
    this.#builder = builder;
    this.#done = done;
    this.#flush = flush;
  }

  /**
   * Sends the file from `from` on. `runsFrom` says what comes from an offset on: runs that follow one another, some or all of
   * them. Returns what became of the file meanwhile.
   */
  *send(
    file: SentFile,
    from: number,
    runsFrom: (from: number) => Generator<ReadOutput, Iterable<SentRun>, undefined>,
  ): Generator<ReadOutput, FileChange, undefined> {
    this.hasKept = false;
    for (let at = from; ; ) {
      const sent = yield* this.#some(file, this.#ranges(file, yield* runsFrom(at)));
      if (typeof sent === "string") return sent;
      // A hole at its end was cut off.
      if (sent === undefined) return "changed";
      at = sent;
    }
  }

  /** Returns up to where these ranges go, what became of the file when they end with it, or undefined: there are none. */
  *#some(
    file: SentFile,
    ranges: Iterable<SentRange>,
  ): Generator<ReadOutput, FileChange | number | undefined, undefined> {
    let at: number | undefined;
    for (const range of ranges) {
      if (range.kind === "data" && !this.#builder.fits(range.length)) yield* this.#flush();
      const change = this.#range(file, range);
      if (change === "changed") return change;
      if (range.kind !== "data") yield* this.#unsent(file, range);
      at = range.offset + range.length;
      this.#done.upTo(at, file.entry.size);
      if (range.isLast) return change;
    }
    return at;
  }

  *#ranges({ fd, isSparse, size }: SentFile, runs: Iterable<SentRun>): Generator<SentRange, void, undefined> {
    const builder = this.#builder;
    for (const { from, to, isKept } of runs) {
      const pieces = filePieces(fd, {
        ...{ from, to, isSparse, unitBytes: LEAF_BYTES },
        // It changes with the rate that is allowed, in the middle of a file.
        get dataBytesMax() {
          return isKept ? FRAME_KEPT_BYTES_MAX : builder.chunkBytes;
        },
      });
      for (const piece of pieces) yield sentRange(piece, size, isKept);
    }
  }

  /** The second look comes before the last range is committed, so that nothing is sent of a small file that changed. */
  #range({ entry, fd, hasher, look, isAsTold, isSparse }: SentFile, range: SentRange): FileChange {
    const { kind, offset, length } = range;
    const isData = kind === "data";
    const space = isData ? this.#builder.space(length) : undefined;
    const isShort = space !== undefined && readFully(fd, space, offset) < length;
    const change = isShort || range.isLast ? look() : "none";
    const isOther = space !== undefined && !isShort && !isAsTold(space, offset);
    if (isShort || isOther || change === "changed") return "changed";
    if (isData) this.#builder.data({ entry: entry.entry, offset, length, isSparse }, hasher);
    return change;
  }

  /** A hole, or what every sink has: a very long one goes into several frames. */
  *#unsent({ entry, hasher }: SentFile, { kind, ...range }: SentRange): Generator<ReadOutput, void, undefined> {
    const builder = this.#builder;
    const room = () => (kind === "hole" ? builder.holeRoomBytes : builder.keptRoomBytes);
    const end = range.offset + range.length;
    for (let { offset } = range; offset < end; ) {
      if (room() === 0) yield* this.#flush();
      const place = { entry: entry.entry, offset, length: Math.min(room(), end - offset) };
      if (kind === "hole") builder.hole(place, hasher);
      else this.#kept(place);
      offset += place.length;
      this.#done.upTo(offset, entry.size);
    }
  }

  #kept(place: Parameters<FrameBuilder["kept"]>[0]): void {
    this.#builder.kept(place);
    this.hasKept = true;
  }
}

import { fstatSync } from "node:fs";
import { STAT_BLOCK_BYTES } from "./entry-stats.ts";
import { loadNative } from "./native.ts";
import type { Native } from "./native-calls.ts";

/** A run of a file, in the order of the file: bytes to be read, or a hole, which reads as zeros. */
export interface FilePiece {
  readonly offset: number;
  readonly length: number;
  readonly isHole: boolean;
}

export type HoleSeeker = Pick<Native, "seekData" | "seekHole">;

interface FilePiecesOptions {
  /** A multiple of `unitBytes`. */
  readonly from: number;
  readonly to: number;
  /** Longest piece that is to be read at once: a multiple of `unitBytes`. Looked at before each. Holes come whole. */
  readonly dataBytesMax: number;
  /** Pieces begin at multiples of it, and only `to` ends elsewhere: a unit that holds any data is data. */
  readonly unitBytes: number;
  /** Whether to look for holes at all. */
  readonly isSparse: boolean;
  /** @default what the system has; without it everything is data */
  readonly seeker?: HoleSeeker | undefined;
}

/** Whether a file takes less room than it is long: it has holes, or is compressed. */
export function isSparse(stats: { readonly size: number; readonly blocks: number }): boolean {
  return stats.blocks * STAT_BLOCK_BYTES < stats.size;
}

/** The same of an open file. Throws system errors. */
export function isOpenSparse(fd: number): boolean {
  return isSparse(fstatSync(fd));
}

/**
 * An open file from `from` to `to`, piece by piece, without reading any of it. What the file system says of holes is believed.
 * A hole ends where the file does. Whether all bytes of a piece of data are there shows when it is read. Synchronous.
 */
export function* filePieces(fd: number, options: FilePiecesOptions): Generator<FilePiece, void, undefined> {
  const { from, to } = options;
  const seeker = options.isSparse ? (options.seeker ?? loadNative()) : undefined;
  for (let offset = from; offset < to; ) {
    const data = seeker === undefined ? { from: offset, to } : nextData(fd, offset, options, seeker);
    if (data.from > offset) yield { offset, length: data.from - offset, isHole: true };
    const length = Math.min(options.dataBytesMax, data.to - data.from);
    if (length === 0) return;
    yield { offset: data.from, length, isHole: false };
    offset = data.from + length;
  }
}

interface DataRun {
  readonly from: number;
  readonly to: number;
}

/** The next units with data in them, as many as are read at once. An empty run at the end when there are none. */
function nextData(
  fd: number,
  offset: number,
  { to, unitBytes, dataBytesMax }: FilePiecesOptions,
  seeker: HoleSeeker,
): DataRun {
  try {
    const found = seeker.seekData(fd, offset);
    if (found === undefined || found >= to) {
      // Nobody would notice by reading a hole that the file is shorter.
      const end = found === undefined ? Math.max(offset, Math.min(to, fstatSync(fd).size)) : to;
      return { from: end, to: end };
    }
    const from = found - (found % unitBytes);
    let end = from;
    for (let data: number | undefined = found; data !== undefined && data < end + unitBytes; ) {
      end = Math.min(to, Math.ceil(seeker.seekHole(fd, data) / unitBytes) * unitBytes);
      if (end === to || end - from >= dataBytesMax) break;
      data = seeker.seekData(fd, end);
    }
    return { from, to: end };
  } catch {
    // A file system that cannot tell, or a file that became shorter just now: reading it shows what is there.
    return { from: offset, to };
  }
}

import { zeroRuns } from "../../lib/disk/zeros.ts";
import { ByteWriter } from "../../protocol/frame/bytes.ts";
import {
  DataTableWriter,
  encodeWhole,
  type FileFinal,
  RECORD_BYTES_BOUND,
  type WholeFile,
} from "../../protocol/frame/data-table.ts";
import {
  FRAME_HEADER_BYTES,
  FRAME_SPARE_BYTES,
  type StreamScope,
  writeFrameHeader,
} from "../../protocol/frame/frame.ts";
import { blake3Into } from "../../protocol/hash/blake3.ts";
import { type FileHasher, hashChunk } from "../../protocol/hash/content-hash.ts";
import {
  FRAME_HOLE_BYTES_MAX,
  FRAME_KEPT_BYTES_MAX,
  FRAME_RECORDS_MAX,
  HASH_BYTES,
  KEPT_BYTES_OF_CREDIT,
  LEAF_BYTES,
} from "../../protocol/limits.ts";

/** Least a data frame counts for in credit: small ones hold more memory than their content. */
const FRAME_COST_BYTES_MIN = 64 * 1024;

/** A data frame that is ready but for its sequence and checksum. `buffer` is the whole allocation, for reuse. */
export interface BuiltFrame {
  readonly buffer: ArrayBufferLike;
  /** What is published of the buffer. */
  readonly frameBytes: number;
  /** Content of files in it, before it was compressed. */
  readonly contentBytes: number;
  /** Of files in it, what every sink has by their recipes or under another name. */
  readonly keptBytes: number;
  /** By how much compression made the frame shorter; 0 when it is as it was built. */
  readonly savedBytes: number;
}

/** What a data frame counts for in credit [P-11]: what it is at its receiver, compressed or not, and a share of what that copies. */
export function creditCost({ frameBytes, savedBytes, keptBytes }: BuiltFrame): number {
  return Math.max(frameBytes + savedBytes, FRAME_COST_BYTES_MIN) + keptCost(keptBytes);
}

/** Its part that is on no wire. */
export function keptCost(keptBytes: number): number {
  return Math.ceil(keptBytes / KEPT_BYTES_OF_CREDIT);
}

/** The same of a trailer or a recipe: as many pages may need no data, it is bounded by the window, too. */
export function tableCost(body: Uint8Array): number {
  return FRAME_HEADER_BYTES + body.length;
}

/** What it counts for on the wire. */
export function wireCost({ frameBytes }: BuiltFrame): number {
  return Math.max(frameBytes, FRAME_COST_BYTES_MIN);
}

interface FrameBuilderOptions extends StreamScope {
  /** Size of the frames to build: the transport's preferred payload, or less at a low rate. `pace` changes it. */
  readonly frameBytes: number;
  /** Gives a buffer of at least `bytes`; used ones may come back through it. */
  readonly takeBuffer: (bytes: number) => ArrayBufferLike;
}

/** A range of the file `entry`; `offset` is a multiple of the leaf. */
interface DataPlace {
  readonly entry: number;
  readonly offset: number;
  readonly length: number;
  readonly isSparse: boolean;
}

/**
 * Builds data frames in place: content is read straight to where it will be sent from. The table goes behind the content
 * when the frame is finished, because its length is known only then.
 */
export class FrameBuilder {
  readonly #options: FrameBuilderOptions;
  readonly #table = new DataTableWriter();
  readonly #final = new ByteWriter(RECORD_BYTES_BOUND);
  /** Of the content of the whole file that was committed last. */
  readonly hash = Buffer.alloc(HASH_BYTES);
  #buffer: Buffer | undefined;
  /** The last that was given. */
  #space: Buffer = this.hash;
  /** What may be used of the buffer. */
  #bufferBytes = 0;
  #frameBytes: number;
  #contentBytes = 0;
  #holeBytes = 0;
  #keptBytes = 0;

  constructor(options: FrameBuilderOptions) {
    this.#options = options;
    this.#frameBytes = options.frameBytes;
  }

  /** Frames that are begun from now on have this size. */
  pace(frameBytes: number): void {
    this.#frameBytes = frameBytes;
  }

  /** Content one chunk of a large file carries: a multiple of the leaf. */
  get chunkBytes(): number {
    const room = this.#frameBytes - FRAME_HEADER_BYTES - RECORD_BYTES_BOUND * 2 - FRAME_SPARE_BYTES;
    return Math.max(LEAF_BYTES, Math.floor(room / LEAF_BYTES) * LEAF_BYTES);
  }

  get isEmpty(): boolean {
    return this.#table.count === 0;
  }

  /** How much of a hole still fits: a multiple of the leaf. */
  get holeRoomBytes(): number {
    return this.fits(0) ? Math.floor((FRAME_HOLE_BYTES_MAX - this.#holeBytes) / LEAF_BYTES) * LEAF_BYTES : 0;
  }

  /** The same of kept ranges. */
  get keptRoomBytes(): number {
    const roomBytes = Math.max(0, FRAME_KEPT_BYTES_MAX - this.#keptBytes);
    return this.fits(0) ? Math.floor(roomBytes / LEAF_BYTES) * LEAF_BYTES : 0;
  }

  /** Whether `bytes` of a file and its close mark still fit, be it that each of its leaves becomes a record of its own. */
  fits(bytes: number): boolean {
    const records = Math.ceil(bytes / LEAF_BYTES) + 2;
    if (this.#table.count + records > FRAME_RECORDS_MAX || this.#holeBytes + bytes > FRAME_HOLE_BYTES_MAX) return false;
    const around = FRAME_HEADER_BYTES + this.#table.bytes + RECORD_BYTES_BOUND + FRAME_SPARE_BYTES;
    return around + this.#contentBytes + bytes <= this.#capacity();
  }

  /** Where the next content may be read to; what is not committed by `data` is overwritten by the next. */
  space(bytes: number): Buffer {
    const buffer = this.#take(bytes);
    const at = FRAME_HEADER_BYTES + this.#contentBytes;
    this.#space = buffer.subarray(at, at + bytes);
    return this.#space;
  }

  /** Commits what was read to the last `space`, in chunks that are hashed; leaves of zeros of a sparse file as holes. */
  data({ entry, offset, length, isSparse }: DataPlace, hasher: FileHasher): void {
    const read = this.space(length);
    for (const { from, to, isZero } of isSparse
      ? zeroRuns(read, LEAF_BYTES)
      : [{ from: 0, to: length, isZero: false }]) {
      if (isZero) this.hole({ entry, offset: offset + from, length: to - from }, hasher);
      else this.#chunk({ entry, offset: offset + from }, read.subarray(from, to), hasher);
    }
  }

  /**
   * Commits a whole file that was read to the last `space`, and closes it; the result is its state, which ends with its hash. Both
   * are good until the next.
   */
  whole(entry: number, file: WholeFile): ByteWriter {
    const { size } = file;
    if (size <= LEAF_BYTES) blake3Into(this.#space, this.hash, 0);
    else this.hash.set(hashChunk(this.#space).hash);
    this.#final.truncate(0);
    encodeWhole(this.#final, file, this.hash);
    this.#table.whole(entry, size, this.#final);
    this.#contentBytes += size;
    return this.#final;
  }

  /** Zeros that are not read: `holeRoomBytes` at most. */
  hole({ entry, offset, length }: Omit<DataPlace, "isSparse">, hasher: FileHasher): void {
    this.#take();
    this.#table.hole({ entry, offset, length });
    this.#holeBytes += length;
    hasher.addZeros(length);
  }

  /** What every sink has by the file's recipe: `keptRoomBytes` at most. */
  kept({ entry, offset, length }: Omit<DataPlace, "isSparse">): void {
    this.#take();
    this.#table.kept({ entry, offset, length });
    this.#keptBytes += length;
  }

  /** Every sink has all of a file, whose close mark comes next: `keptRoomBytes` at most. */
  keptWhole(bytes: number): void {
    this.#take();
    this.#keptBytes += bytes;
  }

  close(entry: number, final: FileFinal | undefined): void {
    this.#take();
    this.#table.close(entry, final);
  }

  /** Ends the frame; undefined when there is nothing in it. */
  finish(): BuiltFrame | undefined {
    const buffer = this.#buffer;
    if (buffer === undefined || this.isEmpty) return undefined;
    const table = this.#table.take();
    const tableAt = FRAME_HEADER_BYTES + this.#contentBytes;
    buffer.set(table, tableAt);
    const { sessionId, epoch, stream } = this.#options;
    writeFrameHeader(buffer, { type: "data", sessionId, epoch, stream }, this.#contentBytes);
    const built = {
      buffer: buffer.buffer,
      frameBytes: tableAt + table.length,
      contentBytes: this.#contentBytes,
      keptBytes: this.#keptBytes,
      savedBytes: 0,
    };
    this.#buffer = undefined;
    this.#space = this.hash;
    this.#contentBytes = 0;
    this.#holeBytes = 0;
    this.#keptBytes = 0;
    return built;
  }

  #chunk(
    { entry, offset }: { readonly entry: number; readonly offset: number },
    read: Buffer,
    hasher: FileHasher,
  ): void {
    const bytes = this.space(read.length);
    // Behind a hole it was read to a place that is further on.
    if (bytes.byteOffset !== read.byteOffset) bytes.set(read);
    const hashed = hashChunk(bytes);
    this.#table.chunk({ entry, offset, length: bytes.length, hash: hashed.hash });
    this.#contentBytes += bytes.length;
    hasher.add(hashed);
  }

  /** A piece of a file that was measured before frames became smaller gets a frame that it fits into. */
  #take(bytes = 0): Buffer {
    if (this.#buffer === undefined) {
      const least = FRAME_HEADER_BYTES + bytes + RECORD_BYTES_BOUND + FRAME_SPARE_BYTES;
      this.#bufferBytes = Math.max(frameCapacity(this.#frameBytes), least);
      this.#buffer = Buffer.from(this.#options.takeBuffer(this.#bufferBytes));
    }
    return this.#buffer;
  }

  /** A single leaf always fits, even when the transport prefers smaller payloads. */
  #capacity(): number {
    return this.#buffer === undefined ? frameCapacity(this.#frameBytes) : this.#bufferBytes;
  }
}

/** Bytes a frame buffer must have for a preferred payload of `frameBytes`. */
export function frameCapacity(frameBytes: number): number {
  return Math.max(frameBytes, FRAME_HEADER_BYTES + LEAF_BYTES + RECORD_BYTES_BOUND * 2 + FRAME_SPARE_BYTES);
}

import { FILE_BYTES_MAX, HASH_BYTES } from "../limits.ts";
import { type ByteReader, type ByteWriter, damaged } from "./bytes.ts";

/**
 * What a page tells of a file alone [P-4].
 *
 *   extra = size flags(u8) [room] [hash(32)]    flags: 1 its hash follows (--checksum), 2 it has holes, and room follows
 */
const HAS_HASH = 1;
const IS_SPARSE = 2;

export interface FileExtra {
  readonly size: number;
  /** What its content takes at the source, less than its size: it has holes. Undefined: it has none. */
  readonly roomBytes?: number | undefined;
  /** Content hash [P-5] as the source knew it when it wrote the page; undefined unless it compares by content. */
  readonly hash?: Uint8Array;
}

export function encodeFile(out: ByteWriter, { size, roomBytes, hash }: FileExtra): void {
  out.varint(size);
  out.u8((hash === undefined ? 0 : HAS_HASH) | (roomBytes === undefined ? 0 : IS_SPARSE));
  if (roomBytes !== undefined) out.varint(roomBytes);
  if (hash !== undefined) out.raw(hash);
}

/** @throws FanfoldError `damaged` */
export function decodeFile(bytes: ByteReader): FileExtra {
  const size = decodeSize(bytes);
  const flags = bytes.u8();
  if (flags > (HAS_HASH | IS_SPARSE)) throw damaged(`holds a file with the flags ${flags}`);
  const roomBytes = (flags & IS_SPARSE) === 0 ? undefined : bytes.varint();
  const fault = fileFault({ size, roomBytes });
  if (fault !== undefined) throw damaged(fault);
  const hash = (flags & HAS_HASH) === 0 ? undefined : Buffer.from(bytes.raw(HASH_BYTES));
  return hash === undefined ? { size, roomBytes } : { size, roomBytes, hash };
}

/** Why no page may hold this file, as a clause. */
export function fileFault({ size, roomBytes }: Pick<FileExtra, "size" | "roomBytes">): string | undefined {
  if (size > FILE_BYTES_MAX) return `holds a file of ${size} bytes`;
  if (roomBytes === undefined || roomBytes < size) return undefined;
  return `holds a file of ${size} bytes with holes, of which ${roomBytes} take room`;
}

/** Size of a file. @throws FanfoldError `damaged` */
export function decodeSize(bytes: ByteReader): number {
  const size = bytes.varint();
  const fault = fileFault({ size });
  if (fault !== undefined) throw damaged(fault);
  return size;
}

/** What the content of a file takes: its size, less its holes. */
export function roomOf({ size, roomBytes }: Pick<FileExtra, "size" | "roomBytes">): number {
  return Math.min(size, roomBytes ?? size);
}

import { crc32 } from "node:zlib";
import { FanfoldError } from "../lib/errors.ts";
import { damaged } from "./bytes.ts";
import { FRAME_BYTES_MAX, PROTOCOL_VERSION, SESSION_ID_CHARS } from "./limits.ts";

/**
 * A frame is what one publish carries [P-3.2]. All numbers are big-endian.
 *
 *   offset  bytes  field
 *        0      2  magic "FF" (0x46 0x46)
 *        2      1  protocol version
 *        3      1  type
 *        4     12  session id, ASCII [a-z0-9]
 *       16      4  epoch
 *       20      1  stream: 0 the session's data, 1 to 255 a lane of one sink; an up frame says which one it is about
 *       21      3  zero
 *       24      8  stream sequence
 *       32      4  content length
 *       36      4  CRC-32 of bytes 0 to 35 and of the table
 *       40      n  content: bytes of files (data frames only); each chunk has a BLAKE3 of its own in the table
 *   40 + n      m  table: the body of all other types
 */
export const FRAME_HEADER_BYTES = 40;
const CRC_OFFSET = 36;
const MAGIC = 0x4646;

/** [P-3.3] */
export const FRAME_TYPES = { page: 1, data: 2, trailer: 3, end: 4, heartbeat: 5, up: 6, walked: 7, scope: 8 } as const;
export type FrameType = keyof typeof FRAME_TYPES;
const TYPE_NAMES: ReadonlyMap<number, FrameType> = new Map(
  Object.entries(FRAME_TYPES).map(([name, value]) => [value, name as FrameType]),
);

/** The stream to all sinks. Others are lanes: numbered from 1 for each sink, a higher one replaces a lower one [P-9.3]. */
export const STREAM_DATA = 0;
export const STREAM_MAX = 255;

/** Where a frame belongs: frames of another session or epoch are never mixed in [P-3.4]. */
export interface FrameScope {
  readonly sessionId: string;
  readonly epoch: number;
}

export interface Frame extends FrameScope {
  readonly type: FrameType;
  readonly stream: number;
  readonly sequence: number;
  /** Views into the payload. */
  readonly content: Uint8Array;
  readonly table: Uint8Array;
}

export interface FrameStart extends FrameScope {
  readonly type: FrameType;
  readonly stream: number;
}

/** Builds a whole frame without content. It still needs `sealFrame`. */
export function buildFrame(start: FrameStart, table: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafeSlow(FRAME_HEADER_BYTES + table.length);
  writeFrameHeader(frame, start, 0);
  frame.set(table, FRAME_HEADER_BYTES);
  return frame;
}

/** Writes all but sequence and checksum into the first bytes of `frame`. */
export function writeFrameHeader(frame: Buffer, start: FrameStart, contentBytes: number): void {
  frame.fill(0, 0, FRAME_HEADER_BYTES);
  frame.writeUInt16BE(MAGIC, 0);
  frame[2] = PROTOCOL_VERSION;
  frame[3] = FRAME_TYPES[start.type];
  frame.write(start.sessionId, 4, SESSION_ID_CHARS, "latin1");
  frame.writeUInt32BE(start.epoch, 16);
  frame[20] = start.stream;
  frame.writeUInt32BE(contentBytes, 32);
}

/** Gives a frame its place in the stream and its checksum: the last thing before it is published. */
export function sealFrame(frame: Buffer, sequence: number): void {
  frame.writeUInt32BE(Math.floor(sequence / 2 ** 32), 24);
  frame.writeUInt32BE(sequence % 2 ** 32, 28);
  const tableAt = FRAME_HEADER_BYTES + frame.readUInt32BE(32);
  frame.writeUInt32BE(crc32(frame.subarray(tableAt), crc32(frame.subarray(0, CRC_OFFSET))), CRC_OFFSET);
}

/**
 * Takes a payload apart. The content of a data frame is not checked here: every chunk has its own hash.
 *
 * @throws FanfoldError `damaged`, or `protocol-version` when another version wrote it
 */
export function decodeFrame(payload: Uint8Array): Frame {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  const fault = wholenessFault(bytes);
  if (fault !== undefined) throw damaged(fault);
  return decodeWhole(bytes);
}

/**
 * The same, but undefined for a payload that was cut or altered on its way: that is as good as lost. One whose checksum is
 * right was written as it is, and is judged.
 *
 * @throws FanfoldError `damaged` or `protocol-version`
 */
export function decodeWholeFrame(payload: Uint8Array): Frame | undefined {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  return wholenessFault(bytes) === undefined ? decodeWhole(bytes) : undefined;
}

/** Why a payload is not what was sent, or undefined. @throws FanfoldError `protocol-version` */
function wholenessFault(bytes: Buffer): string | undefined {
  if (bytes.length < FRAME_HEADER_BYTES || bytes.length > FRAME_BYTES_MAX) return `is ${bytes.length} bytes long`;
  if (bytes.readUInt16BE(0) !== MAGIC) return "does not start with the magic of fanfold";
  if (bytes[2] !== PROTOCOL_VERSION) {
    throw new FanfoldError(
      "protocol-version",
      `Read a frame: protocol version ${bytes[2]}, expected ${PROTOCOL_VERSION}; run the same release of fanfold everywhere`,
    );
  }
  const contentBytes = bytes.readUInt32BE(32);
  const tableAt = FRAME_HEADER_BYTES + contentBytes;
  if (tableAt > bytes.length)
    return `was cut: ${contentBytes} bytes of content announced, ${bytes.length - FRAME_HEADER_BYTES} there`;
  const checksum = crc32(bytes.subarray(tableAt), crc32(bytes.subarray(0, CRC_OFFSET)));
  return checksum === bytes.readUInt32BE(CRC_OFFSET) ? undefined : "has a wrong checksum";
}

function decodeWhole(bytes: Buffer): Frame {
  const tableAt = FRAME_HEADER_BYTES + bytes.readUInt32BE(32);
  const type = TYPE_NAMES.get(bytes[3] ?? 0);
  if (type === undefined) throw damaged(`has the unknown type ${bytes[3]}`);
  if (type !== "data" && tableAt > FRAME_HEADER_BYTES)
    throw damaged(`is of type "${type}" and has ${tableAt - FRAME_HEADER_BYTES} bytes of content, expected none`);
  const sequence = bytes.readUInt32BE(24) * 2 ** 32 + bytes.readUInt32BE(28);
  if (sequence > Number.MAX_SAFE_INTEGER) throw damaged("has a sequence above 2^53 - 1");
  return {
    type,
    sessionId: bytes.toString("latin1", 4, 4 + SESSION_ID_CHARS),
    epoch: bytes.readUInt32BE(16),
    stream: bytes[20] ?? 0,
    sequence,
    content: bytes.subarray(FRAME_HEADER_BYTES, tableAt),
    table: bytes.subarray(tableAt),
  };
}

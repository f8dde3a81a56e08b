import { crc32 } from "node:zlib";
import { FanfoldError } from "../../lib/errors.ts";
import { FRAME_BYTES_MAX, PROTOCOL_VERSION, SESSION_ID_CHARS } from "../limits.ts";
import { damaged } from "./bytes.ts";

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
 *       21      3  plain length: 0, or what the content decompresses to (data frames only)
 *       24      8  stream sequence
 *       32      4  content length
 *       36      4  CRC-32 of bytes 0 to 35 and, where the frame is not sealed, of the table
 *       40      n  content: bytes of files (data frames only), as they are or as one zstd frame; each chunk has a BLAKE3 of its own,
 *                 of its plain bytes, in the table
 *   40 + n      m  table: the body of all other types
 */
export const FRAME_HEADER_BYTES = 40;
const PLAIN_OFFSET = 21;
const SEQUENCE_OFFSET = 24;
const SEQUENCE_BYTES = 8;
const NONCE_BYTES = 12;
const CONTENT_OFFSET = 32;
const CRC_OFFSET = 36;
const MAGIC = 0x4646;

/** [P-3.3] */
export const FRAME_TYPES = {
  page: 1,
  data: 2,
  trailer: 3,
  end: 4,
  heartbeat: 5,
  up: 6,
  walked: 7,
  scope: 8,
  recipe: 9,
  padding: 10,
} as const;
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

/** Which frames are one stream. */
export interface StreamScope extends FrameScope {
  readonly stream: number;
}

export interface Frame extends StreamScope {
  readonly type: FrameType;
  readonly sequence: number;
  /** What the content is to be decompressed to; 0: it is as it is. */
  readonly plainBytes: number;
  /** Views into the payload. */
  readonly content: Uint8Array;
  readonly table: Uint8Array;
}

interface FrameStart extends StreamScope {
  readonly type: FrameType;
}

/** Seals the frames of one stream [P-15.2]. */
export interface FrameSealer {
  /** Seals a frame where it lies: behind it FRAME_SPARE_BYTES of its memory are free. Its header is complete. Once a sequence. */
  seal(frame: Buffer): Buffer;
}

/** Opens what the sender of one stream has sealed. */
export interface FrameOpener {
  /** The frame as it was before it was sealed, where it lies. Undefined for everything else. */
  open(sealed: Buffer): Buffer | undefined;
}

/** Memory behind each frame that is built, for sealing it. */
export const FRAME_SPARE_BYTES = 80;

/** Builds a whole frame without content. It still needs `finishFrame`. */
export function buildFrame(start: FrameStart, table: Uint8Array): Buffer {
  const frameBytes = FRAME_HEADER_BYTES + table.length;
  const frame = Buffer.allocUnsafeSlow(frameBytes + FRAME_SPARE_BYTES).subarray(0, frameBytes);
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
  frame.writeUInt32BE(contentBytes, CONTENT_OFFSET);
}

/** The content of a frame that was built: a view. */
export function contentOf(frame: Buffer): Buffer {
  return frame.subarray(FRAME_HEADER_BYTES, FRAME_HEADER_BYTES + frame.readUInt32BE(CONTENT_OFFSET));
}

/** Puts the compressed content in place of the plain one, and the table right behind it; returns what is the frame now. */
export function replaceContent(frame: Buffer, compressed: Uint8Array): Buffer {
  const plainBytes = frame.readUInt32BE(CONTENT_OFFSET);
  const tableAt = FRAME_HEADER_BYTES + compressed.length;
  frame.set(compressed, FRAME_HEADER_BYTES);
  frame.copyWithin(tableAt, FRAME_HEADER_BYTES + plainBytes);
  frame.writeUIntBE(plainBytes, PLAIN_OFFSET, 3);
  frame.writeUInt32BE(compressed.length, CONTENT_OFFSET);
  return frame.subarray(0, frame.length - plainBytes + compressed.length);
}

/** Gives a frame its place in the stream and its checksum, and seals it: the last thing before it is published. */
export function finishFrame(frame: Buffer, sequence: number, sealer?: FrameSealer): Buffer {
  frame.writeUInt32BE(Math.floor(sequence / 2 ** 32), SEQUENCE_OFFSET);
  frame.writeUInt32BE(sequence % 2 ** 32, SEQUENCE_OFFSET + 4);
  const covered = sealer === undefined ? FRAME_HEADER_BYTES + contentBytesOf(frame) : frame.length;
  frame.writeUInt32BE(checksumOf(frame, covered), CRC_OFFSET);
  return sealer === undefined ? frame : sealer.seal(frame);
}

/** Of the header, and of all from `tableAt` on. */
function checksumOf(frame: Buffer, tableAt: number): number {
  return crc32(frame.subarray(tableAt), crc32(frame.subarray(0, CRC_OFFSET)));
}

/** As its header has it: whether that much is there is for its reader to see. */
export function contentBytesOf(frame: Buffer): number {
  return frame.readUInt32BE(CONTENT_OFFSET);
}

/** As its header has it. */
export function sequenceOf(frame: Buffer): number {
  return frame.readUInt32BE(SEQUENCE_OFFSET) * 2 ** 32 + frame.readUInt32BE(SEQUENCE_OFFSET + 4);
}

/** By which a frame is sealed [P-15.1]: four zero bytes, and the sequence, whatever it is. */
export function nonceOf(frame: Uint8Array): Uint8Array {
  const nonce = new Uint8Array(NONCE_BYTES);
  nonce.set(frame.subarray(SEQUENCE_OFFSET, SEQUENCE_OFFSET + SEQUENCE_BYTES), NONCE_BYTES - SEQUENCE_BYTES);
  return nonce;
}

export function isHeartbeat(frame: Buffer): boolean {
  return frame[3] === FRAME_TYPES.heartbeat;
}

/**
 * Takes a payload apart. The content of a data frame is not checked here: every chunk has its own hash.
 *
 * @throws FanfoldError `damaged`, or `protocol-version` when another version wrote it
 */
export function decodeFrame(payload: Uint8Array): Frame {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  const fault = headFault(bytes) ?? wholenessFault(bytes);
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
  return (headFault(bytes) ?? wholenessFault(bytes)) === undefined ? decodeWhole(bytes) : undefined;
}

/**
 * The same of a sealed frame, which is opened where it lies. Undefined for one that was cut or altered, and for one that
 * somebody else sealed, or nobody: also for one of another version, which anybody can write.
 *
 * @throws FanfoldError `damaged`
 */
export function openSealedFrame(payload: Uint8Array, opener: FrameOpener): Frame | undefined {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  if (startFault(bytes) !== undefined || bytes[2] !== PROTOCOL_VERSION) return undefined;
  if (checksumOf(bytes, bytes.length) !== bytes.readUInt32BE(CRC_OFFSET)) return undefined;
  const opened = opener.open(bytes);
  return opened === undefined ? undefined : decodeWhole(opened);
}

/** Why a payload is no frame at all, or undefined. */
function startFault(bytes: Buffer): string | undefined {
  if (bytes.length < FRAME_HEADER_BYTES || bytes.length > FRAME_BYTES_MAX) return `is ${bytes.length} bytes long`;
  return bytes.readUInt16BE(0) === MAGIC ? undefined : "does not start with the magic of fanfold";
}

/** The same. @throws FanfoldError `protocol-version` */
function headFault(bytes: Buffer): string | undefined {
  const fault = startFault(bytes);
  if (fault !== undefined) return fault;
  if (bytes[2] !== PROTOCOL_VERSION) {
    throw new FanfoldError(
      "protocol-version",
      `cannot read a frame: protocol version ${bytes[2]}, expected ${PROTOCOL_VERSION}; run the same release of fanfold everywhere`,
    );
  }
  return undefined;
}

/** Why a payload is not what was sent, or undefined. */
function wholenessFault(bytes: Buffer): string | undefined {
  const contentBytes = contentBytesOf(bytes);
  const tableAt = FRAME_HEADER_BYTES + contentBytes;
  if (tableAt > bytes.length)
    return `was cut: ${contentBytes} bytes of content announced, ${bytes.length - FRAME_HEADER_BYTES} there`;
  return checksumOf(bytes, tableAt) === bytes.readUInt32BE(CRC_OFFSET) ? undefined : "has a wrong checksum";
}

function decodeWhole(bytes: Buffer): Frame {
  const tableAt = FRAME_HEADER_BYTES + contentBytesOf(bytes);
  const type = TYPE_NAMES.get(bytes[3] ?? 0);
  if (type === undefined) throw damaged(`has the unknown type ${bytes[3]}`);
  const contentBytes = tableAt - FRAME_HEADER_BYTES;
  const plainBytes = bytes.readUIntBE(PLAIN_OFFSET, 3);
  if (type !== "data" && contentBytes + plainBytes > 0)
    throw damaged(`is of type "${type}" and has ${contentBytes + plainBytes} bytes of content, expected none`);
  if (plainBytes > 0) checkPlain(bytes.length, { plainBytes, contentBytes });
  const sequence = sequenceOf(bytes);
  if (sequence > Number.MAX_SAFE_INTEGER) throw damaged("has a sequence above 2^53 - 1");
  return {
    type,
    sessionId: bytes.toString("latin1", 4, 4 + SESSION_ID_CHARS),
    epoch: bytes.readUInt32BE(16),
    stream: bytes[20] ?? 0,
    sequence,
    plainBytes,
    content: bytes.subarray(FRAME_HEADER_BYTES, tableAt),
    table: bytes.subarray(tableAt),
  };
}

/** What is compressed is smaller than what it was, and that would have been a frame as well [P-3.5]. */
function checkPlain(
  frameBytes: number,
  { plainBytes, contentBytes }: { readonly plainBytes: number; readonly contentBytes: number },
): void {
  if (plainBytes <= contentBytes)
    throw damaged(`has ${contentBytes} bytes of compressed content that stand for ${plainBytes}, expected more`);
  const plainFrameBytes = frameBytes - contentBytes + plainBytes;
  if (plainFrameBytes > FRAME_BYTES_MAX)
    throw damaged(`is ${plainFrameBytes} bytes long when decompressed, more than ${FRAME_BYTES_MAX}`);
}

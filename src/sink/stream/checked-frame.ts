import { damaged } from "../../protocol/frame/bytes.ts";
import { decompressContent, letGo } from "../../protocol/frame/compression.ts";
import { type ChunkRecord, type DataRecord, decodeDataTable } from "../../protocol/frame/data-table.ts";
import { decodeWholeFrame, type Frame, type FrameOpener, openSealedFrame } from "../../protocol/frame/frame.ts";
import { type ChunkHash, hashChunk } from "../../protocol/hash/content-hash.ts";

/** A frame that is what was sent: its checksum is right, and so is the hash of each of its chunks. */
export interface CheckedFrame {
  /** Its content is plain. Content and table lie in one buffer: the payload's own, or another one for what came compressed. */
  readonly frame: Frame;
  /** Of a data frame; empty for all others. */
  readonly records: readonly DataRecord[];
  /** For each chunk of `records`, at its index: what its file's hash is made of. */
  readonly hashes: readonly (ChunkHash | undefined)[];
}

/** Why a payload is as good as lost: it is no whole frame, or a chunk in it was altered. */
export type Spoilt =
  | { readonly type: "damaged" }
  | { readonly type: "altered"; readonly frame: Frame; readonly chunk: ChunkRecord };

/**
 * @param opener of the stream, where it is sealed: then the payload is opened where it lies
 * @throws FanfoldError `protocol-version`
 */
export function checkFrame(payload: Uint8Array, opener?: FrameOpener): CheckedFrame | Spoilt {
  const frame = opener === undefined ? decodeWholeFrame(payload) : openSealedFrame(payload, opener);
  if (frame === undefined) return { type: "damaged" };
  if (frame.type !== "data") return { frame, records: [], hashes: [] };
  const plain = plainFrame(frame);
  if (plain === undefined) return { type: "altered", frame, chunk: firstChunk(frame) };
  return checkChunks(plain);
}

function checkChunks(frame: Frame): CheckedFrame | Spoilt {
  // The table's checksum is right, so a table that does not decode was written so: that is no fault of the link.
  const records = decodeDataTable(frame.table, frame.content);
  const hashes: (ChunkHash | undefined)[] = [];
  for (const record of records) {
    const hashed = record.kind === "chunk" ? hashChunk(record.bytes) : undefined;
    if (record.kind === "chunk" && hashed !== undefined && Buffer.compare(hashed.hash, record.hash) !== 0) {
      return { type: "altered", frame, chunk: record };
    }
    hashes.push(hashed);
  }
  return { frame, records, hashes };
}

/**
 * The frame as it was before compression [P-3.5]. Undefined when its content does not decompress to what its header says,
 * as after any change on its way. It keeps nothing of the payload, so that what waits for a hole is as much as it counts
 * for.
 */
function plainFrame(frame: Frame): Frame | undefined {
  const { plainBytes, table } = frame;
  if (plainBytes === 0) return frame;
  const content = decompressContent(frame.content, plainBytes);
  if (content === undefined) return undefined;
  const bytes = Buffer.allocUnsafeSlow(plainBytes + table.length);
  bytes.set(content);
  bytes.set(table, plainBytes);
  letGo(content);
  return { ...frame, plainBytes: 0, content: bytes.subarray(0, plainBytes), table: bytes.subarray(plainBytes) };
}

/** Where the content of a frame begins that cannot be had. @throws FanfoldError `damaged` for a table that was written wrong */
function firstChunk({ table, plainBytes }: Frame): ChunkRecord {
  const chunk = decodeDataTable(table, new Uint8Array(plainBytes)).find((record) => record.kind === "chunk");
  if (chunk === undefined) throw damaged(`has ${plainBytes} bytes of content that no chunk names`);
  return chunk;
}

import { type ChunkHash, hashChunk } from "../protocol/content-hash.ts";
import { type ChunkRecord, type DataRecord, decodeDataTable } from "../protocol/data-table.ts";
import { decodeWholeFrame, type Frame } from "../protocol/frame.ts";

/** A frame that is what was sent: its checksum is right, and so is the hash of each of its chunks. */
export interface CheckedFrame {
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

/** @throws FanfoldError `protocol-version` */
export function checkFrame(payload: Uint8Array): CheckedFrame | Spoilt {
  const frame = decodeWholeFrame(payload);
  if (frame === undefined) return { type: "damaged" };
  if (frame.type !== "data") return { frame, records: [], hashes: [] };
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

import { HASH_BYTES } from "../limits.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";

/**
 * Control marks in the data stream [P-8]. A heartbeat has an empty table and is not part of the stream. Its header carries
 * the sequence of the next frame, so a lost tail shows.
 *
 *   walked = pages entries files bytes            ; discovery has ended; totals as found by it
 *   end    = pages entries digest(32)             ; every page has its trailer; the tree's digest
 */
export interface WalkedMark {
  readonly pages: number;
  readonly entries: number;
  readonly files: number;
  /** Sum of the files' sizes as found, in bytes. */
  readonly bytes: number;
}

export interface EndMark {
  readonly pages: number;
  readonly entries: number;
  readonly digest: Uint8Array;
}

export function encodeWalked(mark: WalkedMark): Buffer {
  const out = new ByteWriter(64);
  out.varint(mark.pages);
  out.varint(mark.entries);
  out.varint(mark.files);
  out.varint(mark.bytes);
  return out.view();
}

/** @throws FanfoldError `damaged` */
export function decodeWalked(table: Uint8Array): WalkedMark {
  const bytes = new ByteReader(table);
  const mark = { pages: bytes.varint(), entries: bytes.varint(), files: bytes.varint(), bytes: bytes.varint() };
  bytes.end();
  return mark;
}

export function encodeEnd(mark: EndMark): Buffer {
  const out = new ByteWriter(64);
  out.varint(mark.pages);
  out.varint(mark.entries);
  out.raw(mark.digest);
  return out.view();
}

/** @throws FanfoldError `damaged` */
export function decodeEnd(table: Uint8Array): EndMark {
  const bytes = new ByteReader(table);
  const mark = { pages: bytes.varint(), entries: bytes.varint(), digest: bytes.raw(HASH_BYTES) };
  bytes.end();
  return mark;
}

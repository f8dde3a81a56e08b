import { HASH_BYTES, PAGE_ENTRIES_MAX } from "../limits.ts";
import { ByteReader, ByteWriter, damaged } from "./bytes.ts";
import { decodeFinal, encodeFinal, type FileFinal } from "./data-table.ts";

/**
 * A trailer closes a page [P-7]: what became of each of its entries, and the page's digest.
 *
 *   trailer = page count *state digest(32)
 *   state   = 0            ; no file with content of its own: its page says all
 *           | 3            ; a file that no sink wanted: not read
 *           | 1 … | 2      ; as `final` of a close mark
 */
export type EntryState =
  | { readonly state: "as-listed" }
  | { readonly state: "not-read" }
  | { readonly state: "withdrawn" }
  | { readonly state: "delivered"; readonly final: FileFinal };

export interface Trailer {
  readonly page: number;
  readonly states: readonly EntryState[];
  readonly digest: Uint8Array;
}

const AS_LISTED = 0;
const NOT_READ = 3;

export function encodeTrailer(trailer: Trailer): Buffer {
  const out = new ByteWriter(trailer.states.length * 48 + 64);
  out.varint(trailer.page);
  out.varint(trailer.states.length);
  for (const state of trailer.states) encodeState(out, state);
  out.raw(trailer.digest);
  return out.view();
}

export function encodeState(out: ByteWriter, state: EntryState): void {
  if (state.state === "as-listed") out.u8(AS_LISTED);
  else if (state.state === "not-read") out.u8(NOT_READ);
  else encodeFinal(out, state.state === "delivered" ? state.final : undefined);
}

/** @throws FanfoldError `damaged` */
export function decodeTrailer(table: Uint8Array): Trailer {
  const bytes = new ByteReader(table);
  const page = bytes.varint();
  const count = bytes.varint();
  if (count > PAGE_ENTRIES_MAX) throw damaged(`announces ${count} entries in one trailer`);
  const states: EntryState[] = [];
  for (let index = 0; index < count; index += 1) states.push(decodeState(bytes));
  const digest = bytes.raw(HASH_BYTES);
  bytes.end();
  return { page, states, digest };
}

function decodeState(bytes: ByteReader): EntryState {
  const state = bytes.u8();
  if (state === AS_LISTED) return { state: "as-listed" };
  if (state === NOT_READ) return { state: "not-read" };
  const final = decodeFinal(bytes, state);
  return final === undefined ? { state: "withdrawn" } : { state: "delivered", final };
}

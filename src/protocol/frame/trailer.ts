import { HASH_BYTES, PAGE_ENTRIES_MAX } from "../limits.ts";
import { ByteReader, ByteWriter, damaged } from "./bytes.ts";
import { decodeFinal, encodeFinal, type FileFinal, passFinal } from "./data-table.ts";

/**
 * A trailer closes a page [P-7]: what became of each of its entries, and the page's digest.
 *
 *   trailer = page count *state digest(32)
 *   state   = 0            ; no file with content of its own: its page says all
 *           | 4 hash(32)   ; a file that no sink wanted: its content as the source knows it [P-5]
 *           | 1 … | 2      ; as `final` of a close mark
 */
export type EntryState =
  | { readonly state: "as-listed" }
  /** No sink wanted it: `hash` is that of its content at the source. */
  | { readonly state: "unchanged"; readonly hash: Uint8Array }
  | { readonly state: "withdrawn" }
  | { readonly state: "delivered"; readonly final: FileFinal };

/** States as they are written, one behind the other. `starts` says where each begins, and at last where they end. */
export interface EncodedStates {
  readonly bytes: Uint8Array;
  readonly starts: Uint32Array;
}

/** A trailer as it came. */
export interface Trailer {
  readonly page: number;
  readonly states: EncodedStates;
  readonly digest: Uint8Array;
}

export const AS_LISTED = 0;
export const UNCHANGED = 4;
/** What most states take at most. */
export const STATE_BYTES = 48;

/** The states of a page, in the order of its entries, as they stand in its trailer and in its digest. */
export class StateWriter {
  readonly #states: ByteWriter;
  #count = 0;

  constructor(entries: number) {
    this.#states = new ByteWriter(entries * STATE_BYTES);
  }

  get count(): number {
    return this.#count;
  }

  /** A view of all of them, good until the next is added. */
  get bytes(): Uint8Array {
    return this.#states.view();
  }

  add(state: EntryState): void {
    if (state.state === "as-listed") this.#states.u8(AS_LISTED);
    else if (state.state === "unchanged") {
      this.#states.u8(UNCHANGED);
      this.#states.raw(state.hash);
    } else encodeFinal(this.#states, state.state === "delivered" ? state.final : undefined);
    this.#count += 1;
  }

  /** A file that no sink wanted, with its content hash, which lies in `bytes` from `at` on. */
  addUnchanged(bytes: Uint8Array, at = 0): void {
    this.#states.u8(UNCHANGED);
    this.#states.part(bytes, at, at + HASH_BYTES);
    this.#count += 1;
  }

  /** A file that was delivered, as `encodeFinal` has written it. */
  addEncoded(final: ByteWriter): void {
    this.#states.tail(final, final.length);
    this.#count += 1;
  }
}

export function trailerOf(page: number, states: StateWriter, digest: Uint8Array): Buffer {
  const out = new ByteWriter(states.bytes.length + 64);
  out.varint(page);
  out.varint(states.count);
  out.raw(states.bytes);
  out.raw(digest);
  return out.view();
}

/** Takes a trailer apart; its states stay as they came. @throws FanfoldError `damaged` */
export function decodeTrailer(table: Uint8Array): Trailer {
  const bytes = new ByteReader(table);
  const page = bytes.varint();
  const count = bytes.varint();
  if (count > PAGE_ENTRIES_MAX) throw damaged(`announces ${count} entries in one trailer`);
  const starts = new Uint32Array(count + 1);
  for (let index = 0; index < count; index += 1) {
    starts[index] = bytes.at;
    passState(bytes);
  }
  starts[count] = bytes.at;
  const digest = bytes.raw(HASH_BYTES);
  bytes.end();
  return { page, states: { bytes: table, starts }, digest };
}

/** One state as an object. */
export function stateOf({ bytes, starts }: EncodedStates, index: number): EntryState {
  const reader = new ByteReader(bytes.subarray(starts[index], starts[index + 1]));
  const state = reader.u8();
  if (state === AS_LISTED) return { state: "as-listed" };
  if (state === UNCHANGED) return { state: "unchanged", hash: reader.raw(HASH_BYTES) };
  const final = decodeFinal(reader, state);
  return final === undefined ? { state: "withdrawn" } : { state: "delivered", final };
}

/** The content hash of a file that no sink wanted: a view. */
export function unchangedHash({ bytes, starts }: EncodedStates, index: number): Uint8Array {
  return bytes.subarray((starts[index] ?? 0) + 1, starts[index + 1]);
}

/** Which of the kinds a state is of. */
export function stateKind({ bytes, starts }: EncodedStates, index: number): number | undefined {
  return bytes[starts[index] ?? bytes.length];
}

function passState(bytes: ByteReader): void {
  const state = bytes.u8();
  if (state === UNCHANGED) bytes.skip(HASH_BYTES);
  else if (state !== AS_LISTED) passFinal(bytes, state);
}

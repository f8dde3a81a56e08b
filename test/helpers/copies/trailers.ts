import {
  decodeTrailer as decodeTable,
  type EntryState,
  StateWriter,
  stateOf,
  trailerOf,
} from "../../../src/protocol/frame/trailer.ts";
import { digestOf } from "../../../src/protocol/hash/digest.ts";

/** A trailer with its states as objects. */
export interface Trailer {
  readonly page: number;
  readonly states: readonly EntryState[];
  readonly digest: Uint8Array;
}

export function encodeTrailer({ page, states, digest }: Trailer): Buffer {
  return trailerOf(page, writerOf(states), digest);
}

export function decodeTrailer(table: Uint8Array): Trailer {
  const { page, states, digest } = decodeTable(table);
  const count = states.starts.length - 1;
  return { page, states: Array.from({ length: count }, (_, index) => stateOf(states, index)), digest };
}

/** Digest of a page from its table and the states of its trailer. */
export function pageDigest(table: Uint8Array, states: readonly EntryState[]): Buffer {
  return digestOf(table, writerOf(states));
}

function writerOf(states: readonly EntryState[]): StateWriter {
  const writer = new StateWriter(states.length);
  for (const state of states) writer.add(state);
  return writer;
}

/** The states as they stand in a trailer. */
export function writtenStates(states: readonly EntryState[]): Uint8Array {
  return writerOf(states).bytes;
}

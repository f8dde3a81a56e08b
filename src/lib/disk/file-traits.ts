import { endianness } from "node:os";

/**
 * What tells a file apart, and whether it was written to: device, inode, size, and the times of its last change and of the last
 * write. Twelve numbers of 32 bits, as `statx` has them, in the machine's own order of bytes.
 */
export const TRAITS_BYTES = 48;

export const TRAITS_WORDS = TRAITS_BYTES / Uint32Array.BYTES_PER_ELEMENT;

/** Where the traits of a file can be taken from. */
export interface TraitSource {
  /** Writes TRAITS_WORDS words to `into`, from `at` on. */
  traits(into: Uint32Array, at: number): void;
}

/** The traits as bytes of their own: equal for a file that was not written to. */
export function traitsOf(source: TraitSource): Buffer {
  const words = new Uint32Array(TRAITS_WORDS);
  source.traits(words, 0);
  return Buffer.from(words.buffer);
}

/** Where the size begins, the time of the last change, and the time of the last write. */
const [SIZE_AT, CHANGED_AT, WRITTEN_AT] = [16, 24, 36];

/** Whether they are of one file that has the same size and time of the last write, whatever else was done to it. */
export function isSameInode(one: Buffer, other: Buffer): boolean {
  return one.compare(other, 0, SIZE_AT, 0, SIZE_AT) === 0 && isSameVersion(one, other);
}

/** Whether size and time of the last write are the same. */
export function isSameVersion(one: Buffer, other: Buffer): boolean {
  return (
    one.compare(other, SIZE_AT, CHANGED_AT, SIZE_AT, CHANGED_AT) === 0 &&
    one.compare(other, WRITTEN_AT, TRAITS_BYTES, WRITTEN_AT, TRAITS_BYTES) === 0
  );
}

const [LOW, HIGH] = endianness() === "LE" ? [0, 1] : [1, 0];
const MASK = 0xffff_ffffn;

/** Two words of a number of 64 bits, maybe with a sign. */
export function writeLong(into: Uint32Array, value: bigint, at: number): void {
  into[at + LOW] = Number(value & MASK);
  into[at + HIGH] = Number((value >> 32n) & MASK);
}

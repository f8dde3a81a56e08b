import type { SeededRandom } from "../helpers/seeded-random.ts";

/** Numbers at which decoders tend to be wrong, as varints and as bytes. */
const NUMBERS = [0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 1023, 1024, 1025, 4095, 4096, 32_767, 32_768, 65_535, 65_536];
const LARGE = [
  2 ** 20,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 52,
  2 ** 53 - 1,
  2 ** 53,
  2 ** 56 - 1,
  2 ** 63,
];
const MUTATIONS_MAX = 6;

export interface MutationSource {
  readonly random: SeededRandom;
  /** Other inputs, to take parts from. */
  readonly corpus: readonly Uint8Array[];
  /** Words of the format. */
  readonly words: readonly string[];
  readonly maxBytes: number;
}

type Mutation = (bytes: Buffer, source: MutationSource) => Buffer;

/** A changed copy of an input. */
export function mutate(input: Uint8Array, source: MutationSource): Buffer {
  let bytes: Buffer = Buffer.from(input);
  const times = source.random.between(1, MUTATIONS_MAX);
  for (let time = 0; time < times; time += 1) bytes = source.random.pick(MUTATIONS)(bytes, source);
  return bytes.subarray(0, source.maxBytes);
}

const MUTATIONS: readonly Mutation[] = [
  // One bit, or one byte.
  (bytes, { random }) => changed(bytes, random, (byte) => byte ^ (1 << random.between(0, 7))),
  (bytes, { random }) => changed(bytes, random, () => random.between(0, 255)),
  (bytes, { random }) => changed(bytes, random, (byte) => byte + random.pick([-1, 1])),
  // A part goes, comes twice, or is moved.
  (bytes, { random }) => {
    const [from, to] = span(bytes, random);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
  },
  (bytes, { random }) => {
    const [from, to] = span(bytes, random);
    return inserted(bytes, place(bytes, random), bytes.subarray(from, to));
  },
  (bytes, { random }) => {
    const [from, to] = span(bytes, random);
    const times = random.pick([2, 3, 17, 64]);
    const part = bytes.subarray(from, to);
    return inserted(bytes, from, Buffer.concat(Array.from({ length: times }, () => part)));
  },
  // A number of the format, longer or shorter than the one that stood there.
  (bytes, { random }) => {
    const at = place(bytes, random);
    return replaced(bytes, at, varintLength(bytes, at), varint(random.pick([...NUMBERS, ...LARGE])));
  },
  (bytes, { random }) => {
    const at = place(bytes, random);
    const number = Buffer.alloc(8);
    number.writeBigUInt64BE(BigInt(random.pick([...NUMBERS, ...LARGE.slice(0, -1)])));
    const length = random.pick([1, 2, 4, 8]);
    return replaced(bytes, at, length, number.subarray(8 - length));
  },
  (bytes, { random }) =>
    inserted(bytes, place(bytes, random), Buffer.from(`${random.pick([...NUMBERS, ...LARGE, -1, 1.5])}`)),
  // A word of the format.
  (bytes, { random, words }) =>
    words.length === 0 ? bytes : inserted(bytes, place(bytes, random), Buffer.from(random.pick(words), "latin1")),
  (bytes, { random, words }) => {
    if (words.length === 0) return bytes;
    const word = Buffer.from(random.pick(words), "latin1");
    return replaced(bytes, place(bytes, random), word.length, word);
  },
  // Parts of two inputs.
  (bytes, { random, corpus }) => {
    const other = random.pick(corpus.length === 0 ? [bytes] : corpus);
    const [from, to] = span(other, random);
    return replaced(bytes, place(bytes, random), random.chance(0.5) ? to - from : 0, other.subarray(from, to));
  },
  (bytes, { random, corpus }) => {
    const other = random.pick(corpus.length === 0 ? [bytes] : corpus);
    return Buffer.concat([bytes.subarray(0, place(bytes, random)), other.subarray(place(other, random))]);
  },
];

function place(bytes: Uint8Array, random: SeededRandom): number {
  return random.between(0, bytes.length);
}

/** Mostly short. */
function span(bytes: Uint8Array, random: SeededRandom): [number, number] {
  const from = place(bytes, random);
  const longest = random.chance(0.8) ? 8 : bytes.length;
  return [from, Math.min(bytes.length, from + random.between(0, longest))];
}

function changed(bytes: Buffer, random: SeededRandom, change: (byte: number) => number): Buffer {
  if (bytes.length === 0) return bytes;
  const at = random.between(0, bytes.length - 1);
  bytes[at] = change(bytes[at] ?? 0);
  return bytes;
}

function inserted(bytes: Buffer, at: number, part: Uint8Array): Buffer {
  return Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(at)]);
}

function replaced(bytes: Buffer, at: number, length: number, part: Uint8Array): Buffer {
  return Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(at + length)]);
}

function varintLength(bytes: Uint8Array, at: number): number {
  let length = 1;
  while (length < 9 && (bytes[at + length - 1] ?? 0) >= 0x80) length += 1;
  return length;
}

function varint(value: number): Buffer {
  const out: number[] = [];
  let rest = BigInt(value);
  while (rest >= 0x80n) {
    out.push(Number(rest % 0x80n) | 0x80);
    rest /= 0x80n;
  }
  out.push(Number(rest));
  return Buffer.from(out);
}

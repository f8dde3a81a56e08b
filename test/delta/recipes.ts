import { createHash } from "node:crypto";
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BuiltRecipe, buildRecipe } from "../../src/delta/build-recipe.ts";
import { makeCutter } from "../../src/delta/cutter.ts";
import { type Cutting, piecesMax } from "../../src/delta/cutting.ts";
import { PieceLengths } from "../../src/delta/piece-lengths.ts";
import { encodeSlice, type Recipe, slicesOf } from "../../src/delta/recipe.ts";
import { ByteWriter } from "../../src/protocol/frame/bytes.ts";
import { PIECE_AVERAGE_BYTES_MIN, PIECE_HASH_BYTES } from "../../src/protocol/limits.ts";
import { writeSparsely } from "../../src/sink/disk/read-content.ts";

export const KIB = 1024;
export const MIB = 1024 * KIB;
export const BY_CONTENT: Cutting = { cutter: "content", averageBytes: PIECE_AVERAGE_BYTES_MIN };
export const BY_PLACE: Cutting = { cutter: "fixed", averageBytes: PIECE_AVERAGE_BYTES_MIN };

/** The same bytes for the same seed; they do not repeat. */
export function noise(seed: number, bytes: number): Buffer {
  return bytes === 0
    ? Buffer.alloc(0)
    : createHash("shake256", { outputLength: bytes }).update(`noise ${seed}`).digest();
}

/** Lengths of the pieces of `bytes`, which come in parts of these sizes, again and again. */
export function lengthsOf(
  bytes: Uint8Array,
  cutting: Cutting,
  partBytes: readonly number[] = [bytes.length],
): number[] {
  const cutter = makeCutter(cutting);
  const lengths = new PieceLengths(piecesMax(cutting, Math.max(1, bytes.length)));
  for (let [at, turn] = [0, 0]; at < bytes.length; turn += 1) {
    const to = at + (partBytes[turn % partBytes.length] ?? 1);
    cutter.cut(bytes.subarray(at, to), lengths);
    at = to;
  }
  cutter.end(lengths);
  return [...lengths.take()];
}

/** The pieces of `bytes` as they lie there. */
export function piecesOf(bytes: Buffer, cutting: Cutting): Buffer[] {
  let at = 0;
  return lengthsOf(bytes, cutting).map((length) => {
    at += length;
    return bytes.subarray(at - length, at);
  });
}

/** What is built of a file with this content, of which blocks of zeros are holes. */
export function built(bytes: Uint8Array, cutting: Cutting, size = bytes.length): BuiltRecipe | undefined {
  using file = openedFile(bytes);
  const steps = buildRecipe({ fd: file.fd, size, cutting });
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** A file without a name, with this content. */
export function openedFile(bytes: Uint8Array): Disposable & { readonly fd: number } {
  const folder = mkdtempSync(join(tmpdir(), "fanfold-recipe-"));
  const fd = openSync(join(folder, "file"), "w+");
  rmSync(folder, { recursive: true });
  ftruncateSync(fd, bytes.length);
  writeSparsely(fd, bytes, 0);
  return { fd, [Symbol.dispose]: () => closeSync(fd) };
}

/** A recipe of these lengths, with hashes that tell its pieces apart. */
export function recipeOf(lengths: readonly number[], cutting = BY_CONTENT, seed = 0): Recipe {
  const size = lengths.reduce((before, length) => before + length, 0);
  const hashes = noise(seed, lengths.length * PIECE_HASH_BYTES);
  return { cutting, size, lengths: Uint32Array.from(lengths), hashes };
}

export function slicesIn(recipe: Recipe): Buffer[] {
  return Array.from({ length: slicesOf(recipe.lengths.length) }, (_, index) => {
    const out = new ByteWriter();
    encodeSlice(out, recipe, index);
    return Buffer.from(out.view());
  });
}

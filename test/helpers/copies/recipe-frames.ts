import { makeCutter } from "../../../src/delta/cutter.ts";
import { type CutterKind, type Cutting, piecesMax } from "../../../src/delta/cutting.ts";
import { PieceBits } from "../../../src/delta/piece-bits.ts";
import { makePieceHasher } from "../../../src/delta/piece-hasher.ts";
import { PieceLengths } from "../../../src/delta/piece-lengths.ts";
import { type Recipe, slicesOf } from "../../../src/delta/recipe.ts";
import { encodeRecipe } from "../../../src/delta/recipe-frame.ts";
import { DataTableWriter, type FileFinal } from "../../../src/protocol/frame/data-table.ts";
import { FRAME_HEADER_BYTES, finishFrame, STREAM_DATA, writeFrameHeader } from "../../../src/protocol/frame/frame.ts";
import { hashChunk } from "../../../src/protocol/hash/content-hash.ts";
import { LEAF_BYTES, PIECE_AVERAGE_BYTES_MIN, RECIPE_SLICE_PIECES } from "../../../src/protocol/limits.ts";
import type { LacksMessage } from "../../../src/sink/delta/open-recipes.ts";
import { noise } from "../../delta/recipes.ts";
import { seal } from "./hand-source.ts";
import { SESSION } from "./source-frames.ts";

/** The largest chunk of a frame here. */
const CHUNK_BYTES_MAX = 32 * LEAF_BYTES;

export type HandRecord =
  | { readonly kind: "chunk"; readonly offset: number; readonly bytes: Buffer }
  | { readonly kind: "hole" | "kept"; readonly offset: number; readonly length: number };

export function cuttingOf(cutter: CutterKind): Cutting {
  return { cutter, averageBytes: PIECE_AVERAGE_BYTES_MIN };
}

/** The recipe of these bytes, in memory. */
export function recipeFor(bytes: Buffer, cutting: Cutting): Recipe {
  const cutter = makeCutter(cutting);
  const lengths = new PieceLengths(piecesMax(cutting, bytes.length));
  const hasher = makePieceHasher(cutting);
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES_MAX) {
    const part = bytes.subarray(at, at + CHUNK_BYTES_MAX);
    cutter.cut(part, lengths);
    hasher.take(part, lengths);
  }
  cutter.end(lengths);
  const { hashes } = hasher.end(lengths);
  return { cutting, size: bytes.length, lengths: lengths.take(), hashes };
}

/** One frame for each slice. */
export function recipeFrames(entry: number, recipe: Recipe): Buffer[] {
  return Array.from({ length: slicesOf(recipe.lengths.length) }, (_, index) => recipeFrame(entry, recipe, index));
}

export function recipeFrame(entry: number, recipe: Recipe, slice = 0): Buffer {
  return seal("recipe", encodeRecipe(entry, recipe, slice));
}

/** What all answers to the recipe of an entry say together. */
export function lackedBy(answers: readonly LacksMessage[], entry: number, { lengths }: Recipe): PieceBits {
  const all = PieceBits.none(lengths.length);
  for (const answer of answers) {
    if (answer.entry !== entry) continue;
    const first = answer.slice * RECIPE_SLICE_PIECES;
    const pieces = Math.min(RECIPE_SLICE_PIECES, lengths.length - first);
    for (let piece = 0; piece < pieces; piece += 1) if (bitsOf(answer, pieces).has(piece)) all.add(first + piece);
  }
  return all;
}

function bitsOf({ lacks }: LacksMessage, pieces: number): PieceBits {
  if (lacks === "all") return PieceBits.all(pieces);
  if (lacks === "none") return PieceBits.none(pieces);
  return PieceBits.decode(Buffer.from(lacks.bits, "base64"), pieces);
}

/** A file as a source sends it whose sinks lack these pieces: leaves that touch one as chunks, all others as kept ranges. */
export function recordsOf(bytes: Buffer, { lengths }: Recipe, lacks: PieceBits): HandRecord[] {
  const isSent = new Uint8Array(Math.ceil(bytes.length / LEAF_BYTES));
  for (let [piece, start] = [0, 0]; piece < lengths.length; piece += 1) {
    const end = start + (lengths[piece] ?? 0);
    if (lacks.has(piece)) isSent.fill(1, Math.floor(start / LEAF_BYTES), Math.ceil(end / LEAF_BYTES));
    start = end;
  }
  const records: HandRecord[] = [];
  for (let leaf = 0; leaf < isSent.length; ) {
    let end = leaf + 1;
    while (end < isSent.length && isSent[end] === isSent[leaf] && end - leaf < 32) end += 1;
    const [offset, to] = [leaf * LEAF_BYTES, Math.min(end * LEAF_BYTES, bytes.length)];
    if (isSent[leaf] === 1) records.push({ kind: "chunk", offset, bytes: bytes.subarray(offset, to) });
    else records.push({ kind: "kept", offset, length: to - offset });
    leaf = end;
  }
  return records;
}

/** One data frame with these records of an entry, and its close mark if there is one. */
export function recordsFrame(entry: number, records: readonly HandRecord[], final?: FileFinal): Buffer {
  const table = new DataTableWriter();
  const contents: Buffer[] = [];
  for (const record of records) {
    if (record.kind !== "chunk") {
      table[record.kind]({ entry, ...record });
      continue;
    }
    const { offset, bytes } = record;
    table.chunk({ entry, offset, length: bytes.length, hash: hashChunk(bytes).hash });
    contents.push(bytes);
  }
  if (final !== undefined) table.close(entry, final);
  const content = Buffer.concat(contents);
  const frame = Buffer.concat([Buffer.alloc(FRAME_HEADER_BYTES), content, table.take()]);
  writeFrameHeader(frame, { type: "data", ...SESSION, stream: STREAM_DATA }, content.length);
  finishFrame(frame, 0);
  return frame;
}

/** The same, one frame for each record, and the close mark in the last. */
export function recordFrames(entry: number, records: readonly HandRecord[], final: FileFinal): Buffer[] {
  return [...records.map((record) => recordsFrame(entry, [record])), recordsFrame(entry, [], final)];
}

/** With other bytes at one place. */
export function overwritten(bytes: Buffer, at: number, length = 100): Buffer {
  const changed = Buffer.from(bytes);
  noise(at + 7, length).copy(changed, at);
  return changed;
}

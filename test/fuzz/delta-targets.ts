import { ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { boundsOf } from "../../src/delta/cutting.ts";
import { encodeIndex, readIndex } from "../../src/delta/index-file.ts";
import { PieceBits } from "../../src/delta/piece-bits.ts";
import { PieceIndex } from "../../src/delta/piece-index.ts";
import { decodeSlice } from "../../src/delta/recipe.ts";
import { RecipeSlices } from "../../src/delta/recipe-slices.ts";
import { TRAITS_BYTES } from "../../src/lib/disk/file-traits.ts";
import { ByteReader } from "../../src/protocol/frame/bytes.ts";
import { RECIPE_PIECES_MAX } from "../../src/protocol/limits.ts";
import { decodeRecord, encodeRecord } from "../../src/source/memory/recipe-record.ts";
import { BY_PLACE, KIB, recipeOf, slicesIn } from "../delta/recipes.ts";
import type { FuzzTarget } from "./fuzzer.ts";
import { must, refuses } from "./refuses.ts";

const RECIPES = [
  recipeOf([20 * KIB, 128 * KIB, 1]),
  recipeOf([32 * KIB, 32 * KIB, 5], BY_PLACE),
  recipeOf(Array.from({ length: 2050 }, () => 32 * KIB)),
];

function sliceHolds(input: Uint8Array): void {
  const reader = new ByteReader(input);
  const slice = refuses(["damaged"], () => decodeSlice(reader));
  if (slice === undefined) return;
  const { cutting, size, pieces, lengths } = slice;
  must(pieces <= RECIPE_PIECES_MAX, "a recipe has no more pieces than the limit");
  const { maxBytes } = boundsOf(cutting);
  const sum = lengths.reduce((before, length) => before + length, 0);
  must(sum <= size && lengths.every((length) => length > 0 && length <= maxBytes), "pieces are within their file");
  if (lengths.length < pieces) return;
  const recipe = new RecipeSlices(slice).whole;
  must(recipe !== undefined && sum === size, "one slice is a whole recipe that is as long as its file");
  const [again] = recipe === undefined ? [] : slicesIn(recipe);
  must(again?.equals(input.subarray(0, reader.at)) === true, "one slice has one spelling");
}

/** Two bytes say how many pieces there are. */
function bitsHold(input: Uint8Array): void {
  const pieces = ((input[0] ?? 0) << 8) | (input[1] ?? 0);
  const bits = refuses(["damaged"], () => PieceBits.decode(input.subarray(2), pieces));
  if (bits === undefined) return;
  must(Buffer.compare(bits.bytes, input.subarray(2)) === 0, "one answer has one spelling");
  let count = 0;
  for (const { from, to } of bits.runs()) {
    must(from < to && to <= pieces, "runs are within the recipe");
    count += to - from;
  }
  must(count === bits.count, "runs have all that is lacked");
}

const MAGIC_BYTES = 9;
const HEAD_BYTES = 8;

/** Records of a file of pieces, each behind its length in two bytes. */
function recordsIn(file: Buffer): Buffer {
  const records: Buffer[] = [];
  for (let at = MAGIC_BYTES; at < file.length; ) {
    const length = file.readUInt32LE(at);
    records.push(Buffer.from([length >> 8, length & 0xff]), file.subarray(at + HEAD_BYTES, at + HEAD_BYTES + length));
    at += HEAD_BYTES + length;
  }
  return Buffer.concat(records);
}

/** A file of pieces whose records have right checksums, whatever stands in them. */
function fileOf(input: Uint8Array): Buffer {
  const parts = [Buffer.from("fanfoldP\u0001", "latin1")];
  for (let at = 0; at + 2 <= input.length; ) {
    const body = input.subarray(at + 2, at + 2 + (((input[at] ?? 0) << 8) | (input[at + 1] ?? 0)));
    const head = Buffer.alloc(HEAD_BYTES);
    head.writeUInt32LE(body.length, 0);
    head.writeUInt32LE(crc32(body), 4);
    parts.push(head, Buffer.from(body));
    at += 2 + body.length;
  }
  return Buffer.concat(parts);
}

const encoded = (index: PieceIndex): Buffer =>
  Buffer.concat(Array.from(encodeIndex(index), (part) => Buffer.from(part)));

function seedFile(): Buffer {
  const index = new PieceIndex();
  for (const [number, recipe] of RECIPES.entries())
    index.add({ path: Buffer.from(`a/file ${number}`), traits: Buffer.alloc(TRAITS_BYTES, number) }, recipe);
  return encoded(index);
}

let opened: number | undefined;

/** A file without a name, for one content after another. */
function withContent(content: Buffer): number {
  if (opened === undefined) {
    const folder = mkdtempSync(join(tmpdir(), "fanfold-fuzz-"));
    opened = openSync(join(folder, "file"), "w+");
    rmSync(folder, { recursive: true });
  }
  ftruncateSync(opened, 0);
  writeSync(opened, content, 0, content.length, 0);
  return opened;
}

function fileHolds(content: Buffer): void {
  const index = readIndex(withContent(content), (file) => file);
  const sizes = new Map(Array.from(index.recipes(), ({ file, recipe }) => [file, recipe.size]));
  for (const { recipe } of index.recipes())
    for (const [piece, length] of recipe.lengths.entries()) {
      const found = index.find(recipe, piece);
      if (found === undefined) continue;
      must(
        found.offset + length <= (sizes.get(found.file) ?? 0),
        "a piece that is found lies within a file that is known",
      );
    }
  const again = readIndex(withContent(encoded(index)), (file) => file);
  must(again.files === index.files && again.pieces === index.pieces, "an index is read as it was written");
}

const KEY = { path: Buffer.from("a/file"), traits: Buffer.alloc(TRAITS_BYTES, 7) };
const RECORD_HEAD_BYTES = 13;

/** A remembered recipe behind its head, whose checksum is set right. */
function recordHolds(input: Uint8Array): void {
  const record = Buffer.concat([Buffer.from("fanfoldR\u0001", "latin1"), Buffer.alloc(4), input]);
  record.writeUInt32LE(crc32(input), RECORD_HEAD_BYTES - 4);
  for (const { cutting } of RECIPES) {
    const known = decodeRecord(record, { ...KEY, cutting });
    if (known === undefined) continue;
    const { lengths, hashes, size } = known.recipe;
    const sum = lengths.reduce((before, length) => before + length, 0);
    must(sum === size && hashes.length === lengths.length * 16, "a recipe that is remembered is whole");
    must(known.contentHash.length === 32, "it has a content hash");
    const again = decodeRecord(encodeRecord({ ...KEY, cutting }, known), { ...KEY, cutting });
    must(again?.recipe.hashes.equals(hashes) === true, "it is read as it was written");
  }
}

export const DELTA_TARGETS: readonly FuzzTarget[] = [
  { name: "recipe-slice", seeds: () => RECIPES.flatMap(slicesIn), run: sliceHolds },
  {
    name: "piece-bits",
    seeds: () => [Buffer.from([0, 12, 0xff, 0x0f]), Buffer.from([0, 8, 0x55]), Buffer.from([0, 0])],
    run: bitsHold,
  },
  {
    name: "recipe-record",
    seeds: () =>
      RECIPES.map((recipe) =>
        encodeRecord({ ...KEY, cutting: recipe.cutting }, { recipe, contentHash: Buffer.alloc(32, 9) }).subarray(
          RECORD_HEAD_BYTES,
        ),
      ),
    run: (input) => {
      recordHolds(input);
      must(decodeRecord(Buffer.from(input), { ...KEY, cutting: BY_PLACE }) === undefined, "a record has a head");
    },
  },
  {
    name: "piece-file",
    seeds: () => [recordsIn(seedFile())],
    words: ["..", "/", ".fanfold", "\0"],
    run: (input) => {
      fileHolds(fileOf(input));
      fileHolds(Buffer.from(input));
    },
  },
];

import fc from "fast-check";
import { expect, test } from "vitest";
import { PIECE_HASH_BYTES } from "../../../src/protocol/limits.ts";
import { PieceTable } from "../../../src/sink/delta/piece-table.ts";
import { noise } from "../../delta/recipes.ts";

const SIZE = PIECE_HASH_BYTES;

test("a table of pieces finds the first piece with a hash, and none with a hash that is not in it", () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 50 }), { maxLength: 100 }), (seeds) => {
      const hashes = Buffer.concat(seeds.map((seed) => noise(seed, SIZE)));
      const table = new PieceTable(hashes);
      for (let seed = 0; seed <= 60; seed += 1) {
        const first = seeds.indexOf(seed);
        expect(table.find(Buffer.concat([Buffer.alloc(3), noise(seed, SIZE)]), 3)).toBe(first < 0 ? undefined : first);
      }
    }),
  );
});

test("hashes that were made to fall on one place take no longer for that, and find some of the pieces", () => {
  const pieces = 100_000;
  const hashes = Buffer.alloc(pieces * SIZE);
  for (let piece = 0; piece < pieces; piece += 1) hashes.writeUInt32LE(piece, piece * SIZE + 8);
  const table = new PieceTable(hashes);
  const found = Array.from({ length: pieces }, (_, piece) => table.find(hashes, piece * SIZE));
  for (const [piece, number] of found.entries()) expect([piece, undefined]).toContain(number);
  expect(found.filter((number) => number !== undefined)).toHaveLength(64);
});

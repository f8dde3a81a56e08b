import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KeyedHash } from "../../../src/lib/crypto/keyed-hash.ts";
import { NameTable } from "../../../src/lib/disk/name-table.ts";

const KEY = Uint8Array.from({ length: 8 }, (_, index) => index);

function hashOf(bytes: Uint8Array, key = KEY): string {
  const hash = new KeyedHash(key);
  hash.hash(bytes);
  const words = Buffer.alloc(8);
  words.writeUInt32LE(hash.first, 0);
  words.writeUInt32LE(hash.second, 4);
  return words.toString("hex");
}

test("KeyedHash is HalfSipHash-2-4: the first vectors of its authors", () => {
  const inputs = [0, 1, 2].map((length) => Uint8Array.from({ length }, (_, index) => index));
  expect(inputs.map((input) => hashOf(input))).toEqual(["218d1f59b9b83cc8", "be552412f8387315", "064f39ef7c50eb57"]);
});

test("KeyedHash tells apart what differs in one byte, in length or in the key", () => {
  const different = (one: string, other: string) => expect(one).not.toBe(other);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(), (bytes, seed) => {
      different(hashOf(bytes), hashOf(Buffer.concat([bytes, Buffer.from([0])])));
      different(
        hashOf(bytes),
        hashOf(
          bytes,
          Uint8Array.from(KEY, (byte) => byte ^ 0x80),
        ),
      );
      if (bytes.length === 0) return;
      const at = seed % bytes.length;
      different(hashOf(bytes), hashOf(bytes.map((byte, index) => (index === at ? byte ^ (1 + (seed % 255)) : byte))));
    }),
  );
});

describe("NameTable", () => {
  test("meets exactly the names that were added before, also after it was emptied", () => {
    const names = fc.array(fc.array(fc.string({ maxLength: 3 }), { maxLength: 1500 }), { maxLength: 3 });
    fc.assert(
      fc.property(names, (rounds) => {
        const table = new NameTable(KEY);
        for (const round of rounds) {
          table.clear();
          const [met, wanted]: number[][][] = [[], []];
          for (const [index, name] of round.entries()) {
            const bytes = Buffer.from(`${name}|rest`);
            const found: number[] = [];
            table.add(bytes, bytes.length - 5, (at) => found.push(at));
            met?.push(found.toSorted((one, other) => one - other));
            wanted?.push(round.slice(0, index).flatMap((other, at) => (other === name ? [at] : [])));
          }
          expect(met).toEqual(wanted);
          expect(table.count).toBe(round.length);
        }
      }),
      { numRuns: 20 },
    );
  });

  test("holds very many names, and finds each of them once", () => {
    const table = new NameTable(KEY);
    const names = Array.from({ length: 100_000 }, (_, index) => Buffer.from(`name-${index}`));
    const met: number[] = [];
    for (const name of [...names, ...names]) table.add(name, name.length, (at) => met.push(at));
    expect(met.length).toBe(names.length);
    expect(met.every((at, index) => at === index)).toBe(true);
  });
});

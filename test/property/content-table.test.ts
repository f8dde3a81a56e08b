import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PIECE_HASH_BYTES } from "../../src/protocol/limits.ts";
import { ContentTable, type FileLook } from "../../src/sink/delta/content-table.ts";

const hashOf = (file: number): Buffer => {
  const hash = Buffer.alloc(32);
  hash.writeUInt32LE(file);
  return hash;
};

const traits = fc.record({
  name: fc.constantFrom("a", "b", "long.name", "ä").map((name) => Buffer.from(name)),
  size: fc.constantFrom(1, 2, 65_537),
  seconds: fc.constantFrom(-1, 0, 1_600_000_000, 2 ** 33),
  micros: fc.constantFrom(0, 999_999),
});

const isLike = (one: FileLook, other: FileLook, by: { time: boolean; name: boolean }): boolean =>
  one.size === other.size &&
  (!by.time || (one.seconds === other.seconds && one.micros === other.micros)) &&
  (!by.name || Buffer.compare(one.name, other.name) === 0);

describe("a table of contents", () => {
  test("finds the first file that is like another by all, by size and time, and by size and name", () => {
    fc.assert(
      fc.property(fc.array(traits, { maxLength: 60 }), traits, fc.boolean(), (files, sought, byName) => {
        const table = new ContentTable();
        const directories = [Buffer.from("one"), Buffer.from("two")];
        for (const [file, each] of files.entries())
          expect(table.add(directories[file % 2] ?? Buffer.alloc(0), each, hashOf(file))).toBe(true);
        const keys = [
          { time: true, name: true },
          { time: true, name: false },
          ...(byName ? [{ time: false, name: true }] : []),
        ];
        const first = keys.map((by) => files.findIndex((each) => isLike(each, sought, by))).filter((file) => file >= 0);
        const expected = [...new Set(first)].map((file) => ({
          directory: directories[file % 2],
          name: files[file]?.name,
          size: files[file]?.size,
          hash: hashOf(file).subarray(0, PIECE_HASH_BYTES),
        }));
        expect([...table.find(sought, byName)]).toEqual(expected);
      }),
    );
  });

  test("finds each of many, and takes no more than its bounds", () => {
    const table = new ContentTable(20_000);
    const fileOf = (file: number): FileLook => ({
      name: Buffer.from(`name ${file}`),
      size: 1 + (file % 7),
      seconds: file,
      micros: 0,
    });
    const directory = Buffer.from("directory");
    let taken = 0;
    while (table.add(directory, fileOf(taken), hashOf(taken))) taken += 1;
    expect(taken).toBe(20_000);
    for (let file = 0; file < taken; file += 1)
      expect(table.find(fileOf(file), true).next().value?.hash.readUInt32LE()).toBe(file);
    expect([...table.find(fileOf(taken), true)]).toEqual([]);

    const long = new ContentTable();
    const names = Array.from({ length: 16 }, (_, index) => Buffer.alloc(1024 * 1024, index));
    const isTaken = names.map((name, index) => long.add(directory, { ...fileOf(index), name }, hashOf(index)));
    expect(isTaken.filter((is) => !is)).toHaveLength(1);
  });
});

import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TRAITS_BYTES } from "../../../src/lib/disk/file-traits.ts";
import { compareInWalk } from "../../../src/protocol/names/walk-order.ts";
import { ContentMemory } from "../../../src/source/memory/content-memory.ts";
import type { RowPlace } from "../../../src/source/memory/hash-rows.ts";
import { memoryPath } from "../../../src/source/memory/memory-path.ts";
import { readFilters } from "../../../src/source/walk/filter-options.ts";
import { name, path } from "../../helpers/arbitraries.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";

interface Row {
  readonly directory: Uint8Array;
  readonly name: Uint8Array;
  readonly number: number;
}

const NOW_MS = 1_795_000_000_000;
const DAY_MS = 86_400_000;
const traitsOf = (number: number): Buffer => Buffer.alloc(TRAITS_BYTES, `${number} `);
const hashOf = (number: number): Buffer => Buffer.alloc(32, `hash ${number} `);
const pathIn = (folder: string) => Buffer.from(join(folder, "hashes/one"));
const open = (file: Buffer, change: { keeps?: boolean; bytesMax?: number; nowMs?: number } = {}) =>
  ContentMemory.open(file, { keeps: true, nowMs: NOW_MS, ...change });

/** Files in the order of a walk, each once. */
const rows: fc.Arbitrary<Row[]> = fc
  .uniqueArray(
    fc.record({ directory: fc.oneof(path, fc.constant(Buffer.alloc(0))), name, number: fc.nat({ max: 99 }) }),
    {
      maxLength: 30,
      selector: (row) =>
        `${Buffer.from(row.directory).toString("latin1")}\0${Buffer.from(row.name).toString("latin1")}`,
    },
  )
  .map((list) => list.sort(compareInWalk));
const many = (count: number): Row[] =>
  Array.from({ length: count }, (_, number) => ({
    directory: Buffer.from("a directory"),
    name: Buffer.from(`file ${String(number).padStart(6, "0")}`),
    number,
  }));

function keep(
  file: Buffer,
  list: readonly Row[],
  { commits = true, ...change }: { commits?: boolean; bytesMax?: number } = {},
): void {
  using memory = open(file, change);
  for (const row of list)
    memory.keep(placeOf(row), { bytes: traitsOf(row.number), at: 0 }, { bytes: hashOf(row.number), at: 0 });
  if (commits) memory.commit();
}

/** The hash of each row, as far as it is known. */
function found(file: Buffer, list: readonly Row[]): (string | undefined)[] {
  using memory = open(file, { keeps: false });
  return list.map((row) => {
    const hash = memory.find(placeOf(row), { bytes: Buffer.concat([Buffer.alloc(5), traitsOf(row.number)]), at: 5 });
    return hash === undefined ? undefined : Buffer.from(hash.bytes.subarray(hash.at, hash.at + 32)).toString();
  });
}
/** Where a row is, its name among others. */
function placeOf(row: Row): RowPlace {
  return {
    directory: row.directory,
    names: Buffer.concat([Buffer.from("a"), row.name]),
    from: 1,
    to: row.name.length + 1,
  };
}
const known = (list: readonly Row[]) => list.map(({ number }) => hashOf(number).toString());

describe("what a source remembers of its files", () => {
  test("is found again, of those that look the same, whatever came and went", () => {
    fc.assert(
      fc.property(rows, rows, fc.nat({ max: 3 }), (before, more, change) => {
        const file = pathIn(tempFolder());
        keep(file, before);
        const keyOf = ({ directory, name: each }: Row) =>
          `${Buffer.from(directory).toString("hex")}/${Buffer.from(each).toString("hex")}`;
        const old = new Map(before.map((row) => [keyOf(row), row]));
        const now = [
          ...new Map(
            [...more, ...before.filter((_, index) => index % 4 !== change)].map((row) => [keyOf(row), row]),
          ).values(),
        ];
        now.sort(compareInWalk);
        const wanted = now.map((row) =>
          old.get(keyOf(row))?.number === row.number ? hashOf(row.number).toString() : undefined,
        );
        expect(found(file, now)).toEqual(wanted);
      }),
      { numRuns: 50 },
    );
  });

  test("goes over any number of blocks, and is in a folder that only its owner reads", () => {
    const file = pathIn(tempFolder());
    const list = many(5_000);
    keep(file, list);
    expect(found(file, list)).toEqual(known(list));
    expect(statSync(join(file.toString(), "..")).mode & 0o777).toBe(0o700);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(file.toString(), ".."))).toEqual(["one"]);
  });

  test("counts only when the walk was whole; what a run kept that was cut off comes before the rest of what was known", () => {
    const file = pathIn(tempFolder());
    const list = many(4_000);
    keep(file, list);
    const newer = list.slice(0, 3_000).map((row) => ({ ...row, number: row.number + 10_000 }));
    keep(file, newer, { commits: false });
    expect(found(file, list)).toEqual(known(list));
    // The next run takes over what is on the disk of it: all but the last block.
    using next = open(file);
    const after = found(file, newer).filter((hash) => hash !== undefined);
    expect(after.length).toBeGreaterThan(1_500);
    expect(found(file, list.slice(3_000))).toEqual(known(list.slice(3_000)));
    expect(next).toBeDefined();
  });

  test("is good as far as it goes when it is cut off or damaged", () => {
    const file = pathIn(tempFolder());
    const list = many(4_000);
    keep(file, list);
    const bytes = readFileSync(file);
    truncateSync(file, Math.floor(bytes.length / 2));
    const half = found(file, list);
    expect(half.filter((hash) => hash !== undefined).length).toBeGreaterThan(500);
    expect(half.at(-1)).toBeUndefined();
    bytes[bytes.length - 100] = (bytes[bytes.length - 100] ?? 0) ^ 1;
    writeFileSync(file, bytes);
    expect(found(file, list).at(-1)).toBeUndefined();
    for (const other of ["", "fanfoldH", "fanfoldH\u0002 of another version"]) {
      writeFileSync(file, other, "latin1");
      expect(found(file, list.slice(0, 3))).toEqual([undefined, undefined, undefined]);
    }
  });

  test("is bounded", () => {
    const file = pathIn(tempFolder());
    const list = many(20_000);
    keep(file, list, { bytesMax: 300_000 });
    expect(statSync(file).size).toBeLessThan(500_000);
    const some = found(file, list);
    expect(some.slice(0, 1_000)).toEqual(known(list.slice(0, 1_000)));
    expect(some.at(-1)).toBeUndefined();
  });

  test("is nothing where it cannot be kept, and no error", () => {
    const folder = tempFolder();
    writeFileSync(join(folder, "hashes"), "a file in the way");
    keep(pathIn(folder), many(3));
    expect(found(pathIn(folder), many(1))).toEqual([undefined]);
    const file = pathIn(tempFolder());
    mkdirSync(`${file.toString()}.new`, { recursive: true });
    keep(file, many(3));
    expect(existsSync(file)).toBe(false);
  });

  test("of trees that were not copied for long is forgotten", () => {
    const folder = tempFolder();
    const [one, two] = [pathIn(folder), Buffer.from(join(folder, "hashes/two"))];
    keep(one, many(3));
    keep(two, many(3));
    for (const [file, days] of [
      [one, 91],
      [two, 89],
    ] as const)
      utimesSync(file, (NOW_MS - days * DAY_MS) / 1000, (NOW_MS - days * DAY_MS) / 1000);
    keep(Buffer.from(join(folder, "hashes/three")), many(1));
    expect(readdirSync(join(folder, "hashes")).sort()).toEqual(["three", "two"]);
  });

  test("is kept apart for each directory, and for each choice of its files", () => {
    const state = tempFolder();
    const root = Buffer.from("/photos");
    const filters = readFilters([{ exclude: "*.tmp" }]);
    const paths = [
      memoryPath(state, { root }),
      memoryPath(state, { root: Buffer.from("/other") }),
      memoryPath(state, { root, filters }),
      memoryPath(state, { root, filters: readFilters([{ include: "*.tmp" }]) }),
      memoryPath(state, { root, filters: readFilters([{ exclude: "*.bak" }]) }),
      memoryPath(state, { root, oneFileSystem: true }),
      memoryPath(state, { root, links: "skip" }),
    ].map(String);
    expect(new Set(paths).size).toBe(paths.length);
    expect(memoryPath(state, { root, oneFileSystem: false, links: "keep", filters: [] }).toString()).toBe(paths[0]);
  });
});

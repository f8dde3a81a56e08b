import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ENTRY_KINDS, type Entry, entryPath } from "../../src/protocol/frame/page.ts";
import { roomOf } from "../../src/protocol/frame/page-file.ts";
import { type PageRows, readRows } from "../../src/protocol/frame/page-rows.ts";
import * as arbitrary from "../helpers/arbitraries.ts";
import { encodePage } from "../helpers/copies/rows-of.ts";
import { thrownCode } from "../helpers/thrown.ts";

const hex = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString("hex");

/** Every column of a row against the object of the same entry. */
function agrees(rows: PageRows, index: number, entry: Entry): void {
  const { directory, name, mode, mtime } = entry;
  const number = rows.first + index;
  expect([ENTRY_KINDS[entry.kind], entry.entry, mode]).toEqual([rows.kind(index), number, rows.mode(index)]);
  expect([rows.seconds(index), rows.nanoseconds(index)]).toEqual([mtime.seconds, mtime.nanoseconds]);
  const path = entryPath(entry);
  const places = [rows.directory(index), rows.name(index), rows.path(index)].map(hex);
  expect(places).toEqual([directory, name, path].map(hex));
  expect(hex(rows.table.subarray(rows.nameStart(index), rows.nameEnd(index)))).toBe(hex(name));
  expect(rows.isAscii(index)).toBe(name.every((byte) => byte < 0x80));
  expect(rows.isFile(index)).toBe(entry.kind === "file");
  expect([rows.owner(index)?.uid, rows.owner(index)?.gid]).toEqual([entry.owner?.uid, entry.owner?.gid]);
  expect(rows.attributes(index)?.map((each) => hex(each.value))).toEqual(
    entry.attributes?.map((each) => hex(each.value)),
  );
  if (entry.kind === "symlink") expect(hex(rows.target(index))).toBe(hex(entry.target));
  if (entry.kind !== "file") return;
  expect([rows.size(index), rows.room(index)]).toEqual([entry.size, roomOf(entry)]);
  expect(hex(rows.hash(index))).toBe(hex(entry.hash));
}

/** Pages as the arbitrary ones are, with hashes in some. */
const page = fc.tuple(arbitrary.page, fc.option(arbitrary.hash, { nil: undefined })).map(([each, hash]) => ({
  ...each,
  entries: each.entries.map((entry) => (entry.kind === "file" && hash !== undefined ? { ...entry, hash } : entry)),
}));

describe("the rows of a page", () => {
  test("say what its entries say, and so do the objects that are made of them", () => {
    fc.assert(
      fc.property(page, (given) => {
        const rows = readRows(encodePage(given));
        expect([rows.page, rows.first, rows.keeps, rows.count]).toEqual([
          given.page,
          given.first,
          given.keeps,
          given.entries.length,
        ]);
        for (const [index, entry] of given.entries.entries()) {
          agrees(rows, index, entry);
          agrees(rows, index, rows.entry(index));
        }
        expect(encodePage({ ...given, entries: rows.entries() })).toEqual(encodePage(given));
      }),
    );
  });

  test("of a table that was spoilt are refused as damaged, or agree with their objects", () => {
    fc.assert(
      fc.property(arbitrary.spoilt(page.map(encodePage)), (table) => {
        let rows: PageRows | undefined;
        const code = thrownCode(() => {
          rows = readRows(table);
        });
        expect(code).toBe(rows === undefined ? "damaged" : "nothing");
        for (const [index, entry] of rows?.entries().entries() ?? [])
          if (rows !== undefined) agrees(rows, index, entry);
      }),
      { numRuns: 2_000 },
    );
  });

  test("end where the page ends", () => {
    fc.assert(
      fc.property(page, fc.nat({ max: 2_000 }), (given, beyond) => {
        const rows = readRows(encodePage(given));
        expect(thrownCode(() => rows.entry(rows.count + beyond))).toBe("internal");
      }),
    );
  });
});

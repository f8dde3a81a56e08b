import { closeSync, openSync, readSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { type FilePiece, filePieces, type HoleSeeker } from "../../../src/lib/disk/file-pieces.ts";
import { loadNative } from "../../../src/lib/disk/native.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { makeFileWithHoles } from "../../helpers/trees/sparse-file.ts";

const BLOCK = 4096;
const UNIT = 8 * BLOCK;
const GIB = 1024 * 1024 * 1024;

function open(path: string): number {
  const fd = openSync(path, "r");
  onTestFinished(() => closeSync(fd));
  return fd;
}

const looks = { dataBytesMax: 4 * UNIT, unitBytes: UNIT, isSparse: true };
const pieces = (fd: number, from: number, to: number, more: object = {}): FilePiece[] => [
  ...filePieces(fd, { from, to, ...looks, ...more }),
];

/** What a seeker would say of a file with data in these blocks only. */
function seekerOf(blocks: readonly boolean[], size: number): HoleSeeker {
  const next = (offset: number, isData: boolean): number | undefined => {
    for (let at = offset; at < size; at = (Math.floor(at / BLOCK) + 1) * BLOCK)
      if (blocks[Math.floor(at / BLOCK)] === isData) return at;
    return undefined;
  };
  return { seekData: (_, offset) => next(offset, true), seekHole: (_, offset) => next(offset, false) ?? size };
}

describe("filePieces()", () => {
  const layouts = fc.record({
    blocks: fc.array(
      fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
      { maxLength: 150 },
    ),
    lastBytes: fc.integer({ min: 1, max: BLOCK }),
    fromUnit: fc.nat({ max: 3 }),
  });

  test("cover a range without gaps; a unit is a hole exactly when it holds no data", () => {
    const fd = open("/dev/null");
    fc.assert(
      fc.property(layouts, ({ blocks, lastBytes, fromUnit }) => {
        const size = Math.max(0, (blocks.length - 1) * BLOCK + lastBytes);
        const from = Math.min(fromUnit * UNIT, Math.floor(size / UNIT) * UNIT);
        const seeker = seekerOf(blocks, size);
        let at = from;
        let wasHole = false;
        const list = pieces(fd, from, size, { seeker });
        for (const { offset, length, isHole } of list) {
          expect([offset, offset % UNIT, length > 0]).toEqual([at, 0, true]);
          expect(wasHole && isHole).toBe(false);
          if (!isHole) expect(length).toBeLessThanOrEqual(4 * UNIT);
          for (let unit = offset; unit < offset + length; unit += UNIT) {
            const isData = blocks.slice(unit / BLOCK, (unit + UNIT) / BLOCK).includes(true);
            expect(isData).toBe(!isHole);
          }
          wasHole = isHole;
          at += length;
        }
        // The file behind the descriptor is empty: a hole at the end is not believed beyond it.
        const lastData = blocks.lastIndexOf(true);
        const end = Math.min(size, Math.ceil(((lastData + 1) * BLOCK) / UNIT) * UNIT);
        expect(at).toBe(Math.max(from, end));
      }),
    );
  });

  test.skipIf(loadNative() === undefined)("of a real file leave out what is in no block of it", () => {
    const path = join(tempFolder(), "file");
    const mark = Buffer.alloc(10, 1);
    makeFileWithHoles(path, 100 * GIB + 5, [
      { offset: 3 * UNIT + 7, bytes: mark },
      { offset: 50 * GIB, bytes: mark },
    ]);
    expect(pieces(open(path), 0, 100 * GIB + 5)).toEqual([
      { offset: 0, length: 3 * UNIT, isHole: true },
      { offset: 3 * UNIT, length: UNIT, isHole: false },
      { offset: 4 * UNIT, length: 50 * GIB - 4 * UNIT, isHole: true },
      { offset: 50 * GIB, length: UNIT, isHole: false },
      { offset: 50 * GIB + UNIT, length: 50 * GIB + 5 - UNIT, isHole: true },
    ]);
  });

  test("are all data when nobody looks for holes, and where the file system cannot tell", () => {
    const path = join(tempFolder(), "file");
    makeFileWithHoles(path, 10 * UNIT, []);
    const data = [0, 4, 8].map((unit) => ({
      offset: unit * UNIT,
      length: Math.min(4, 10 - unit) * UNIT,
      isHole: false,
    }));
    const fails = (): never => {
      throw Object.assign(new Error("no"), { code: "EINVAL" });
    };
    expect(pieces(open(path), 0, 10 * UNIT, { isSparse: false })).toEqual(data);
    expect(pieces(open(path), 0, 10 * UNIT, { seeker: { seekData: fails, seekHole: fails } })).toEqual(data);
  });

  test.skipIf(loadNative() === undefined)("end with the file when it is shorter, be its end a hole or not", () => {
    const path = join(tempFolder(), "file");
    makeFileWithHoles(path, 10 * UNIT, []);
    const fd = open(path);
    truncateSync(path, 6 * UNIT);
    expect(pieces(fd, 0, 10 * UNIT)).toEqual([{ offset: 0, length: 6 * UNIT, isHole: true }]);
    writeFileSync(path, Buffer.alloc(UNIT, 1));
    const [first, ...others] = pieces(fd, 0, 10 * UNIT);
    expect(others).toEqual([]);
    expect(readSync(fd, Buffer.alloc(4 * UNIT), 0, first?.length ?? 0, 0)).toBe(UNIT);
  });
});

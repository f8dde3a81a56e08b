import { constants } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SpillFile } from "../../src/lib/disk/spill-file.ts";
import type { Attribute } from "../../src/protocol/frame/attribute-names.ts";
import { decodeDataTable, type FileFinal } from "../../src/protocol/frame/data-table.ts";
import { decodeFrame, FRAME_HEADER_BYTES, finishFrame } from "../../src/protocol/frame/frame.ts";
import { FileHasher } from "../../src/protocol/hash/content-hash.ts";
import {
  FILTER_RULES_MAX,
  FRAME_BYTES_MIN,
  FRAME_RECORDS_MAX,
  IGNORE_FILE_BYTES_MAX,
  IGNORE_RULES_MAX,
  LEAF_BYTES,
  PATH_DEPTH_MAX,
} from "../../src/protocol/limits.ts";
import { parseRules } from "../../src/protocol/names/filter.ts";
import { encodeScope } from "../../src/protocol/names/scope.ts";
import { PageStore } from "../../src/sink/stream/page-store.ts";
import { ScopeStore } from "../../src/sink/stream/scope-store.ts";
import { FrameBuilder, frameCapacity } from "../../src/source/read/frame-builder.ts";
import { readFilters } from "../../src/source/walk/filter-options.ts";
import { TreeWalk } from "../../src/source/walk/walk.ts";
import { WalkScope } from "../../src/source/walk/walk-scope.ts";
import { path } from "../helpers/arbitraries.ts";
import { type PaperEntry, paperFolder } from "../helpers/disks/paper-disk.ts";
import { tempFolder } from "../helpers/disks/temp-folder.ts";
import { thrownCode } from "../helpers/thrown.ts";
import { followOrder } from "../helpers/trees/walk-order.ts";

/* What the source's builders take, the sinks' decoders take: whatever a file system says of its entries. */

const { S_IFREG, S_IFLNK, S_IFIFO, S_IFCHR, S_IFBLK, S_IFSOCK } = constants;
/** Whole numbers of 32 and 64 bits, with the borders of fields among them. */
const number32 = fc.oneof(fc.nat({ max: 2_000 }), fc.integer({ min: 2 ** 32 - 4, max: 2 ** 32 - 1 }));
const number64 = fc.oneof(fc.nat(), fc.constantFrom(2 ** 44, 2 ** 44 + 1, 2 ** 53, 2 ** 60));
const seconds = fc.oneof(
  fc.integer(),
  fc.constantFrom(...[52, 53, 60].flatMap((bits) => [2 ** bits, -(2 ** bits), 2 ** bits - 1])),
);
const name = fc
  .oneof(fc.uint8Array({ minLength: 1, maxLength: 12 }), fc.uint8Array({ minLength: 250, maxLength: 600 }))
  .map((bytes) => Buffer.from(bytes.map((byte) => (byte === 0 || byte === 0x2f ? 0x61 : byte))))
  .filter((bytes) => !/^\.{1,2}$/.test(bytes.toString("latin1")));
const attribute: fc.Arbitrary<Attribute> = fc.record({
  name: fc
    .tuple(
      fc.constantFrom("user.", "trusted.", "security.", "system."),
      fc.string({ unit: "binary-ascii", maxLength: 260 }),
    )
    .map(([space, rest]) => Buffer.from(space + rest.replaceAll("\0", "n"))),
  value: fc.oneof(
    fc.uint8Array({ maxLength: 20 }),
    fc.nat({ max: 60_000 }).map((bytes) => Buffer.alloc(bytes)),
  ),
});
const attributes = fc.oneof(
  fc.array(attribute, { maxLength: 4 }),
  fc
    .nat({ max: 300 })
    .map((count) =>
      Array.from({ length: count }, (_, index) => ({ name: Buffer.from(`user.${index}`), value: Buffer.alloc(1) })),
    ),
);
const entry: fc.Arbitrary<PaperEntry> = fc.record({
  name,
  mode: fc
    .tuple(fc.constantFrom(S_IFREG, S_IFREG, S_IFIFO, S_IFCHR, S_IFBLK, S_IFSOCK, S_IFLNK), fc.nat({ max: 0o7777 }))
    .map(([type, bits]) => type | bits),
  ...{ uid: number32, gid: number32, size: number64, blocks: number64 },
  nlink: fc.oneof(fc.constant(1), number32),
  rdev: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  modified: fc.tuple(seconds, fc.nat({ max: 999_999_999 })),
  attributes,
});
const disk = fc.uniqueArray(entry, { maxLength: 12, selector: (each) => Buffer.from(each.name).toString("latin1") });

describe.skipIf(process.platform !== "linux")("what a walk gives", () => {
  test("is taken by sinks, whatever the file system says; and each entry is carried or told of", () => {
    const root = tempFolder();
    fc.assert(
      fc.property(disk, fc.boolean(), (entries, deletes) => {
        using walk = new TreeWalk(Buffer.alloc(0), { deletes }, paperFolder(entries, { root }));
        using pages = new PageStore(SpillFile.open());
        using scope = new ScopeStore();
        let told = 0;
        for (const output of walk.run()) {
          if (output.type === "page") pages.add(output.body);
          else if (output.type === "scope") scope.add(output.body);
          else if (output.type === "problem") told += 1;
          else if (output.type === "warning" || output.what === "socket") told += 1;
        }
        const carried = [...pages.forwards()];
        followOrder(carried);
        expect(carried.length - 1 + told).toBe(entries.length);
      }),
      { numRuns: 80 },
    );
  });

  test("is the same in the least calls and in the careful way", () => {
    const root = tempFolder();
    const walked = (entries: readonly PaperEntry[], owner: boolean, isQuick: boolean): unknown[] => {
      using walk = new TreeWalk(Buffer.alloc(0), { owner }, paperFolder(entries, { root, isQuick }));
      return [...walk.run()];
    };
    fc.assert(
      fc.property(disk, fc.boolean(), (entries, owner) => {
        expect(walked(entries, owner, true)).toEqual(walked(entries, owner, false));
      }),
      { numRuns: 80 },
    );
  });
});

/** Whether a command takes this pattern. */
function isPattern(text: string): boolean {
  return thrownCode(() => readFilters([{ exclude: text }])) === "nothing";
}

describe("what a source says of the deletion", () => {
  test("is taken by sinks: patterns of its command, files without any, and paths that it does not carry", () => {
    const pattern = fc.string({ unit: "binary-ascii", minLength: 1, maxLength: 4_000 }).filter(isPattern);
    const option = fc.oneof(
      pattern.map((exclude) => ({ exclude })),
      fc.constant({ excludeFrom: "/dev/null" }),
    );
    fc.assert(
      fc.property(fc.array(option, { maxLength: 60 }), fc.array(path), (options, spared) => {
        const walked = new WalkScope(readFilters(options), true);
        for (const each of spared) walked.spare(Buffer.from(each));
        using scope = new ScopeStore();
        for (const { body } of walked.take(true)) {
          expect(body.length + FRAME_HEADER_BYTES).toBeLessThanOrEqual(FRAME_BYTES_MIN);
          scope.add(body);
        }
        const rules = scope.groups.flatMap((group) => group.rules);
        expect([rules.length, scope.sparedPaths]).toEqual([
          options.filter((each) => "exclude" in each).length,
          spared.length,
        ]);
      }),
    );
  });

  test("may hold as many patterns as a command takes, and a file without any", () => {
    const options = Array.from({ length: FILTER_RULES_MAX }, (_, index) => ({ exclude: `f${index}` }));
    const walked = new WalkScope(readFilters([...options, { excludeFrom: "/dev/null" }]), true);
    using scope = new ScopeStore();
    for (const { body } of walked.take(true)) scope.add(body);
    expect(scope.groups.length).toBe(FILTER_RULES_MAX);
    expect(thrownCode(() => readFilters([...options, { exclude: "one more" }]))).toBe("usage");
  });

  test("of a directory that has as many patterns as it may, in the longest path, fits into the least payload", () => {
    const content = Buffer.from(`${"x".repeat(64)}\n`.repeat(IGNORE_RULES_MAX));
    expect(content.length).toBeGreaterThan(IGNORE_FILE_BYTES_MAX - 1_000);
    const { rules } = parseRules(content, "it", IGNORE_RULES_MAX);
    expect(thrownCode(() => parseRules(Buffer.concat([content, content]), "it", IGNORE_RULES_MAX))).toBe("usage");
    const directory = Buffer.from("d/".repeat(PATH_DEPTH_MAX).slice(0, -1));
    const body = encodeScope({ kind: "directory", directory, rules });
    expect(body.length + FRAME_HEADER_BYTES).toBeLessThanOrEqual(FRAME_BYTES_MIN);
    using scope = new ScopeStore();
    scope.add(body);
    expect(scope.rulesOf(directory)?.rules.length).toBe(IGNORE_RULES_MAX);
  });
});

/** Puts files into frames as a reader does; gives the frames, sealed. */
class FrameLab {
  readonly frames: Buffer[] = [];
  readonly #builder: FrameBuilder;
  readonly #paces: number[];

  /** `paces`: to what the frames are to be cut behind each frame, one after another. */
  constructor(frameBytes: number, paces: readonly number[] = []) {
    this.#paces = [...paces];
    this.#builder = new FrameBuilder({
      ...{ sessionId: "aaaaaaaaaaaa", epoch: 1, stream: 0, frameBytes },
      takeBuffer: (bytes) => new ArrayBuffer(bytes),
    });
  }

  /** A file whose leaves are zeros where the bits of `zeros` say so, with a hole behind them. */
  file(entry: number, file: { size: number; zeros: number; isSparse: boolean; holeBytes: number }): void {
    const { size, zeros, isSparse, holeBytes } = file;
    const hasher = new FileHasher();
    for (let offset = 0, length = 0; offset < size; offset += length) {
      length = Math.min(this.#builder.chunkBytes, size - offset);
      if (!this.#builder.fits(length)) this.flush();
      const space = this.#builder.space(length).fill(0x61);
      for (let leaf = 0; leaf * LEAF_BYTES < length; leaf += 1)
        if ((zeros >> leaf) % 2 === 1) space.subarray(leaf * LEAF_BYTES, (leaf + 1) * LEAF_BYTES).fill(0);
      this.#builder.data({ entry, offset, length, isSparse }, hasher);
    }
    if (this.#builder.holeRoomBytes === 0) this.flush();
    if (holeBytes > 0) this.#builder.hole({ entry, offset: size, length: holeBytes }, hasher);
    this.close(entry, {
      size: size + holeBytes,
      mode: 0o644,
      mtime: { seconds: 0, nanoseconds: 0 },
      hash: hasher.digest(),
    });
  }

  close(entry: number, final?: FileFinal): void {
    if (!this.#builder.fits(0)) this.flush();
    this.#builder.close(entry, final);
  }

  flush(): void {
    const built = this.#builder.finish();
    if (built === undefined) return;
    const pace = this.#paces.shift();
    if (pace !== undefined) this.#builder.pace(pace);
    const frame = Buffer.from(built.buffer, 0, built.frameBytes);
    finishFrame(frame, this.frames.length);
    this.frames.push(frame);
  }
}

function recordsOf(frame: Buffer): number {
  const { table, content } = decodeFrame(frame);
  return decodeDataTable(table, content).length;
}

describe("a data frame", () => {
  const leaves = fc.nat({ max: 6 }).map((count) => count * LEAF_BYTES);
  const file = fc
    .record({
      leaves,
      rest: fc.nat({ max: LEAF_BYTES - 1 }),
      zeros: fc.nat({ max: 63 }),
      isSparse: fc.boolean(),
      hole: leaves,
    })
    .map(({ leaves: bytes, rest, hole, ...more }) =>
      // A hole begins at a leaf.
      hole > 0 ? { ...more, size: bytes, holeBytes: hole } : { ...more, size: bytes + rest, holeBytes: 0 },
    );

  test("that a reader builds is taken by sinks, however small the transport's payload is", () => {
    fc.assert(
      fc.property(
        fc.array(file, { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 1, max: 300_000 }),
        (files, bytes) => {
          const lab = new FrameLab(bytes);
          for (const [index, each] of files.entries()) lab.file(index + 1, each);
          lab.flush();
          expect(lab.frames.reduce((sum, frame) => sum + recordsOf(frame), 0)).toBeGreaterThanOrEqual(files.length);
          for (const frame of lab.frames) expect(frame.length).toBeLessThanOrEqual(frameCapacity(bytes));
        },
      ),
      { numRuns: 60 },
    );
  });

  test("is taken whenever the rate changes, and no larger than the rates asked for", () => {
    const bytes = fc.integer({ min: 1, max: 300_000 });
    fc.assert(
      fc.property(
        fc.array(file, { minLength: 1, maxLength: 20 }),
        fc.array(bytes, { minLength: 1 }),
        (files, paces) => {
          const lab = new FrameLab(paces[0] ?? 1, paces.slice(1));
          for (const [index, each] of files.entries()) lab.file(index + 1, each);
          lab.flush();
          expect(lab.frames.reduce((sum, frame) => sum + recordsOf(frame), 0)).toBeGreaterThanOrEqual(files.length);
          for (const frame of lab.frames) expect(frame.length).toBeLessThanOrEqual(frameCapacity(Math.max(...paces)));
        },
      ),
      { numRuns: 60 },
    );
  });

  test("of small files holds nearly as many records as sinks take, and no more", () => {
    const lab = new FrameLab(1024 * 1024);
    for (let entry = 1; entry <= 2 * FRAME_RECORDS_MAX; entry += 1) lab.close(entry);
    expect(lab.frames.map(recordsOf)).toEqual([FRAME_RECORDS_MAX - 1, FRAME_RECORDS_MAX - 1]);
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteReader, ByteWriter } from "../../src/protocol/frame/bytes.ts";
import { DataTableWriter, decodeDataTable, RECORD_BYTES_BOUND } from "../../src/protocol/frame/data-table.ts";
import { decodeEnd, decodeWalked, encodeEnd, encodeWalked } from "../../src/protocol/frame/marks.ts";
import { KEEPS_ALL, PAGE_HEAD_BYTES, PageWriter } from "../../src/protocol/frame/page.ts";
import { decodePage } from "../../src/protocol/frame/page-rows.ts";
import {
  FILE_BYTES_MAX,
  FRAME_BYTES_MIN,
  FRAME_HOLE_BYTES_MAX,
  FRAME_RECORDS_MAX,
  LEAF_BYTES,
  PAGE_BYTES_MAX,
  PAGE_ENTRIES_MAX,
} from "../../src/protocol/limits.ts";
import * as arbitrary from "../helpers/arbitraries.ts";
import { encodePage } from "../helpers/copies/rows-of.ts";
import { decodeTrailer, encodeTrailer } from "../helpers/copies/trailers.ts";
import { thrownCode } from "../helpers/thrown.ts";

const offsets = fc.nat({ max: 2 ** 28 }).map((leaf) => leaf * LEAF_BYTES);

/** Encoders of one data frame: chunks with their contents, and close marks. */
const record = fc.oneof(
  fc.record({
    kind: fc.constant("chunk" as const),
    entry: arbitrary.whole,
    offset: offsets,
    hash: arbitrary.hash,
    bytes: fc.uint8Array({ minLength: 1, maxLength: 50 }),
  }),
  fc.record({
    kind: fc.constant("hole" as const),
    entry: arbitrary.whole,
    offset: offsets,
    length: fc.integer({ min: 1, max: FRAME_HOLE_BYTES_MAX / 16 }),
  }),
  fc.record({
    kind: fc.constant("close" as const),
    entry: arbitrary.whole,
    final: fc.option(arbitrary.final, { nil: undefined }),
  }),
);
const records = fc.array(record, { maxLength: 10 });

function encodeRecords(list: (typeof record extends fc.Arbitrary<infer T> ? T : never)[]): {
  table: Buffer;
  content: Buffer;
} {
  const writer = new DataTableWriter();
  for (const each of list) {
    const before = writer.bytes;
    if (each.kind === "chunk") writer.chunk({ ...each, length: each.bytes.length });
    else if (each.kind === "hole") writer.hole(each);
    else writer.close(each.entry, each.final);
    // One chunk and one close mark together.
    expect(writer.bytes - before).toBeLessThanOrEqual(RECORD_BYTES_BOUND / 2);
  }
  return {
    table: writer.take(),
    content: Buffer.concat(list.flatMap((each) => (each.kind === "chunk" ? [each.bytes] : []))),
  };
}

/** Names and values of plain and typed arrays alike, so that views of any kind can be compared. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, each: unknown) =>
      each instanceof Uint8Array ? Buffer.from(each).toString("hex") : each,
    ),
    (_, each: unknown) => {
      const buffer = each as { type?: unknown; data?: unknown } | null;
      return buffer?.type === "Buffer" && Array.isArray(buffer.data) ? Buffer.from(buffer.data).toString("hex") : each;
    },
  );
}

const trailer = fc.record({
  page: arbitrary.whole,
  states: fc.array(arbitrary.state, { maxLength: 20 }),
  digest: arbitrary.hash,
});
const walked = fc.record({
  pages: arbitrary.whole,
  entries: arbitrary.whole,
  files: arbitrary.whole,
  bytes: arbitrary.whole,
});
const end = fc.record({ pages: arbitrary.whole, entries: arbitrary.whole, digest: arbitrary.hash });

interface Codec {
  readonly bytes: fc.Arbitrary<Uint8Array>;
  /** What the bytes were made from, and what comes back. */
  readonly pairs: fc.Arbitrary<readonly [unknown, Uint8Array]>;
  readonly decode: (bytes: Uint8Array) => unknown;
}
function codec<T>(value: fc.Arbitrary<T>, encode: (value: T) => Uint8Array, decode: (bytes: Uint8Array) => T): Codec {
  return { bytes: value.map(encode), pairs: value.map((each) => [each, encode(each)] as const), decode };
}
const CODECS: Readonly<Record<string, Codec>> = {
  page: codec(arbitrary.page, encodePage, decodePage),
  trailer: codec(trailer, encodeTrailer, decodeTrailer),
  "walked mark": codec(walked, encodeWalked, decodeWalked),
  "end mark": codec(end, encodeEnd, decodeEnd),
};

describe.each(Object.entries(CODECS))("a %s", (_, { bytes, pairs, decode }) => {
  test("decodes to what was encoded", () => {
    fc.assert(
      fc.property(pairs, ([value, encoded]) => {
        expect(plain(decode(encoded))).toEqual(plain(value));
      }),
    );
  });

  test("that was spoilt is refused as damaged, or is another one", () => {
    fc.assert(
      fc.property(arbitrary.spoilt(bytes), (input) => {
        expect(["damaged", "nothing"]).toContain(thrownCode(() => decode(input)));
      }),
      { numRuns: 2_000 },
    );
  });

  test("that was cut is refused as damaged wherever the cut is", () => {
    fc.assert(
      fc.property(bytes, (input) => {
        for (let length = 0; length < input.length; length += 1)
          expect(thrownCode(() => decode(input.subarray(0, length)))).toBe("damaged");
      }),
      { numRuns: 20 },
    );
  });
});

describe("a data table", () => {
  test("decodes to its records, with views into its content", () => {
    fc.assert(
      fc.property(records, (list) => {
        const { table, content } = encodeRecords(list);
        expect(plain(decodeDataTable(table, content))).toEqual(plain(list));
      }),
    );
  });

  test("that was spoilt is refused as damaged, or has chunks that cover its content exactly", () => {
    const content = Buffer.alloc(100);
    fc.assert(
      fc.property(arbitrary.spoilt(records.map((list) => encodeRecords(list).table)), (input) => {
        let given: ReturnType<typeof decodeDataTable> = [];
        const code = thrownCode(() => {
          given = decodeDataTable(input, content);
        });
        if (code !== "nothing") {
          expect(code).toBe("damaged");
          return;
        }
        expect(given.length).toBeLessThanOrEqual(FRAME_RECORDS_MAX);
        expect(given.reduce((sum, each) => sum + (each.kind === "hole" ? each.length : 0), 0)).toBeLessThanOrEqual(
          FRAME_HOLE_BYTES_MAX,
        );
        expect(given.reduce((sum, each) => sum + (each.kind === "chunk" ? each.bytes.length : 0), 0)).toBe(
          content.length,
        );
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ["a chunk of no bytes", 0, 0],
    ["a chunk between leaves", 1, 10],
    ["a chunk that ends beyond the largest file", FILE_BYTES_MAX, LEAF_BYTES],
    ["a chunk that begins far beyond it", 2 ** 53 - LEAF_BYTES, LEAF_BYTES],
    ["a chunk longer than the content", 0, 11],
    ["content that no chunk names", 0, 9],
  ])("with %s is refused as damaged", (_, offset, length) => {
    const writer = new DataTableWriter();
    writer.chunk({ entry: 1, offset, length, hash: Buffer.alloc(32) });
    expect(thrownCode(() => decodeDataTable(writer.take(), Buffer.alloc(length === LEAF_BYTES ? length : 10)))).toBe(
      "damaged",
    );
  });

  const GIB = 1024 * 1024 * 1024;
  test.each<[string, (readonly [number, number])[], string]>([
    ["a hole that ends with the largest file", [[FILE_BYTES_MAX - GIB, GIB]], "nothing"],
    [
      "holes of as many bytes as a frame may have",
      [
        [0, FRAME_HOLE_BYTES_MAX - 1],
        [GIB, 1],
      ],
      "nothing",
    ],
    [
      "holes of more",
      [
        [0, FRAME_HOLE_BYTES_MAX],
        [GIB, 1],
      ],
      "damaged",
    ],
    ["a hole of no bytes", [[0, 0]], "damaged"],
    ["a hole between leaves", [[LEAF_BYTES + 1, 10]], "damaged"],
    ["a hole that ends beyond the largest file", [[FILE_BYTES_MAX - LEAF_BYTES, LEAF_BYTES + 1]], "damaged"],
    ["a hole of 2^53 - 1 bytes", [[0, 2 ** 53 - 1]], "damaged"],
  ])("with %s gives %s", (_, holes, expected) => {
    const writer = new DataTableWriter();
    for (const [offset, length] of holes) writer.hole({ entry: 1, offset, length });
    expect(thrownCode(() => decodeDataTable(writer.take(), Buffer.alloc(0)))).toBe(expected);
  });
});

describe("numbers", () => {
  test("read back as they were written, and no other bytes mean the same", () => {
    fc.assert(
      fc.property(arbitrary.whole, fc.integer({ min: -(2 ** 52), max: 2 ** 52 - 1 }), (value, signed) => {
        const writer = new ByteWriter(1);
        writer.varint(value);
        writer.signed(signed);
        const reader = new ByteReader(writer.view());
        expect([reader.varint(), reader.signed(), reader.left]).toEqual([value, signed, 0]);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 10 }), (bytes) => {
        let value = 0;
        const reader = new ByteReader(bytes);
        if (
          thrownCode(() => {
            value = reader.varint();
          }) !== "nothing"
        )
          return;
        const writer = new ByteWriter(1);
        writer.varint(value);
        expect(writer.view()).toEqual(Buffer.from(bytes.subarray(0, bytes.length - reader.left)));
      }),
      { numRuns: 5_000 },
    );
  });

  test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])("of %s are never written", (value) => {
    expect(thrownCode(() => new ByteWriter().varint(value))).toBe("internal");
  });
});

test.each([
  ["of the largest size", { size: FILE_BYTES_MAX }, "nothing"],
  ["of more", { size: FILE_BYTES_MAX + 1 }, "damaged"],
  ["with holes, of which nothing takes room", { size: 1, roomBytes: 0 }, "nothing"],
  ["with holes that make it no smaller", { size: 1, roomBytes: 1 }, "damaged"],
])("a file %s is read or refused", (_, facts, expected) => {
  const entry = { kind: "file" as const, entry: 1, directory: Buffer.alloc(0), name: Buffer.from("f"), mode: 0o644 };
  const mtime = { seconds: 0, nanoseconds: 0 };
  const page = encodePage({ page: 0, first: 1, keeps: KEEPS_ALL, entries: [{ ...entry, mtime, ...facts }] });
  expect(thrownCode(() => decodePage(page))).toBe(expected);
});

test("a page and its trailer stay within the least payload of a transport, whatever stands in them", () => {
  expect(PAGE_BYTES_MAX + 64).toBeLessThan(FRAME_BYTES_MIN);
  const wide = {
    state: "delivered" as const,
    final: {
      size: Number.MAX_SAFE_INTEGER,
      mode: 0o7777,
      mtime: { seconds: -(2 ** 52), nanoseconds: 999_999_999 },
      hash: Buffer.alloc(32),
    },
  };
  const states = Array.from({ length: PAGE_ENTRIES_MAX }, () => wide);
  expect(encodeTrailer({ page: Number.MAX_SAFE_INTEGER, states, digest: Buffer.alloc(32) }).length).toBeLessThan(
    FRAME_BYTES_MIN,
  );
  fc.assert(
    fc.property(arbitrary.page, (page) => {
      const writer = new PageWriter();
      const bound = page.entries.reduce((sum, each) => {
        const growth = writer.growth(each);
        writer.add(each);
        return sum + growth;
      }, PAGE_HEAD_BYTES);
      expect(encodePage(page).length).toBeLessThanOrEqual(bound);
    }),
  );
});

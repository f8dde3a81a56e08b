import { randomBytes } from "node:crypto";
import { zstdDecompressSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compressContent, decompressContent } from "../../src/protocol/frame/compression.ts";
import { decodeWholeFrame, finishFrame } from "../../src/protocol/frame/frame.ts";
import { FRAME_BYTES_MAX } from "../../src/protocol/limits.ts";
import { checkFrame } from "../../src/sink/stream/checked-frame.ts";
import { dataFrame } from "../helpers/copies/hand-source.ts";
import { packed, zeroBomb } from "../helpers/copies/packed-frame.ts";
import { thrownCode } from "../helpers/thrown.ts";

const MIB = 1024 * 1024;
/** Content with repeats, as long as frames of small files and of large ones have it. */
const content = fc
  .record({ unit: fc.uint8Array({ minLength: 1, maxLength: 300 }), bytes: fc.integer({ min: 1, max: 300_000 }) })
  .map(({ unit, bytes }) => Buffer.alloc(bytes, unit));
const inChunks = (bytes: Buffer): Buffer =>
  dataFrame(
    Array.from({ length: Math.ceil(bytes.length / 32_768) }, (_, index) => ({
      entry: index,
      bytes: bytes.subarray(index * 32_768, (index + 1) * 32_768),
    })),
  );

describe("content that is compressed", () => {
  test("comes back as it was, and in memory of its own", () => {
    fc.assert(
      fc.property(content, (bytes) => {
        const compressed = compressContent(bytes);
        if (compressed === undefined) return;
        expect(compressed.length).toBeLessThanOrEqual(bytes.length * 0.9);
        const plain = decompressContent(compressed, bytes.length);
        expect(plain !== undefined && Buffer.compare(plain, bytes)).toBe(0);
        expect(plain?.byteOffset).toBe(0);
      }),
    );
  });

  test("is not, when it does not shrink, and comes out of shared memory", () => {
    expect(compressContent(randomBytes(MIB))).toBeUndefined();
    const shared = Buffer.from(new SharedArrayBuffer(MIB));
    expect(compressContent(shared)?.length).toBeLessThan(1_000);
  });

  test("is refused when it is cut, of another length than was said, or garbage", () => {
    fc.assert(
      fc.property(content, fc.nat(), (bytes, at) => {
        const compressed = compressContent(bytes);
        if (compressed === undefined) return;
        expect(decompressContent(compressed, bytes.length + 1)).toBeUndefined();
        expect(decompressContent(compressed, bytes.length - 1)).toBeUndefined();
        expect(decompressContent(compressed.subarray(0, at % compressed.length), bytes.length)).toBeUndefined();
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 5_000 }), (bytes, plainBytes) => {
        expect([undefined, plainBytes]).toContain(decompressContent(bytes, plainBytes)?.length);
      }),
    );
  });

  test("is refused when it is a bomb, by its length or by the window it wants", () => {
    const small = zeroBomb(MIB);
    expect(zstdDecompressSync(small).length).toBe(MIB);
    expect(decompressContent(small, MIB)?.length).toBe(MIB);
    expect(decompressContent(zeroBomb(64 * 1024 * MIB), MIB)).toBeUndefined();
    expect(decompressContent(zeroBomb(MIB, 22), MIB)?.length).toBe(MIB);
    expect(decompressContent(zeroBomb(MIB, 23), MIB)).toBeUndefined();
    expect(decompressContent(zeroBomb(MIB, 31), MIB)).toBeUndefined();
  });
});

describe("a data frame that is compressed [P-3.5]", () => {
  test("is checked as the plain one is, and keeps nothing of its payload", () => {
    fc.assert(
      fc.property(content, (bytes) => {
        const plain = inChunks(bytes);
        const compressed = packed(plain);
        if (compressed.length >= plain.length) return;
        const [checked, expected] = [checkFrame(compressed), checkFrame(plain)];
        if ("type" in checked || "type" in expected) throw new Error("a frame is spoilt");
        for (const part of ["content", "table"] as const)
          expect(Buffer.compare(checked.frame[part], expected.frame[part])).toBe(0);
        expect(checked.hashes).toEqual(expected.hashes);
        expect(checked.frame.plainBytes).toBe(0);
        for (const view of [checked.frame.content, checked.frame.table]) {
          expect(view.buffer).not.toBe(compressed.buffer);
          expect(view.buffer).toBe(checked.frame.table.buffer);
        }
      }),
    );
  });

  test("is as good as altered when any bit of its content is another one, or it decompresses to another length", () => {
    const frame = inChunks(Buffer.alloc(100_000, "some text "));
    const good = packed(frame);
    const contentBytes = good.readUInt32BE(32);
    for (let bit = 0; bit < contentBytes * 8; bit += 1) {
      const changed = Buffer.from(good);
      changed[40 + (bit >> 3)] = (changed[40 + (bit >> 3)] ?? 0) ^ (1 << (bit & 7));
      const checked = checkFrame(changed);
      // A bit that means nothing may be changed: then the content is what was sent.
      if ("type" in checked) expect(checked).toMatchObject({ type: "altered", chunk: { entry: 0, offset: 0 } });
      else expect(Buffer.compare(checked.frame.content, Buffer.alloc(100_000, "some text "))).toBe(0);
    }
    for (const content of [zeroBomb(64 * MIB), randomBytes(99)])
      expect(checkFrame(packed(frame, { content }))).toMatchObject({ type: "altered" });
  });

  test("is refused as written wrong when the plain length is not that of its chunks, not more than it has, or too much", () => {
    const frame = inChunks(Buffer.alloc(100_000, "some text "));
    const good = packed(frame);
    const contentBytes = good.readUInt32BE(32);
    for (const plainBytes of [1, contentBytes, FRAME_BYTES_MAX, 2 ** 24 - 1])
      expect(thrownCode(() => decodeWholeFrame(packed(frame, { plainBytes })))).toBe("damaged");
    const other = packed(inChunks(Buffer.alloc(99_999, "some text "))).subarray(40);
    const lie = packed(frame, { content: other.subarray(0, contentBytes), plainBytes: 99_999 });
    expect(thrownCode(() => checkFrame(lie))).toBe("damaged");
    const page = Buffer.from(good);
    page[3] = 1;
    page.writeUInt32BE(0, 32);
    finishFrame(page, 0);
    expect(thrownCode(() => decodeWholeFrame(page))).toBe("damaged");
  });
});

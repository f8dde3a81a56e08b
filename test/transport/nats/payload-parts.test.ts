import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FRAME_BYTES_MAX } from "../../../src/protocol/limits.ts";
import { cutPayload, PayloadParts } from "../../../src/transport/nats/payload-parts.ts";

const LIMIT = 4_096;
const bytesOf = (length: number, seed = 1) => Buffer.from(Array.from({ length }, (_, index) => (index * seed) % 251));

function cut(payload: Uint8Array, id: string, limit = LIMIT) {
  return cutPayload(payload, id, limit) ?? expect.fail("the limit is too small");
}

describe("payload parts", () => {
  test("what is cut is the same when it is put together, in parts that leave room for their headers", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40_000 }), fc.integer({ min: 1_200, max: 9_000 }), (length, limit) => {
        const [payload, whole] = [bytesOf(length), new PayloadParts()];
        const parts = cut(payload, "k1", limit);
        const given = parts.map(({ place, bytes }) => {
          expect(bytes.length + "NATS/1.0\r\nFanfold-Part: \r\n\r\n".length + place.length).toBeLessThanOrEqual(limit);
          return whole.take("data", place, bytes);
        });
        expect(given.slice(0, -1).every((one) => one === undefined)).toBe(true);
        expect(Buffer.compare(given.at(-1) ?? Buffer.alloc(0), payload)).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  test("a payload of which any part is lost, repeated or swapped is dropped, and the next one is whole again", () => {
    const [first, second] = [cut(bytesOf(20_000, 3), "k1"), cut(bytesOf(20_000, 7), "k2")];
    const spoil = [
      (parts: typeof first) => parts.toSpliced(0, 1),
      (parts: typeof first) => parts.toSpliced(2, 1),
      (parts: typeof first) => parts.slice(0, -1),
      (parts: typeof first) => parts.toSpliced(2, 0, ...parts.slice(1, 2)),
      (parts: typeof first) => [...parts.slice(0, 2), ...second.slice(2)],
    ];
    for (const [index, how] of spoil.entries()) {
      const whole = new PayloadParts();
      const spoilt = how(first).flatMap(({ place, bytes }) => whole.take("data", place, bytes) ?? []);
      expect([index, spoilt.length]).toEqual([index, 0]);
      const next = second.flatMap(({ place, bytes }) => whole.take("data", place, bytes) ?? []);
      expect(next.map((one) => Buffer.compare(one, bytesOf(20_000, 7)))).toEqual([0]);
    }
  });

  test("parts of several subjects do not disturb one another", () => {
    const whole = new PayloadParts();
    const [one, two] = [cut(bytesOf(10_000, 3), "k1"), cut(bytesOf(10_000, 5), "m1")];
    const given = one.flatMap((part, index) => [
      whole.take("up.a", part.place, part.bytes),
      whole.take("up.b", two[index]?.place ?? "", two[index]?.bytes ?? Buffer.alloc(0)),
    ]);
    const last = given.slice(-2).map((payload) => Buffer.from(payload ?? ""));
    expect(last).toEqual([bytesOf(10_000, 3), bytesOf(10_000, 5)]);
    expect(given.slice(0, -2).every((payload) => payload === undefined)).toBe(true);
  });

  test("holds no more than the parts of two of the largest frames, whatever comes", () => {
    const whole = new PayloadParts();
    const part = Buffer.alloc(FRAME_BYTES_MAX / 4);
    const subjects = Array.from({ length: 12 }, (_, index) => `up.${index}`);
    for (const subject of subjects) whole.take(subject, "k1.0.2", part);
    const kept = subjects.filter((subject) => whole.take(subject, "k1.1.2", Buffer.alloc(1)) !== undefined);
    expect(kept).toEqual(subjects.slice(-8));
  });

  test("holds no part that is smaller than any that is cut", () => {
    const whole = new PayloadParts();
    const [least, tooSmall] = [Buffer.alloc(1_024), Buffer.alloc(1_023)];
    const given = [least, tooSmall, Buffer.alloc(0)].map((first, index) => {
      whole.take(`up.${index}`, "k1.0.2", first);
      return whole.take(`up.${index}`, "k1.1.2", Buffer.alloc(1))?.length;
    });
    expect(given).toEqual([1_025, undefined, undefined]);
  });

  test("a place that makes no sense is no part of anything", () => {
    const whole = new PayloadParts();
    for (const place of [
      "",
      "k1",
      "k1.0",
      "k1.0.x",
      "k1.-1.1",
      "K1.0.1",
      "k1.0.99999",
      `${"k".repeat(33)}.0.1`,
      "k1.0.0",
    ])
      expect(whole.take("data", place, Buffer.alloc(8))).toBeUndefined();
  });

  test("a server that takes less than a part of a KiB is too small", () => {
    expect(cutPayload(bytesOf(5_000), "k1", 1_100)).toBeUndefined();
  });
});

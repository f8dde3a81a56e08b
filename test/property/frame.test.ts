import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  buildFrame,
  decodeFrame,
  decodeWholeFrame,
  FRAME_HEADER_BYTES,
  FRAME_TYPES,
  type FrameType,
  finishFrame,
} from "../../src/protocol/frame/frame.ts";
import type { UpMessage } from "../../src/protocol/frame/report.ts";
import { decodeUp, encodeUp } from "../../src/protocol/frame/up.ts";
import { FRAME_BYTES_MAX, PROTOCOL_VERSION, REPORT_BYTES_MAX } from "../../src/protocol/limits.ts";
import { hash, spoilt, whole } from "../helpers/arbitraries.ts";
import { thrownCode } from "../helpers/thrown.ts";

const types = Object.keys(FRAME_TYPES) as FrameType[];
const sessionId = fc.stringMatching(/^[a-z0-9]{12}$/);
const frame = fc
  .record({
    type: fc.constantFrom(...types),
    sessionId,
    epoch: fc.nat({ max: 0xffff_ffff }),
    stream: fc.constantFrom(0, 1),
    sequence: whole,
    table: fc.uint8Array({ maxLength: 200 }),
  })
  .map(({ table, sequence, ...start }) => {
    const payload = buildFrame(start, table);
    finishFrame(payload, sequence);
    return { ...start, sequence, table, payload };
  });

describe("a frame", () => {
  test("decodes to what it was built from, at any place in a larger buffer", () => {
    fc.assert(
      fc.property(frame, fc.nat({ max: 9 }), ({ payload, table, ...fields }, shift) => {
        const moved = Buffer.concat([Buffer.alloc(shift, 0xff), payload, Buffer.alloc(3, 0xff)]).subarray(
          shift,
          shift + payload.length,
        );
        expect(decodeFrame(moved)).toEqual({
          ...fields,
          plainBytes: 0,
          table: Buffer.from(table),
          content: Buffer.alloc(0),
        });
      }),
    );
  });

  test("with any bit changed, cut anywhere, or with bytes behind it is refused", () => {
    fc.assert(
      fc.property(frame, ({ payload }) => {
        for (let bit = 0; bit < payload.length * 8; bit += 1) {
          const changed = Buffer.from(payload);
          changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
          expect(["damaged", "protocol-version"]).toContain(thrownCode(() => decodeFrame(changed)));
        }
        for (let length = 0; length < payload.length; length += 1)
          expect(thrownCode(() => decodeFrame(payload.subarray(0, length)))).toBe("damaged");
        expect(thrownCode(() => decodeFrame(Buffer.concat([payload, Buffer.alloc(1)])))).toBe("damaged");
      }),
      { numRuns: 10 },
    );
  });

  test("of garbage, of another version, or beyond the limit is refused", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(thrownCode(() => decodeFrame(bytes))).toBe("damaged");
      }),
    );
    const large = Buffer.alloc(FRAME_BYTES_MAX + 1);
    buildFrame({ type: "data", sessionId: "a".repeat(12), epoch: 1, stream: 0 }, new Uint8Array(0)).copy(large);
    expect(thrownCode(() => decodeFrame(large))).toBe("damaged");
    const other = buildFrame({ type: "data", sessionId: "a".repeat(12), epoch: 1, stream: 0 }, new Uint8Array(0));
    other[2] = PROTOCOL_VERSION + 1;
    expect(thrownCode(() => decodeFrame(other))).toBe("protocol-version");
  });

  test("that has content and is no data frame, or is of no known type, is refused even though its checksum is right", () => {
    for (const type of types.filter((each) => each !== "data")) {
      const payload = Buffer.concat([
        buildFrame({ type, sessionId: "a".repeat(12), epoch: 1, stream: 0 }, Buffer.alloc(9)),
      ]);
      payload.writeUInt32BE(5, 32);
      finishFrame(payload, 7);
      expect(thrownCode(() => decodeFrame(payload))).toBe("damaged");
      // Written so, and not spoilt on its way: it would come the same way each time it is asked for.
      expect(thrownCode(() => decodeWholeFrame(payload))).toBe("damaged");
    }
    const payload = buildFrame({ type: "end", sessionId: "a".repeat(12), epoch: 1, stream: 0 }, Buffer.alloc(9));
    payload[3] = 0x7f;
    finishFrame(payload, 7);
    expect(thrownCode(() => decodeWholeFrame(payload))).toBe("damaged");
    payload[39] = (payload[39] ?? 0) ^ 1;
    expect(decodeWholeFrame(payload)).toBeUndefined();
  });
});

const count = fc.maxSafeNat();
const text = fc.string({ unit: "grapheme", maxLength: 30 });
const progress = fc.record({ filesDone: count, bytesDone: count, currentFile: text });
const problems = fc.array(fc.record({ path: text, kind: text, message: text }), { maxLength: 20 });
const message: fc.Arbitrary<UpMessage> = fc.oneof(
  fc.record({
    type: fc.constant("report" as const),
    receivedUpTo: count,
    missing: fc.array(fc.tuple(count, count), { maxLength: 64 }),
    storedUpTo: count,
    progress,
  }),
  fc.record({
    type: fc.constant("want" as const),
    page: count,
    want: fc.oneof(
      fc.constantFrom("all" as const, "none" as const),
      fc.uint8Array({ maxLength: 128 }).map((bits) => ({ bits: Buffer.from(bits).toString("base64") })),
    ),
  }),
  fc.record({
    type: fc.constant("proof" as const),
    pages: count,
    digest: hash.map((bytes) => Buffer.from(bytes).toString("hex")),
    progress,
    problemCount: count,
    problems,
    filesUnchanged: count,
    bytesUnchanged: count,
    bytesKept: count,
    entriesChanged: count,
    receipt: text,
  }),
  fc.record({ type: fc.constant("failed" as const), code: text, message: text, progress }),
);
const up = fc.record({
  sessionId,
  epoch: fc.nat({ max: 0xffff_ffff }),
  sequence: count,
  stream: fc.nat({ max: 255 }),
  message,
});

describe("what a sink says", () => {
  test("decodes to what was encoded", () => {
    fc.assert(
      fc.property(up, (each) => {
        expect(decodeUp(encodeUp(each))).toEqual(each);
      }),
    );
  });

  test("is refused when it was spoilt, whatever stands in its body", () => {
    fc.assert(
      fc.property(spoilt(up.map(encodeUp)), (bytes) => {
        expect(["damaged", "protocol-version", "nothing"]).toContain(thrownCode(() => decodeUp(bytes)));
      }),
      { numRuns: 2_000 },
    );
    const bodies = fc.oneof(
      fc.uint8Array({ maxLength: 100 }),
      fc.json().map((json) => Buffer.from(json)),
      spoilt(message.map((each) => Buffer.from(JSON.stringify(each)))),
    );
    fc.assert(
      fc.property(bodies, (body) => {
        const payload = buildFrame({ type: "up", sessionId: "a".repeat(12), epoch: 1, stream: 1 }, body);
        finishFrame(payload, 0);
        expect(["damaged", "nothing"]).toContain(thrownCode(() => decodeUp(payload)));
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ["negative", -1],
    ["fractional", 1.5],
    ["beyond 2^53", 2 ** 60],
    ["no number", "1"],
    ["null", null],
  ])("with a position that is %s is refused", (_, storedUpTo) => {
    const body = Buffer.from(
      JSON.stringify({
        type: "report",
        receivedUpTo: 0,
        missing: [],
        storedUpTo,
        progress: { filesDone: 0, bytesDone: 0, currentFile: "" },
      }),
    );
    const payload = buildFrame({ type: "up", sessionId: "a".repeat(12), epoch: 1, stream: 1 }, body);
    finishFrame(payload, 0);
    expect(thrownCode(() => decodeUp(payload))).toBe("damaged");
  });

  test("is refused when it is longer than the limit, and when it is a frame of the source", () => {
    const long = buildFrame(
      { type: "up", sessionId: "a".repeat(12), epoch: 1, stream: 1 },
      Buffer.alloc(REPORT_BYTES_MAX + 1, " "),
    );
    finishFrame(long, 0);
    expect(long.length).toBe(FRAME_HEADER_BYTES + REPORT_BYTES_MAX + 1);
    const end = buildFrame({ type: "end", sessionId: "a".repeat(12), epoch: 1, stream: 0 }, Buffer.from("{}"));
    finishFrame(end, 0);
    expect([long, end].map((payload) => thrownCode(() => decodeUp(payload)))).toEqual(["damaged", "damaged"]);
  });
});

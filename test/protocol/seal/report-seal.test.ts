import { crc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { plainAesGcm } from "../../../src/lib/crypto/aes-gcm.ts";
import { decodeWholeFrame, type FrameScope, nonceOf, openSealedFrame } from "../../../src/protocol/frame/frame.ts";
import type { UpMessage } from "../../../src/protocol/frame/report.ts";
import { encodeUp, upOf } from "../../../src/protocol/frame/up.ts";
import { ReportOpener, ReportSealer, SEALED_UP_BYTES_MAX } from "../../../src/protocol/seal/report-seal.ts";
import { reportKey } from "../../../src/protocol/seal/seal-keys.ts";
import { ownOpenedReport, ownPrivateKey, ownReportKey, ownSealedReport } from "./own-seal.ts";
import {
  counted,
  DOCUMENTED_VECTORS,
  member,
  OTHER_SINK_ID,
  SCOPE,
  SECRET,
  SINK_ID,
  SINK_SEED,
  sink,
} from "./sealed-frames.ts";

/** The want of docs/protocol.md's example, said by its sink: with the secret 00 to 1f, the sink's seed 40 to 5f, and this salt. */
const EXAMPLE_WANT = { type: "want", page: 0, want: "all" } as const;
const EXAMPLE_SEQUENCE = 1;
const EXAMPLE_SINK_ID = "q8z1mc";
const EXAMPLE_SALT = "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf";
const [EXAMPLE_REPORT_KEY = "", EXAMPLE_SEALED_REPORT = ""] = DOCUMENTED_VECTORS.slice(3);

const HEADER_BYTES = 40;
const HEAD_BYTES = 56;
const CRC_OFFSET = 36;
const SALT = Buffer.from(EXAMPLE_SALT, "hex");

interface Place {
  readonly secret?: Uint8Array;
  readonly scope?: FrameScope;
  readonly sinkId?: string;
}

/** By whom and where it is said. */
interface Said extends Place {
  readonly sequence?: number;
  readonly stream?: number;
  readonly salt?: Uint8Array;
  readonly signer?: typeof sink;
  readonly message?: UpMessage;
}

function sealed(said: Said = {}): Buffer {
  const { secret = SECRET, scope = SCOPE, sinkId = SINK_ID, salt = SALT, signer = sink } = said;
  const { sequence = EXAMPLE_SEQUENCE, stream = 0, message = EXAMPLE_WANT } = said;
  const sealer = new ReportSealer({ secret, scope, sinkId, salt, signer });
  return encodeUp({ ...scope, sequence, stream, message }, sealer);
}

function opened(
  payload: Buffer,
  { secret = SECRET, scope = SCOPE, sinkId = SINK_ID }: Place = {},
  key = sink.publicKey,
) {
  const reports = new ReportOpener(secret, scope);
  const before = Buffer.from(payload);
  const frame = openSealedFrame(payload, { open: (bytes) => reports.open(bytes, { id: sinkId, key }) });
  // The coordinator reads the same payload.
  expect(payload.equals(before)).toBe(true);
  return frame === undefined ? undefined : upOf(frame);
}

function checked(report: Buffer): Buffer {
  const copy = Buffer.from(report);
  copy.writeUInt32BE(crc32(copy.subarray(0, CRC_OFFSET)), CRC_OFFSET);
  return copy;
}

function altered(report: Buffer, at: number): Buffer {
  const copy = Buffer.from(report);
  copy[at] = (copy[at] ?? 0) ^ 0x55;
  return copy;
}

const text = fc.string({ unit: "grapheme", maxLength: 60 });
const progress = fc.record({ filesDone: fc.maxSafeNat(), bytesDone: fc.maxSafeNat(), currentFile: text });
const message: fc.Arbitrary<UpMessage> = fc.oneof(
  fc.record({ type: fc.constant("failed" as const), code: text, message: text, progress }),
  fc.record({
    type: fc.constant("report" as const),
    receivedUpTo: fc.maxSafeNat(),
    missing: fc.array(fc.tuple(fc.maxSafeNat(), fc.maxSafeNat()), { maxLength: 3 }),
    storedUpTo: fc.maxSafeNat(),
    progress,
  }),
);
const said = fc.record({ message, sequence: fc.maxSafeNat(), stream: fc.nat({ max: 255 }) });

describe("a sealed report", () => {
  test("opens to what was said, and shows nothing of it but its header", () => {
    fc.assert(
      fc.property(said, (each) => {
        const payload = sealed(each);
        expect(opened(payload)).toEqual({ ...SCOPE, ...each });
        expect(payload.includes(`"${each.message.type}"`)).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  test("with any byte altered is refused, also when its checksum was made right again", () => {
    const payload = sealed();
    for (let at = 0; at < payload.length; at += 1) {
      expect(opened(altered(payload, at)), `byte ${at}`).toBeUndefined();
      if (at < CRC_OFFSET) expect(opened(checked(altered(payload, at))), `byte ${at}, checked`).toBeUndefined();
    }
    expect(opened(payload)).toBeDefined();
  });

  test("is refused when it was cut anywhere, has bytes behind it, or is longer than any report", () => {
    const payload = sealed();
    for (let length = 0; length < payload.length; length += 1)
      expect(opened(payload.subarray(0, length)), `${length} bytes`).toBeUndefined();
    expect(opened(Buffer.concat([payload, Buffer.alloc(1)]))).toBeUndefined();
    const long = { code: "x", message: "x".repeat(SEALED_UP_BYTES_MAX), progress: NOTHING_DONE };
    expect(opened(sealed({ message: { type: "failed", ...long } }))).toBeUndefined();
  });

  test("is refused with every sequence but its own, the greatest that a header can hold among them", () => {
    for (const sequence of [0n, 2n, 2n ** 32n + 1n, 2n ** 53n, 2n ** 64n - 1n]) {
      const moved = sealed();
      moved.writeBigUInt64BE(sequence, 24);
      expect(opened(checked(moved)), `${sequence}`).toBeUndefined();
    }
  });

  test.each<[string, Place]>([
    ["in another's name", { sinkId: OTHER_SINK_ID }],
    ["with another secret", { secret: counted(1) }],
    ["in another epoch", { scope: { ...SCOPE, epoch: 2 } }],
    ["in another session", { scope: { ...SCOPE, sessionId: "abcdefghijkl" } }],
  ])("is refused %s", (_, place) => {
    expect(opened(sealed(), place)).toBeUndefined();
    expect(opened(sealed(place))).toBeUndefined();
    expect(opened(sealed(place), place)).toBeDefined();
  });

  test("with another salt, or said of another stream, is refused", () => {
    const payload = sealed();
    expect(
      opened(Buffer.concat([payload.subarray(0, HEADER_BYTES), counted(7, 16), payload.subarray(HEAD_BYTES)])),
    ).toBe(undefined);
    payload[20] = 1;
    expect(opened(checked(payload))).toBeUndefined();
  });

  test("that another member has signed is refused: it has the key, and not the sink's own", () => {
    const forged = sealed({ signer: member });
    expect(opened(forged)).toBeUndefined();
    expect(opened(forged, {}, member.publicKey)).toBeDefined();
  });

  test("whose text was altered and sealed again beneath the sink's signature is refused", () => {
    const key = reportKey(SECRET, SCOPE, { sinkId: SINK_ID, salt: SALT });
    const again = (change: (plain: Buffer) => Buffer): Buffer => {
      const plain = change(plainOf(sealed(), key));
      const [head, body, tag] = [plain.subarray(0, HEAD_BYTES), plain.subarray(HEAD_BYTES), Buffer.alloc(16)];
      plainAesGcm(key).seal(nonceOf(head), head, body, tag);
      return Buffer.concat([plain, tag]);
    };
    expect(opened(again((plain) => plain))).toBeDefined();
    for (let at = HEAD_BYTES; at < plainOf(sealed(), key).length; at += 1)
      expect(opened(again((plain) => altered(plain, at))), `byte ${at}`).toBeUndefined();
  });

  test("that is not sealed at all is refused, and a sealed one is none that goes in the open", () => {
    expect(opened(encodeUp({ ...SCOPE, sequence: 1, stream: 0, message: EXAMPLE_WANT }))).toBeUndefined();
    expect(decodeWholeFrame(sealed())).toBeUndefined();
  });

  test("opens beside those of other sinks, and of other salts of the same sink, in any order", () => {
    const speakers = [SINK_ID, OTHER_SINK_ID].flatMap((sinkId) =>
      [1, 2].map((from) => ({ sinkId, payload: sealed({ sinkId, salt: counted(from, 16), sequence: from }) })),
    );
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...speakers), { maxLength: 20 }), (order) => {
        const reports = new ReportOpener(SECRET, SCOPE);
        for (const { sinkId, payload } of order)
          expect(reports.open(payload, { id: sinkId, key: sink.publicKey })).toBeDefined();
      }),
    );
  });
});

const NOTHING_DONE = { filesDone: 0, bytesDone: 0, currentFile: "" };

/** Header, salt, body and signature, as who has the secret reads them. */
function plainOf(payload: Buffer, key: Uint8Array): Buffer {
  const plain = ownOpenedReport(payload, key, ownPrivateKey(SINK_SEED));
  if (plain === undefined) throw new Error("want it opened");
  return plain;
}

describe("an implementation of the layout that knows nothing of ours", () => {
  const own = { secret: SECRET, ...SCOPE };
  const ownSink = ownPrivateKey(SINK_SEED);

  test("opens what ours sealed, and seals what ours opens, to the same bytes", () => {
    fc.assert(
      fc.property(said, fc.uint8Array({ minLength: 16, maxLength: 16 }), (each, salt) => {
        const key = ownReportKey(own, SINK_ID, salt);
        const payload = sealed({ ...each, salt });
        const plain = plainOf(payload, key);
        const report = Buffer.concat([plain.subarray(0, HEADER_BYTES), plain.subarray(HEAD_BYTES, -64)]);
        expect(JSON.parse(report.subarray(HEADER_BYTES).toString())).toEqual(each.message);
        expect(ownSealedReport(report, key, salt, ownSink).equals(payload)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  test("makes the vector of docs/protocol.md, and so does ours", () => {
    const key = ownReportKey(own, EXAMPLE_SINK_ID, SALT);
    expect(key.toString("hex")).toBe(EXAMPLE_REPORT_KEY);
    expect(sealed({ sinkId: EXAMPLE_SINK_ID }).toString("hex")).toBe(EXAMPLE_SEALED_REPORT);
    const plain = plainOf(Buffer.from(EXAMPLE_SEALED_REPORT, "hex"), key);
    expect(JSON.parse(plain.subarray(HEAD_BYTES, -64).toString())).toEqual(EXAMPLE_WANT);
  });
});

import { crc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { plainAesGcm } from "../../../src/lib/crypto/aes-gcm.ts";
import { VerifyingKey } from "../../../src/lib/crypto/signing-key.ts";
import {
  finishFrame,
  nonceOf,
  openSealedFrame,
  type StreamScope,
  sequenceOf,
} from "../../../src/protocol/frame/frame.ts";
import { streamKey } from "../../../src/protocol/seal/seal-keys.ts";
import { StreamOpener, StreamSealer } from "../../../src/protocol/seal/stream-seal.ts";
import { checkFrame } from "../../../src/sink/stream/checked-frame.ts";
import { ownOpenedFrame, ownPrivateKey, ownSealedFrame, ownStreamKey } from "./own-seal.ts";
import {
  counted,
  DOCUMENTED_VECTORS,
  frameOf,
  frameParts,
  member,
  OTHER_SINK_ID,
  SCOPE,
  SECRET,
  SINK_ID,
  SOURCE_SEED,
  source,
} from "./sealed-frames.ts";

/** The data frame of docs/protocol.md's example: "hello" and a line feed, in a file of its own. */
const EXAMPLE_CONTENT = "68656c6c6f0a";
const EXAMPLE_TABLE =
  "0201010006" +
  "8e4c7c1b99dbfd50e7a95185fead5ee1448fa904a2fdd778eaf5f2dbfd629a99" +
  "02010106a40380ee89ab0d959aef3a" +
  "8e4c7c1b99dbfd50e7a95185fead5ee1448fa904a2fdd778eaf5f2dbfd629a99";
const EXAMPLE_SEQUENCE = 2;
/** With the secret 00 to 1f, and the source's seed 20 to 3f. */
const [EXAMPLE_STREAM_KEY = "", EXAMPLE_SEALED_FRAME = "", EXAMPLE_SEALED_HEARTBEAT = ""] = DOCUMENTED_VECTORS;

const HEADER_BYTES = 40;
const CRC_OFFSET = 36;

type Place = Partial<StreamScope> & { readonly secret?: Uint8Array; readonly sinkId?: string | undefined };

function keyOf({ secret = SECRET, sinkId, ...scope }: Place = {}): Buffer {
  return streamKey(secret, { ...SCOPE, stream: 0, ...scope }, sinkId);
}

function opened(sealed: Buffer, place: Place = {}, publicKey = source.publicKey) {
  return openSealedFrame(Buffer.from(sealed), new StreamOpener(keyOf(place), new VerifyingKey(publicKey)));
}

function sealed(frame: Buffer, sequence: number, place: Place = {}, signer = source): Buffer {
  return Buffer.from(finishFrame(frame, sequence, new StreamSealer(keyOf(place), signer)));
}

/** With a checksum that is right: it is no secret. */
function checked(frame: Buffer): Buffer {
  const copy = Buffer.from(frame);
  copy.writeUInt32BE(crc32(copy.subarray(0, CRC_OFFSET)), CRC_OFFSET);
  return copy;
}

/** With one byte altered. */
function altered(frame: Buffer, at: number, by = 0x55): Buffer {
  const copy = Buffer.from(frame);
  copy[at] = (copy[at] ?? 0) ^ by;
  return copy;
}

const example = () =>
  frameOf({ type: "data", content: Buffer.from(EXAMPLE_CONTENT, "hex"), table: Buffer.from(EXAMPLE_TABLE, "hex") });
const heartbeat = (place: Partial<StreamScope> = {}) => frameOf({ type: "heartbeat", ...place });

describe("a sealed frame", () => {
  test("opens to what was sealed, and shows nothing of it but its header", () => {
    fc.assert(
      fc.property(frameParts, ({ sequence, ...parts }) => {
        const place = { stream: parts.stream };
        const plain = frameOf(parts);
        const body = Buffer.from(plain.subarray(HEADER_BYTES));
        const hidden = sealed(plain, sequence, place);
        expect(hidden.length).toBe(HEADER_BYTES + body.length + 80);
        const frame = new StreamOpener(keyOf(place), new VerifyingKey(source.publicKey)).open(Buffer.from(hidden));
        expect(frame?.subarray(HEADER_BYTES).equals(body)).toBe(true);
        expect(frame?.subarray(0, HEADER_BYTES)).toEqual(hidden.subarray(0, HEADER_BYTES));
        expect(frame && sequenceOf(frame)).toBe(sequence);
        for (let at = 0; at + 8 <= body.length && at < 200; at += 8)
          expect(hidden.includes(body.subarray(at, at + 8))).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  test("with any byte altered is refused, also when its checksum was made right again", () => {
    const hidden = sealed(example(), EXAMPLE_SEQUENCE);
    for (let at = 0; at < hidden.length; at += 1) {
      expect(opened(altered(hidden, at)), `byte ${at}`).toBeUndefined();
      if (at < CRC_OFFSET) expect(opened(checked(altered(hidden, at))), `byte ${at}, checked`).toBeUndefined();
    }
    expect(opened(hidden)).toBeDefined();
  });

  test("is refused when any bits of it are altered, whatever it holds", () => {
    const spoilt = fc.record({ parts: frameParts, place: fc.nat(), by: fc.integer({ min: 1, max: 255 }) });
    fc.assert(
      fc.property(spoilt, ({ parts: { sequence, ...parts }, place, by }) => {
        const hidden = sealed(frameOf(parts), sequence, { stream: parts.stream });
        const at = place % hidden.length;
        const spoilt = altered(hidden, at, by);
        const isOfChecksum = at >= CRC_OFFSET && at < HEADER_BYTES;
        expect(opened(isOfChecksum ? spoilt : checked(spoilt), { stream: parts.stream })).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });

  test("is refused when it was cut anywhere, or has bytes behind it", () => {
    const hidden = sealed(example(), EXAMPLE_SEQUENCE);
    for (let length = 0; length < hidden.length; length += 1)
      expect(opened(hidden.subarray(0, length)), `${length} bytes`).toBeUndefined();
    expect(opened(Buffer.concat([hidden, Buffer.alloc(1)]))).toBeUndefined();
    expect(opened(Buffer.concat([hidden, hidden.subarray(-80)]))).toBeUndefined();
  });

  test("is refused with every sequence but its own, the greatest that a header can hold among them", () => {
    const hidden = sealed(example(), EXAMPLE_SEQUENCE);
    for (const sequence of [0n, 1n, 3n, 2n ** 32n + 2n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n]) {
      const moved = Buffer.from(hidden);
      moved.writeBigUInt64BE(sequence, 24);
      expect(opened(checked(moved)), `${sequence}`).toBeUndefined();
    }
  });

  const places: readonly (readonly [string, Place, Place])[] = [
    ["another secret", {}, { secret: counted(1) }],
    ["another stream", {}, { stream: 1 }],
    ["a lane, on data", { stream: 1, sinkId: SINK_ID }, { stream: 0 }],
    ["another lane", { stream: 1, sinkId: SINK_ID }, { stream: 2, sinkId: SINK_ID }],
    ["the lane of another sink", { stream: 1, sinkId: SINK_ID }, { stream: 1, sinkId: OTHER_SINK_ID }],
    ["another epoch", {}, { epoch: 2 }],
    ["another session", {}, { sessionId: "abcdefghijkl" }],
  ];

  test.each(places)("is refused at %s", (_, from, to) => {
    const { secret: _secret, sinkId: _sinkId, ...scope } = from;
    const hidden = sealed(frameOf({ type: "page", table: Buffer.from("table"), ...scope }), 0, from);
    expect(opened(hidden, from)).toBeDefined();
    expect(opened(hidden, to)).toBeUndefined();
  });

  test.each(places)("that a member opened and sealed again is refused at %s", (_, from, to) => {
    const { secret: _secret, sinkId: _sinkId, ...scope } = from;
    const { secret: _toSecret, sinkId: _toSink, ...toScope } = to;
    const hidden = sealed(frameOf({ type: "page", table: Buffer.from("table"), ...scope }), 0, from);
    const whole = new StreamOpener(keyOf(from), new VerifyingKey(source.publicKey)).open(hidden);
    const body = Buffer.from(hidden.subarray(HEADER_BYTES, -16));
    // As it must be at that place, with the signature that the source gave.
    const header = Buffer.from(frameOf({ type: "page", ...scope, ...toScope }).subarray(0, HEADER_BYTES));
    const again = checked(header);
    expect(whole).toBeDefined();
    const tag = Buffer.alloc(16);
    plainAesGcm(keyOf({ ...from, ...to })).seal(Buffer.alloc(12), again, body, tag);
    expect(opened(Buffer.concat([again, body, tag]), { ...from, ...to })).toBeUndefined();
  });

  test("that somebody else has signed is refused: a member of the session has its keys, and not the source's", () => {
    const forged = sealed(example(), EXAMPLE_SEQUENCE, {}, member);
    expect(opened(forged)).toBeUndefined();
    expect(opened(forged, {}, member.publicKey)).toBeDefined();
  });

  test("whose table was altered and sealed again beneath the source's signature is refused", () => {
    const frame = resealed((plain) => altered(plain, plain.length - 64 - 1));
    expect(opened(frame)).toBeUndefined();
  });

  test("whose content was altered and sealed again beneath the source's signature is found by its chunk's hash", () => {
    const opener = () => new StreamOpener(keyOf(), new VerifyingKey(source.publicKey));
    const good = checkFrame(
      resealed((plain) => plain),
      opener(),
    );
    expect("type" in good ? good.type : good.records.map(({ kind }) => kind)).toEqual(["chunk", "close"]);
    for (let at = 0; at < EXAMPLE_CONTENT.length / 2; at += 1) {
      const spoilt = checkFrame(
        resealed((plain) => altered(plain, HEADER_BYTES + at)),
        opener(),
      );
      expect(spoilt).toMatchObject({ type: "altered", frame: { sequence: EXAMPLE_SEQUENCE } });
    }
  });

  test("that is of another direction is refused: what a sink signs is no frame of a source", () => {
    const key = keyOf();
    const frame = example();
    finishFrame(frame, EXAMPLE_SEQUENCE);
    const asReport = {
      signBytes: (_context: string, bytes: Uint8Array) => source.signBytes("fanfold report 1", bytes),
    };
    const forged = new StreamSealer(key, Object.assign(Object.create(source), asReport)).seal(frame);
    expect(opened(forged)).toBeUndefined();
  });
});

/** The example, opened by who has the secret, changed (header, content, table, signature), and sealed again. */
function resealed(change: (plain: Buffer) => Buffer): Buffer {
  const hidden = sealed(example(), EXAMPLE_SEQUENCE);
  const opener = new StreamOpener(keyOf(), new VerifyingKey(source.publicKey));
  // It is opened where it lies, and the signature stays behind it.
  opener.open(hidden);
  const plain = change(Buffer.from(hidden.subarray(0, -16)));
  const head = plain.subarray(0, HEADER_BYTES);
  const tag = Buffer.alloc(16);
  plainAesGcm(keyOf()).seal(nonceOf(head), head, plain.subarray(HEADER_BYTES), tag);
  return Buffer.concat([plain, tag]);
}

describe("a heartbeat", () => {
  test("opens to what was signed", () => {
    fc.assert(
      fc.property(fc.nat({ max: 255 }), fc.maxSafeNat(), (stream, sequence) => {
        const hidden = sealed(heartbeat({ stream }), sequence, { stream });
        expect(hidden.length).toBe(HEADER_BYTES + 64);
        expect(opened(hidden, { stream })).toMatchObject({ type: "heartbeat", stream, sequence });
      }),
    );
  });

  test("that is forged, altered, cut, or longer is refused", () => {
    const hidden = sealed(heartbeat(), 5);
    expect(opened(hidden)).toBeDefined();
    for (let at = 0; at < hidden.length; at += 1) {
      expect(opened(altered(hidden, at)), `byte ${at}`).toBeUndefined();
      if (at < CRC_OFFSET) expect(opened(checked(altered(hidden, at))), `byte ${at}, checked`).toBeUndefined();
      expect(opened(hidden.subarray(0, at)), `${at} bytes`).toBeUndefined();
    }
    expect(opened(Buffer.concat([hidden, Buffer.alloc(1)]))).toBeUndefined();
    expect(opened(sealed(heartbeat(), 5, {}, member))).toBeUndefined();
    expect(opened(Buffer.concat([hidden.subarray(0, HEADER_BYTES), Buffer.alloc(64)]))).toBeUndefined();
  });

  test("of one sink's lane is refused on the lane of another, of another secret, session, epoch or stream", () => {
    const lane = { stream: 1, sinkId: SINK_ID };
    const hidden = sealed(heartbeat({ stream: 1 }), 0, lane);
    expect(opened(hidden, lane)).toBeDefined();
    expect(opened(hidden, { ...lane, sinkId: OTHER_SINK_ID })).toBeUndefined();
    expect(opened(hidden, { ...lane, secret: counted(1) })).toBeUndefined();
    for (const [offset, value] of [
      [4, 0x61],
      [19, 2],
      [20, 2],
    ] as const) {
      const moved = Buffer.from(hidden);
      moved[offset] = value;
      expect(opened(checked(moved), lane)).toBeUndefined();
    }
  });

  test("is not taken for a frame, nor a frame for one, by another type in the header", () => {
    const asPage = Buffer.from(sealed(heartbeat(), 5));
    asPage[3] = 1;
    expect(opened(checked(asPage))).toBeUndefined();
    const asHeartbeat = Buffer.from(sealed(frameOf({ type: "page", table: Buffer.alloc(0) }), 5));
    asHeartbeat[3] = 5;
    expect(opened(checked(asHeartbeat))).toBeUndefined();
  });
});

describe("an implementation of the layout that knows nothing of ours", () => {
  const own = { secret: SECRET, ...SCOPE };
  const ownSource = ownPrivateKey(SOURCE_SEED);

  test("opens what ours sealed, and seals what ours opens, to the same bytes", () => {
    fc.assert(
      fc.property(frameParts, fc.constantFrom(undefined, SINK_ID), ({ sequence, ...parts }, sinkId) => {
        const key = ownStreamKey(own, parts.stream, sinkId);
        const plain = frameOf(parts);
        const hidden = sealed(plain, sequence, { stream: parts.stream, sinkId });
        const theirs = ownOpenedFrame(hidden, key, ownSource);
        if (theirs === undefined) throw new Error("want it opened");
        expect(theirs.subarray(HEADER_BYTES).equals(Buffer.concat([parts.content, parts.table]))).toBe(true);
        expect(ownSealedFrame(theirs, key, ownSource).equals(hidden)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  test("makes the vector of docs/protocol.md, and so does ours", () => {
    const key = ownStreamKey(own, 0);
    expect(key.toString("hex")).toBe(EXAMPLE_STREAM_KEY);
    expect(keyOf().toString("hex")).toBe(EXAMPLE_STREAM_KEY);
    expect(sealed(example(), EXAMPLE_SEQUENCE).toString("hex")).toBe(EXAMPLE_SEALED_FRAME);
    expect(sealed(heartbeat(), 5).toString("hex")).toBe(EXAMPLE_SEALED_HEARTBEAT);
    const frame = ownOpenedFrame(Buffer.from(EXAMPLE_SEALED_FRAME, "hex"), key, ownSource);
    expect(frame?.subarray(HEADER_BYTES).toString("hex")).toBe(EXAMPLE_CONTENT + EXAMPLE_TABLE);
    expect(frame && ownSealedFrame(frame, key, ownSource).toString("hex")).toBe(EXAMPLE_SEALED_FRAME);
    const beat = ownOpenedFrame(Buffer.from(EXAMPLE_SEALED_HEARTBEAT, "hex"), key, ownSource);
    expect(beat && ownSealedFrame(beat, key, ownSource).toString("hex")).toBe(EXAMPLE_SEALED_HEARTBEAT);
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FanfoldError } from "../../src/lib/errors.ts";
import { FrameDecoder } from "../../src/transport/embedded/frame-decoder.ts";
import {
  ClientHandshake,
  GREETING,
  NONCE_BYTES,
  parseTicket,
  RelayHandshake,
} from "../../src/transport/embedded/handshake.ts";
import {
  type ControlFrame,
  type DataHead,
  encodeControl,
  encodeHead,
  MESSAGE_BYTES_MAX,
  type Side,
} from "../../src/transport/embedded/wire.ts";

type Decoded = ControlFrame | (DataHead & { readonly payload: string });

interface Recording {
  readonly decoder: FrameDecoder;
  readonly frames: Decoded[];
  /** Largest view or frame that the decoder ever gave out. */
  largestBytes(): number;
}

function recording(peer: Side): Recording {
  const frames: Decoded[] = [];
  let [head, parts, largest]: [DataHead | undefined, Buffer[], number] = [undefined, [], 0];
  const decoder = new FrameDecoder(peer, {
    control: (frame) => frames.push(frame),
    begin: (begun) => {
      head = begun;
      parts = [];
    },
    payload: (bytes) => {
      largest = Math.max(largest, bytes.byteLength);
      parts.push(Buffer.from(bytes));
    },
    end: () => {
      if (head !== undefined) frames.push({ ...head, payload: Buffer.concat(parts).toString("hex") });
      head = undefined;
    },
  });
  return { decoder, frames, largestBytes: () => largest };
}

const token = fc.stringMatching(/^[a-z0-9_-]{1,8}$/);
const subject = fc.array(token, { minLength: 1, maxLength: 5 }).map((tokens) => tokens.join("."));
const pattern = fc.oneof(
  subject,
  subject.map((prefix) => `${prefix}.*`),
);
const id = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const u48 = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const text = fc.string({ unit: "grapheme", maxLength: 60 });

function message(op: DataHead["op"]): fc.Arbitrary<Decoded> {
  return fc.record({ id, subject, bytes: fc.uint8Array({ maxLength: 300 }) }).map(({ bytes, ...rest }) => ({
    op,
    ...rest,
    payloadBytes: bytes.length,
    payload: Buffer.from(bytes).toString("hex"),
  }));
}

function bare<Op extends "unsub" | "ping" | "subok" | "pong">(op: Op): fc.Arbitrary<Decoded> {
  return id.map((number) => ({ op, id: number }));
}

const SENT: Readonly<Record<Side, fc.Arbitrary<Decoded>>> = {
  client: fc.oneof(
    message("pub"),
    fc.record({ op: fc.constant("sub" as const), id, subject: pattern, queueBytes: u32 }),
    bare("unsub"),
    bare("ping"),
  ),
  relay: fc.oneof(
    message("msg"),
    fc.record({ op: fc.constant("lost" as const), id, messages: u48, bytes: u48 }),
    fc.record({ op: fc.constant("refused" as const), id, subject: pattern, text }),
    bare("subok"),
    bare("pong"),
  ),
};

function encode(frame: Decoded): Buffer {
  if (!("payload" in frame)) return encodeControl(frame);
  return Buffer.concat([encodeHead(frame), Buffer.from(frame.payload, "hex")]);
}

/** Cuts bytes at the given places, taken modulo the length. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...ends, bytes.length].map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end));
}

describe.each<Side>(["client", "relay"])("the stream of the %s", (side) => {
  test("decodes to what was encoded, in any chunking", () => {
    const places = fc.array(fc.nat(), { maxLength: 40 });
    fc.assert(
      fc.property(fc.array(SENT[side], { maxLength: 20 }), places, (frames, cuts) => {
        const bytes = Buffer.concat(frames.map(encode));
        const { decoder, frames: decoded } = recording(side);
        for (const chunk of cut(bytes, cuts)) decoder.push(chunk);
        expect(decoded).toEqual(frames);
        expect(decoder.payloadLeft).toBe(0);
      }),
    );
  });

  test("decodes byte by byte, each frame complete with its last byte", () => {
    fc.assert(
      fc.property(SENT[side], (frame) => {
        const { decoder, frames } = recording(side);
        const bytes = encode(frame);
        for (let index = 0; index < bytes.length - 1; index += 1) decoder.push(bytes.subarray(index, index + 1));
        expect(frames).toEqual([]);
        decoder.push(bytes.subarray(bytes.length - 1));
        expect(frames).toEqual([frame]);
      }),
    );
  });

  test("is refused as damaged, or waited for, when it is garbage, and never gives out more than came in", () => {
    const garbage = fc.oneof(
      fc.uint8Array({ maxLength: 2000 }),
      // Garbage behind a good frame, and good frames with one byte changed, get further than noise does.
      fc
        .tuple(SENT[side], fc.uint8Array({ maxLength: 50 }))
        .map(([frame, noise]) => Buffer.concat([encode(frame), noise])),
      fc.tuple(SENT[side], fc.nat(), fc.nat({ max: 255 })).map(([frame, place, value]) => {
        const bytes = encode(frame);
        bytes[place % bytes.length] = value;
        return bytes;
      }),
    );
    fc.assert(
      fc.property(garbage, fc.array(fc.nat(), { maxLength: 10 }), (bytes, cuts) => {
        const { decoder, largestBytes } = recording(side);
        const thrown = catching(() => {
          for (const chunk of cut(Buffer.from(bytes), cuts)) decoder.push(chunk);
        });
        expect(decoder.payloadLeft).toBeLessThanOrEqual(MESSAGE_BYTES_MAX);
        expect(largestBytes()).toBeLessThanOrEqual(bytes.length);
        if (thrown === undefined) return;
        expect(thrown).toBeInstanceOf(FanfoldError);
        expect(thrown).toMatchObject({ code: "damaged" });
        // A damaged stream has no next frame: whatever follows is refused with the same error.
        expect(catching(() => decoder.push(Buffer.alloc(1)))).toBe(thrown);
      }),
      { numRuns: 500 },
    );
  });

  test("is refused as damaged when it has what only the other side may send", () => {
    const other: Side = side === "client" ? "relay" : "client";
    fc.assert(
      fc.property(SENT[other], (frame) => {
        const { decoder, frames } = recording(side);
        expect(catching(() => decoder.push(encode(frame)))).toMatchObject({ code: "damaged" });
        expect(frames).toEqual([]);
      }),
    );
  });
});

describe("a head", () => {
  test("that announces one byte over the limit is refused before its payload comes", () => {
    const { decoder } = recording("client");
    const head = { op: "pub", id: 0, subject: "a.b" } as const;
    decoder.push(encodeHead({ ...head, payloadBytes: MESSAGE_BYTES_MAX }));
    expect(decoder.payloadLeft).toBe(MESSAGE_BYTES_MAX);
    const over = recording("client").decoder;
    const bytes = encodeHead({ ...head, payloadBytes: MESSAGE_BYTES_MAX + 1 });
    expect(catching(() => over.push(bytes))).toMatchObject({ code: "damaged" });
    expect(over.payloadLeft).toBe(0);
  });
});

describe("the handshake", () => {
  const ticket = "0123456789abcdef".repeat(3);
  const secret = parseTicket(ticket)?.secret ?? Buffer.alloc(0);
  const nonceOf = (byte: number) => Buffer.alloc(NONCE_BYTES, byte);

  test("is understood in any chunking, and what follows the verdict is given back", () => {
    const cuts = fc.array(fc.nat(), { maxLength: 20 });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), cuts, fc.nat({ max: 255 }), (after, places, byte) => {
        const client = new ClientHandshake({ ticket, nonce: nonceOf(byte) });
        const relay = new RelayHandshake({ nonce: nonceOf(255 - byte), find: () => ({ secret, rights: "yes" }) });
        let toRelay = Buffer.from(GREETING);
        const rest: Uint8Array[] = [];
        for (let turn = 0; turn < 2; turn += 1) {
          const said = cut(toRelay, places).map((chunk) => relay.push(chunk));
          const step = said.findLast((each) => each !== undefined);
          if (typeof step !== "object") throw new Error(`the relay said ${step}`);
          const answer = "send" in step ? step.send : Buffer.concat([step.verdict, after]);
          for (const chunk of cut(Buffer.from(answer), places)) {
            const next = rest.length > 0 ? { rest: chunk } : client.push(chunk);
            if (next !== undefined && "send" in next) toRelay = Buffer.from(next.send);
            else if (next !== undefined) rest.push(next.rest);
          }
        }
        expect(rest.length).toBeGreaterThan(0);
        expect(Buffer.concat(rest)).toEqual(Buffer.from(after));
      }),
    );
  });

  test("is refused with a code, or waited for, when the relay says garbage", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(fc.nat(), { maxLength: 5 }), (noise, places) => {
        const client = new ClientHandshake({ ticket, nonce: nonceOf(1) });
        const thrown = catching(() => {
          for (const chunk of cut(Buffer.from(noise), places))
            expect(client.push(chunk) ?? {}).not.toHaveProperty("rest");
        });
        if (thrown === undefined) return;
        expect(thrown).toBeInstanceOf(FanfoldError);
        expect(["broker-denied", "broker-unreachable"]).toContain((thrown as FanfoldError).code);
      }),
    );
  });

  test("lets nobody in who says garbage behind a good greeting", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        const relay = new RelayHandshake({ nonce: nonceOf(2), find: () => ({ secret, rights: "yes" }) });
        expect(relay.push(GREETING)).toEqual({ send: nonceOf(2) });
        expect([undefined, "denied", "damaged"]).toContain(relay.push(noise));
      }),
    );
  });
});

function catching(run: () => void): unknown {
  try {
    run();
    return undefined;
  } catch (thrown) {
    return thrown;
  }
}

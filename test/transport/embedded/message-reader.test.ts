import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MessageReader } from "../../../src/transport/embedded/message-reader.ts";
import { encodeControl, encodeHead } from "../../../src/transport/embedded/wire.ts";

type Seen = string | { readonly subject: string; readonly payload: string };

interface Reading {
  readonly reader: MessageReader;
  readonly seen: Seen[];
}

/** A reader that has memory for all messages but those on "none". */
function reading(): Reading {
  const seen: Seen[] = [];
  const reader = new MessageReader("client", {
    control: ({ op }) => seen.push(op),
    place: ({ subject, payloadBytes }) => (subject === "none" ? undefined : Buffer.allocUnsafeSlow(payloadBytes)),
    message: ({ subject }, payload) => seen.push({ subject, payload: Buffer.from(payload).toString("hex") }),
    skipped: ({ subject }) => seen.push(`skipped ${subject}`),
  });
  return { reader, seen };
}

/** Puts bytes where the reader wants them, as a socket does: as many as fit, at most so many at a time. */
function fill(reader: MessageReader, bytes: Buffer, atMost: readonly number[]): void {
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const target = reader.target();
    const count = Math.min(target.length, bytes.length - at, atMost[turn % atMost.length] ?? 1);
    target.set(bytes.subarray(at, at + count));
    reader.read(count, target);
    at += count;
  }
}

const message = fc.record({
  subject: fc.constantFrom("a.data", "none"),
  payload: fc.uint8Array({ maxLength: 40_000 }),
});

describe("a reader of messages", () => {
  test("gives each message whole, whether its bytes are put in place or pushed, in any portions", () => {
    const portions = fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 6 }), portions, (messages, atMost) => {
        const stream = Buffer.concat([
          ...messages.flatMap(({ subject, payload }) => [
            encodeHead({ op: "pub", id: 0, subject, payloadBytes: payload.length }),
            payload,
          ]),
          encodeControl({ op: "ping", id: 1 }),
        ]);
        const wanted: Seen[] = messages.map(({ subject, payload }) =>
          subject === "none" ? "skipped none" : { subject, payload: Buffer.from(payload).toString("hex") },
        );
        const placed = reading();
        fill(placed.reader, stream, atMost);
        expect(placed.seen).toEqual([...wanted, "ping"]);
        const pushed = reading();
        pushed.reader.push(stream);
        expect(pushed.seen).toEqual(placed.seen);
      }),
      { numRuns: 60 },
    );
  });

  test("wants the rest of a payload in the payload's own memory, and not a byte more", () => {
    const { reader } = reading();
    reader.push(encodeHead({ op: "pub", id: 0, subject: "a.data", payloadBytes: 100_000 }));
    expect(reader.target().length).toBe(100_000);
    reader.read(60_000, reader.target());
    expect(reader.target().length).toBe(40_000);
  });
});

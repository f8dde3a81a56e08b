import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { buildFrame, type FrameType, sealFrame } from "../../src/protocol/frame.ts";
import { holeError, Receiver } from "../../src/sink/receiver.ts";
import { SESSION } from "../helpers/source-frames.ts";
import { thrownCode } from "../helpers/thrown.ts";

function payload(
  sequence: number,
  change: { type?: FrameType; sessionId?: string; epoch?: number; stream?: number } = {},
): Buffer {
  const frame = buildFrame({ type: "page", ...SESSION, stream: 0, ...change }, Buffer.from("x"));
  sealFrame(frame, sequence);
  return frame;
}

describe("Receiver", () => {
  test("takes each frame once and in order, and names the hole in front of any other", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 12 }), { maxLength: 60 }), (sequences) => {
        const receiver = new Receiver(SESSION);
        let next = 0;
        for (const sequence of sequences) {
          const received = receiver.take(payload(sequence));
          if (sequence === next) expect(received).toEqual({ type: "next" });
          else if (sequence < next) expect(received).toEqual({ type: "stale" });
          else expect(received).toEqual({ type: "hole", from: next, to: sequence });
          if (sequence === next) next += 1;
          expect(receiver.receivedUpTo).toBe(next);
        }
      }),
    );
  });

  test("drops what a lower epoch left over, whatever its sequence", () => {
    const receiver = new Receiver({ ...SESSION, epoch: 3 });
    for (const epoch of [0, 1, 2])
      expect([0, 7].map((sequence) => receiver.take(payload(sequence, { epoch })).type)).toEqual(["stale", "stale"]);
    expect(receiver.receivedUpTo).toBe(0);
  });

  test("refuses what is of another session, a later epoch or a lane: nobody else publishes here", () => {
    const receiver = new Receiver(SESSION);
    for (const change of [
      { sessionId: "zzzzzzzzzzzz" },
      { sessionId: "zzzzzzzzzzzz", epoch: 0 },
      { epoch: 2 },
      { stream: 1 },
    ])
      expect([0, 7].map((sequence) => thrownCode(() => receiver.take(payload(sequence, change))))).toEqual([
        "damaged",
        "damaged",
      ]);
    expect(receiver.receivedUpTo).toBe(0);
  });

  test("learns from a heartbeat that the tail is lost, and never takes it for a frame", () => {
    const receiver = new Receiver(SESSION);
    expect(receiver.take(payload(0, { type: "heartbeat" }))).toEqual({ type: "stale" });
    receiver.take(payload(0));
    expect(receiver.take(payload(1, { type: "heartbeat" }))).toEqual({ type: "stale" });
    expect(receiver.take(payload(3, { type: "heartbeat" }))).toEqual({ type: "hole", from: 1, to: 3 });
    expect(receiver.receivedUpTo).toBe(1);
  });

  test("refuses what is damaged, and goes on", () => {
    const receiver = new Receiver(SESSION);
    expect(thrownCode(() => receiver.take(Buffer.from("noise")))).toBe("damaged");
    expect(receiver.take(payload(0))).toEqual({ type: "next" });
  });

  test("has an error for a hole that names the frames", () => {
    expect(holeError({ type: "hole", from: 3, to: 5 })).toMatchObject({
      code: "frames-lost",
      message: expect.stringContaining("3 to 4"),
    });
  });
});

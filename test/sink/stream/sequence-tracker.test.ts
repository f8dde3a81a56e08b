import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { buildFrame, decodeFrame, type FrameType, finishFrame } from "../../../src/protocol/frame/frame.ts";
import { MISSING_RANGES_MAX } from "../../../src/protocol/limits.ts";
import type { CheckedFrame } from "../../../src/sink/stream/checked-frame.ts";
import { SequenceTracker } from "../../../src/sink/stream/sequence-tracker.ts";
import { SESSION } from "../../helpers/copies/source-frames.ts";
import { thrownCode } from "../../helpers/thrown.ts";

const SCOPE = { ...SESSION, stream: 0 };

function frame(
  sequence: number,
  change: { type?: FrameType; sessionId?: string; epoch?: number; stream?: number } = {},
): CheckedFrame {
  const payload = buildFrame({ type: "page", ...SESSION, stream: 0, ...change }, Buffer.from("x"));
  finishFrame(payload, sequence);
  return { frame: decodeFrame(payload), records: [], hashes: [] };
}

function sequences(ready: readonly CheckedFrame[]): number[] {
  return ready.map(({ frame: { sequence } }) => sequence);
}

describe("Receiver", () => {
  test("hands each frame on once and in order, however they come, and misses just those that have not come", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 12 }), { maxLength: 60 }), (coming) => {
        const receiver = new SequenceTracker(SCOPE);
        const come = new Set<number>();
        const handed: number[] = [];
        for (const sequence of coming) {
          come.add(sequence);
          handed.push(...sequences(receiver.take(frame(sequence))));
          const missing = receiver
            .missing()
            .flatMap(([from, to]) => Array.from({ length: to - from }, (_, at) => from + at));
          const expected = Array.from({ length: Math.max(...come) + 1 }, (_, at) => at).filter((at) => !come.has(at));
          expect(missing).toEqual(expected);
        }
        expect(handed).toEqual(handed.map((_, index) => index));
        expect(receiver.receivedUpTo).toBe(handed.length);
      }),
    );
  });

  test("drops what a lower epoch left over, whatever its sequence", () => {
    const receiver = new SequenceTracker({ ...SCOPE, epoch: 3 });
    for (const epoch of [0, 1, 2])
      for (const sequence of [0, 7]) expect(receiver.take(frame(sequence, { epoch }))).toEqual([]);
    expect([receiver.receivedUpTo, receiver.missing()]).toEqual([0, []]);
  });

  test("drops frames of another stream or a later epoch: the engine does not decide to begin the copy again", () => {
    const receiver = new SequenceTracker({ ...SCOPE, epoch: 3, stream: 2 });
    for (const change of [{ epoch: 4 }, { epoch: 3, stream: 0 }, { epoch: 3, stream: 1 }, { epoch: 3, stream: 3 }])
      for (const sequence of [0, 7]) expect(receiver.take(frame(sequence, { stream: 2, ...change }))).toEqual([]);
    expect([receiver.receivedUpTo, receiver.missing()]).toEqual([0, []]);
    expect(sequences(receiver.take(frame(0, { epoch: 3, stream: 2 })))).toEqual([0]);
  });

  test.each([{ sessionId: "zzzzzzzzzzzz" }, { sessionId: "zzzzzzzzzzzz", epoch: 0 }])(
    "refuses what is of another session: nobody else publishes here (%o)",
    (change) => {
      const receiver = new SequenceTracker(SCOPE);
      for (const sequence of [0, 7]) expect(thrownCode(() => receiver.take(frame(sequence, change)))).toBe("damaged");
      expect(receiver.receivedUpTo).toBe(0);
    },
  );

  test("learns from a heartbeat that the tail is lost, and never takes it for a frame", () => {
    const receiver = new SequenceTracker(SCOPE);
    expect(receiver.take(frame(0, { type: "heartbeat" }))).toEqual([]);
    receiver.take(frame(0));
    receiver.take(frame(1, { type: "heartbeat" }));
    expect(receiver.missing()).toEqual([]);
    receiver.take(frame(3, { type: "heartbeat" }));
    expect([receiver.missing(), receiver.receivedUpTo]).toEqual([[[1, 3]], 1]);
  });

  test("names the first holes when there are more than one report takes", () => {
    const receiver = new SequenceTracker(SCOPE);
    for (let sequence = 1; sequence < 400; sequence += 2) receiver.take(frame(sequence));
    expect(receiver.missing()).toHaveLength(MISSING_RANGES_MAX);
    expect(receiver.missing()[1]).toEqual([2, 3]);
  });
});

import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { FanfoldError } from "../../../src/lib/errors.ts";
import { Throttle } from "../../../src/member/limit/throttle.ts";
import { decodeFrame, finishFrame } from "../../../src/protocol/frame/frame.ts";
import { Outbox } from "../../../src/source/publish/outbox.ts";
import { plainFrame } from "../../helpers/copies/source-frames.ts";
import { handClock } from "../../helpers/hand-clock.ts";
import { recordingTransport } from "../../helpers/transports/recording-transport.ts";

function begin(throttle?: Throttle) {
  const [transport, failures] = [recordingTransport(), [] as FanfoldError[]];
  const outbox = new Outbox({
    transport,
    throttle,
    subject: "data",
    signal: new AbortController().signal,
    onFailure: (error) => failures.push(error),
  });
  const sent = () =>
    transport.published
      .map(({ payload }) => decodeFrame(payload))
      .map(({ type, sequence, table }) => `${sequence} ${type} ${Buffer.from(table)}`);
  return { transport, failures, outbox, sent };
}

describe("Outbox", () => {
  test("numbers without holes, keeps the order of each kind, and lets control overtake data that waits", async () => {
    const { transport, outbox, sent } = begin();
    transport.hold();
    const told: number[] = [];
    const onSequence = (sequence: number): void => void told.push(sequence);
    for (const text of ["a", "b", "c"]) outbox.data({ frame: plainFrame("data", Buffer.from(text)), onSequence });
    for (const text of ["x", "y"]) outbox.control({ frame: plainFrame("page", Buffer.from(text)), onSequence });
    expect([sent(), outbox.isIdle, outbox.nextSequence]).toEqual([["0 data a"], false, 1]);
    transport.release();
    await setImmediate();
    expect(sent()).toEqual(["0 data a", "1 page x", "2 page y", "3 data b", "4 data c"]);
    expect([told, outbox.isIdle, outbox.nextSequence]).toEqual([[0, 1, 2, 3, 4], true, 5]);
  });

  test("sends a repair as it was, asks for it only when its turn has come, and passes over one that nobody needs", async () => {
    const { transport, outbox, sent } = begin();
    const frame = plainFrame("page", Buffer.from("again"));
    finishFrame(frame, 7);
    transport.hold();
    outbox.data({ frame: plainFrame("data", Buffer.from("a")) });
    let taken = 0;
    for (const repair of [frame, undefined, frame]) {
      outbox.repair({
        subject: "to.one",
        take: () => {
          taken += 1;
          return repair;
        },
      });
    }
    expect([taken, outbox.repairsWait]).toEqual([0, true]);
    transport.release();
    await setImmediate();
    expect([taken, outbox.repairsWait, outbox.nextSequence]).toEqual([3, false, 1]);
    expect(sent()).toEqual(["0 data a", "7 page again", "7 page again"]);
    expect(transport.published.map(({ subject }) => subject)).toEqual(["data", "to.one", "to.one"]);
  });

  test("goes on after it was idle", async () => {
    const { outbox, sent } = begin();
    outbox.data({ frame: plainFrame("data", Buffer.from("a")) });
    await setImmediate();
    outbox.control({ frame: plainFrame("page", Buffer.from("b")) });
    await setImmediate();
    expect(sent()).toEqual(["0 data a", "1 page b"]);
  });

  test("takes what is put in while a frame is announced", async () => {
    const { outbox, sent } = begin();
    const late = () => outbox.control({ frame: plainFrame("page", Buffer.from("late")) });
    outbox.data({ frame: plainFrame("data", Buffer.from("a")), onSequence: late });
    await setImmediate();
    expect(sent()).toEqual(["0 data a", "1 page late"]);
  });

  test("holds frames to a rate, lets control overtake them even then, and goes on with heartbeats", async () => {
    const clock = handClock();
    const { outbox, sent } = begin(new Throttle(41, clock));
    const advance = async (ms: number): Promise<void> => {
      clock.advance(ms);
      await setImmediate();
    };
    // A frame of one byte has 41.
    for (const text of ["a", "b", "c"]) outbox.data({ frame: plainFrame("data", Buffer.from(text)) });
    await setImmediate();
    expect([sent(), outbox.isIdle, outbox.nextSequence]).toEqual([["0 data a"], true, 1]);
    await advance(900);
    outbox.control({ frame: plainFrame("page", Buffer.from("x")) });
    expect(sent()).toEqual(["0 data a"]);
    await advance(100);
    expect(sent()).toEqual(["0 data a", "1 page x"]);
    await outbox.heartbeat(plainFrame("heartbeat", new Uint8Array(0)));
    expect(sent().slice(2)).toEqual(["2 heartbeat "]);
    // The heartbeat of 40 bytes is paid for, too.
    await advance(1000);
    expect(sent()).toHaveLength(3);
    await advance(1000);
    expect(sent().slice(3)).toEqual(["2 data b"]);
    await advance(1000);
    expect(sent().slice(4)).toEqual(["3 data c"]);
  });

  test("gives a heartbeat the next sequence and does not use it up", async () => {
    const { outbox, sent } = begin();
    await outbox.heartbeat(plainFrame("heartbeat", Buffer.alloc(0)));
    outbox.data({ frame: plainFrame("data", Buffer.from("a")) });
    await setImmediate();
    await outbox.heartbeat(plainFrame("heartbeat", Buffer.alloc(0)));
    expect(sent()).toEqual(["0 heartbeat ", "0 data a", "1 heartbeat "]);
  });

  test("tells a failure once and publishes nothing after it, which would be a hole", async () => {
    const { transport, failures, outbox, sent } = begin();
    transport.fail(new Error("the link is gone"));
    outbox.data({ frame: plainFrame("data", Buffer.from("a")) });
    await setImmediate();
    outbox.data({ frame: plainFrame("data", Buffer.from("b")) });
    outbox.control({ frame: plainFrame("page", Buffer.from("c")) });
    await setImmediate();
    expect([failures.map(({ message }) => message), sent(), outbox.isIdle]).toEqual([["the link is gone"], [], false]);
  });
});

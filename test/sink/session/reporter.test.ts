import { setImmediate } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import type { SinkReport } from "../../../src/protocol/frame/report.ts";
import { decodeUp } from "../../../src/protocol/frame/up.ts";
import { Reporter } from "../../../src/sink/session/reporter.ts";
import { SESSION } from "../../helpers/copies/source-frames.ts";
import { handClock } from "../../helpers/hand-clock.ts";
import { recordingTransport } from "../../helpers/transports/recording-transport.ts";

const report = (storedUpTo: number): SinkReport => ({
  type: "report",
  receivedUpTo: storedUpTo,
  missing: [],
  storedUpTo,
  progress: { filesDone: 0, bytesDone: 0, currentFile: "" },
});

function begin(stream = 0) {
  const [clock, transport, abort] = [handClock(), recordingTransport(), new AbortController()];
  const reporter = new Reporter({
    scope: { ...SESSION, stream },
    up: { transport, subject: "up.one" },
    runtime: { clock, signal: abort.signal },
  });
  onTestFinished(() => reporter[Symbol.dispose]());
  const sent = () => transport.published.map(({ payload }) => decodeUp(payload));
  const stored = () => sent().map(({ message }) => (message.type === "report" ? message.storedUpTo : -1));
  return { clock, transport, abort, reporter, sent, stored };
}

describe("Reporter", () => {
  test("says nothing before there is something to say", () => {
    const { clock, sent } = begin();
    clock.advance(10_000);
    expect(sent()).toEqual([]);
  });

  test("tells a change soon, and of several the last", async () => {
    const { clock, reporter, stored } = begin();
    for (const upTo of [1, 2, 3]) reporter.report(report(upTo));
    expect(stored()).toEqual([]);
    clock.advance(20);
    await setImmediate();
    clock.advance(100);
    expect(stored()).toEqual([3]);
  });

  test("tells at once when much was stored, and counts anew after that", async () => {
    const { reporter, stored } = begin();
    reporter.report(report(1), 500 * 1024);
    expect(stored()).toEqual([]);
    reporter.report(report(2), 12 * 1024);
    expect(stored()).toEqual([2]);
    await setImmediate();
    reporter.report(report(3), 500 * 1024);
    expect(stored()).toEqual([2]);
  });

  test("tells at longer intervals when more was stored: after a quarter of it, up to a quarter of the window", async () => {
    for (const [stream, most] of [
      [0, 4],
      [1, 1],
    ]) {
      const { reporter, stored } = begin(stream);
      for (let mib = 1; mib <= 64; mib += 1) {
        reporter.report(report(mib), 2 ** 20);
        await setImmediate();
      }
      const gaps = stored().map((upTo, index, all) => upTo - (all[index - 1] ?? 0));
      expect(Math.max(...gaps)).toBe(most);
      for (const [index, upTo] of stored().entries())
        expect(gaps[index]).toBeLessThanOrEqual(Math.max(1, upTo / 4 + 1));
    }
  });

  test("tells at once what was stored after a pause: a source sees soon that a quick sink waits", async () => {
    const { clock, reporter, stored } = begin();
    reporter.report(report(1), 1);
    expect(stored()).toEqual([]);
    clock.advance(10);
    reporter.report(report(2), 1);
    expect(stored()).toEqual([2]);
    await setImmediate();
    reporter.report(report(3), 1);
    expect(stored()).toEqual([2]);
  });

  test("tells at longer intervals while more waits to be stored, and at once when nothing does", async () => {
    const { clock, reporter, stored } = begin();
    for (let frame = 1; frame <= 9; frame += 1) {
      clock.advance(10);
      reporter.report(report(frame), 1, true);
      await setImmediate();
    }
    expect(stored()).toEqual([]);
    clock.advance(10);
    await setImmediate();
    expect(stored()).toEqual([9]);
    reporter.report(report(10), 2 ** 20, true);
    await setImmediate();
    expect(stored()).toEqual([9, 10]);
    clock.advance(10);
    reporter.report(report(11), 1, true);
    reporter.report(report(12), 1);
    expect(stored()).toEqual([9, 10, 12]);
  });

  test("repeats the last word once a second, so that silence means something", async () => {
    const { clock, reporter, stored } = begin();
    reporter.report(report(1));
    for (let second = 0; second < 5; second += 1) {
      clock.advance(1_000);
      await setImmediate();
    }
    expect(stored().length).toBeGreaterThanOrEqual(5);
    expect(new Set(stored())).toEqual(new Set([1]));
  });

  test("puts no second report on a link that holds the first, and then sends the newest", async () => {
    const { clock, transport, reporter, stored } = begin();
    transport.hold();
    reporter.report(report(1));
    clock.advance(20);
    for (const upTo of [2, 3]) {
      reporter.report(report(upTo), 2 ** 20);
      clock.advance(1_000);
    }
    expect(stored()).toEqual([1]);
    transport.release();
    await setImmediate();
    clock.advance(20);
    expect(stored()).toEqual([1, 3]);
  });

  test("numbers all it sends without holes, with its session and epoch", async () => {
    const { clock, reporter, sent } = begin();
    await reporter.send({ type: "want", page: 0, want: "all" });
    reporter.report(report(1));
    clock.advance(20);
    await setImmediate();
    await reporter.send({ type: "want", page: 1, want: "none" });
    expect(sent().map(({ sequence }) => sequence)).toEqual([0, 1, 2]);
    for (const up of sent()) expect(up).toMatchObject(SESSION);
  });

  test("repeats a want as it was said, until its page has a trailer", () => {
    const { clock, reporter, sent } = begin();
    const held: [number, number, string][] = [[1, 131_072, "ab".repeat(32)]];
    const [first, second] = [
      { type: "want" as const, page: 0, want: { bits: "Ag==" }, held },
      { type: "want" as const, page: 1, want: "none" as const },
    ];
    reporter.want(first);
    reporter.want(second);
    clock.advance(2_000);
    expect(sent().map(({ message }) => message)).toEqual([first, second, first, second]);
    reporter.answered(1);
    clock.advance(1_000);
    expect(sent().map(({ message }) => message)).toEqual([first, second, first, second, second]);
  });

  test("repeats the first want, and behind it no more long ones than a slow link takes each second", () => {
    const { clock, reporter, sent } = begin();
    const older = Array.from({ length: 600 }, (_, index): [number, number] => [index, 2 ** 30]);
    for (let page = 0; page < 5; page += 1) reporter.want({ type: "want", page, want: "all", older });
    clock.advance(2_000);
    const pages = () => sent().flatMap(({ message }) => (message.type === "want" ? [message.page] : []));
    expect(pages().slice(5)).toEqual([0, 1]);
    reporter.answered(1);
    clock.advance(1_000);
    expect(pages().slice(7)).toEqual([1, 2]);
  });

  test("survives a link that fails, and tries again", async () => {
    const { clock, transport, reporter, sent } = begin();
    transport.fail(new Error("no link"));
    reporter.report(report(1));
    clock.advance(5_000);
    await setImmediate();
    expect(sent()).toEqual([]);
    await expect(reporter.send({ type: "want", page: 0, want: "all" })).rejects.toThrow("no link");
  });

  test("is silent once it is aborted or disposed", async () => {
    for (const end of ["abort", "dispose"]) {
      const { clock, abort, reporter, sent } = begin();
      reporter.report(report(1));
      if (end === "abort") abort.abort();
      else reporter[Symbol.dispose]();
      clock.advance(10_000);
      await setImmediate();
      expect(sent()).toEqual([]);
    }
  });
});

describe("answers to recipes", () => {
  const answer = (slice: number, entry = 1) => ({ type: "lacks" as const, entry, slice, lacks: "none" as const });

  test("go at once, and again each second, some at a time and in turns, until the source acts on them", async () => {
    const { clock, reporter, sent } = begin();
    const slices = (from: number) =>
      sent()
        .slice(from)
        .flatMap(({ message }) => (message.type === "lacks" ? [message.entry * 1000 + message.slice] : []));
    const numbers = Array.from({ length: 100 }, (_, slice) => slice);
    for (const slice of numbers) reporter.lacks(answer(slice));
    reporter.lacks(answer(0, 2));
    expect(slices(0)).toEqual([...numbers.map((slice) => 1000 + slice), 2000]);
    const first = sent().length;
    // What was sent just now is not late.
    clock.advance(1000);
    expect(slices(first)).toEqual([]);
    clock.advance(1000);
    expect(slices(first)).toEqual(numbers.slice(0, 64).map((slice) => 1000 + slice));
    const second = sent().length;
    clock.advance(1000);
    expect(slices(second).slice(0, 37)).toEqual([...numbers.slice(64).map((slice) => 1000 + slice), 2000]);
    reporter.settled(1);
    const third = sent().length;
    clock.advance(2000);
    expect(new Set(slices(third))).toEqual(new Set([2000]));
    reporter.settled(2);
    const last = sent().length;
    clock.advance(3000);
    expect(slices(last)).toEqual([]);
  });
});

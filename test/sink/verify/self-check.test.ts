import { describe, expect, onTestFinished, test } from "vitest";
import { systemRandom } from "../../../src/lib/random.ts";
import { constantPlan } from "../../../src/protocol/bandwidth/limit-plan.ts";
import type { ClientMessage } from "../../../src/protocol/messages/control.ts";
import type { SinkEvent } from "../../../src/protocol/messages/events.ts";
import type { VerifyReport } from "../../../src/protocol/messages/verification.ts";
import { openSinkFolder } from "../../../src/sink/own/sink-folder.ts";
import { SelfCheck } from "../../../src/sink/verify/self-check.ts";
import { copiedTree, flipByte } from "../../helpers/copies/verified.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { handClock } from "../../helpers/hand-clock.ts";

const DAY_MS = 86_400_000;
/** Nothing comes of it before the test is over: the first piece of a large file is to be paid for in an hour. */
const CRAWL = "1K";

interface CheckLabOptions {
  readonly folder?: string;
  readonly everyMs?: number;
  readonly settled?: () => Promise<void>;
}

/** A sink's own check of a real folder. Its clock goes by hand. */
function checkLab({ folder: path = copiedTree(), everyMs, settled = async () => undefined }: CheckLabOptions = {}) {
  const folder = openSinkFolder(path, systemRandom);
  folder.pinSource("ab".repeat(32));
  folder.lend();
  const clock = handClock();
  const events: SinkEvent[] = [];
  const told: Extract<ClientMessage, { type: "verified" }>[] = [];
  const waiters = new Set<() => void>();
  const end = new AbortController();
  const check = new SelfCheck({
    ...{ folder, everyMs, clock, signal: end.signal },
    plan: constantPlan(null),
    settled,
    emit: (event) => {
      events.push(event);
      for (const wake of waiters) wake();
    },
  });
  check.tellBy((message) => {
    if (message.type === "verified") told.push(message);
  });
  let isClosed = false;
  const close = async (): Promise<void> => {
    if (isClosed) return;
    isClosed = true;
    await check[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  };
  onTestFinished(close);
  const reports = () => events.flatMap((event) => (event.type === "verified" ? [event.report] : []));
  const report = async (nth: number): Promise<VerifyReport> => {
    for (;;) {
      const found = reports()[nth - 1];
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => waiters.add(resolve));
    }
  };
  return { path, folder, clock, check, events, told, reports, report, close };
}

const order = (id: string, more: object = {}) =>
  ({ type: "verify", id: id.repeat(12), trees: "newest", ...more }) as const;
/** What was begun by a promise that is settled has happened. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("SelfCheck", () => {
  test("reads the copy when it is asked, names what rotted behind its size and time, and remembers it", async () => {
    const { path, check, told, report, events } = checkLab();
    flipByte(`${path}/large`, 1_234_567);
    check.begin();
    check.order(order("a"));
    expect(await report(1)).toMatchObject({
      ...{ by: "order", result: "differs", trees: 1, files: 7, bytes: 3_568_576, differing: 1, missing: 0, wanted: 1 },
      problems: [{ path: "large", kinds: ["content"] }],
    });
    expect(told).toMatchObject([{ id: "aaaaaaaaaaaa", report: { problems: [{ path: "large" }] } }]);
    expect(events[0]).toEqual({ type: "checking", by: "order", trees: "newest" });
  });

  test("tells a coordinator that may not learn names how much is damaged, and nothing else", async () => {
    const first = checkLab();
    first.folder.hideNames();
    await first.close();
    // Who opens the folder later may have no keys, and not know what is in it.
    const { path, check, told, report } = checkLab({ folder: first.path });
    flipByte(`${path}/large`, 9);
    check.begin();
    check.order(order("a"));
    expect((await report(1)).problems).toHaveLength(1);
    expect(told).toMatchObject([{ report: { result: "differs", differing: 1, wanted: 1, problems: [] } }]);
  });

  test("makes way for a copy, says so, and reads nothing while it goes on", async () => {
    const { check, told, report, reports } = checkLab();
    check.begin();
    check.order(order("a", { limit: CRAWL }));
    await check.yield();
    expect(await report(1)).toMatchObject({ result: "stopped", code: "copy-runs" });
    check.order(order("b"));
    expect(told).toMatchObject([
      { id: "aaaaaaaaaaaa", report: { result: "stopped", code: "copy-runs" } },
      { id: "bbbbbbbbbbbb", report: { result: "stopped", code: "copy-runs", files: 0 } },
    ]);
    expect(reports()).toHaveLength(1);
    check.begin();
    check.order(order("c"));
    expect(await report(2)).toMatchObject({ result: "equal", files: 7 });
  });

  test("keeps no copy waiting while old snapshots are removed", async () => {
    const { check, report } = checkLab({ settled: () => new Promise(() => undefined) });
    check.begin();
    check.order(order("a"));
    await check.yield();
    expect(await report(1)).toMatchObject({ result: "stopped", code: "copy-runs" });
  });

  test("calls a folder in which nothing was copied not read, also with all snapshots", async () => {
    const { folder, check, report } = checkLab({ folder: tempFolder() });
    folder.keepSnapshots();
    check.begin();
    check.order(order("a", { trees: "all" }));
    expect(await report(1)).toMatchObject({ result: "failed", code: "manifest-missing", trees: 0 });
    expect(folder.verifiedMs).toBeUndefined();
  });

  test("follows the latest of several orders, and answers each", async () => {
    const { check, told, report } = checkLab();
    check.begin();
    check.order(order("a", { limit: CRAWL }));
    check.order(order("b"));
    check.order(order("c"));
    expect(await report(2)).toMatchObject({ result: "equal" });
    expect(told.map(({ id, report: { result, code } }) => [id?.[0], result, code])).toEqual([
      ["b", "stopped", "other-order"],
      ["a", "stopped", "other-order"],
      ["c", "equal", undefined],
    ]);
  });

  test("reads it again by itself when the time is over, also after a restart, and not before", async () => {
    const everyMs = 30 * DAY_MS;
    const first = checkLab({ everyMs });
    first.check.begin();
    await settle();
    expect(first.folder.verifiedMs).toBe(0);
    // One that was asked for counts, too.
    first.clock.advance(10 * DAY_MS);
    first.check.order(order("a"));
    await first.report(1);
    expect(first.folder.verifiedMs).toBe(10 * DAY_MS);
    await first.close();

    const { clock, check, events, report, told } = checkLab({ everyMs, folder: first.path });
    const step = async (days: number): Promise<void> => {
      for (const endMs = clock.nowMs() + days * DAY_MS; clock.nowMs() < endMs; await settle()) clock.advance(DAY_MS);
    };
    check.begin();
    await settle();
    await step(39);
    expect(events).toEqual([]);
    await step(2);
    expect(await report(1)).toMatchObject({ by: "schedule", result: "equal", files: 7 });
    expect(told).toMatchObject([{ type: "verified", report: { by: "schedule" } }]);
    expect(told[0]).not.toHaveProperty("id");
  });

  test("tries one that was stopped by a copy again, when the copy is over and some minutes have passed", async () => {
    const { clock, check, report, events } = checkLab({ everyMs: 60_000 });
    check.begin();
    await settle();
    check.order(order("a", { limit: CRAWL }));
    await check.yield();
    check.begin();
    clock.advance(60_000);
    await settle();
    expect(events.filter(({ type }) => type === "checking")).toHaveLength(1);
    for (let minute = 0; minute < 11; minute += 1) {
      clock.advance(30_000);
      await settle();
      clock.advance(30_000);
      await settle();
    }
    expect(await report(2)).toMatchObject({ by: "schedule", result: "equal" });
  });
});

import { describe, expect, test } from "vitest";
import type { CopyProgress } from "../../src/protocol/progress.ts";
import { CliLab } from "../helpers/cli.ts";
import { makeLongTree, makeManyFiles } from "../helpers/tree.ts";
import { expectBeginnings, expectWholeFiles } from "../helpers/tree-judge.ts";
import { E2E_MS, expectCopy, expectProven, startCopy } from "./copying.ts";

/** More than can be copied before the session is held. */
const TREE = { files: 12, mibEach: 32 };
const UNDER_WAY_BYTES = 8 * 1024 * 1024;

describe("leaving in the middle of a session", { timeout: E2E_MS }, () => {
  test("a source that is stopped tells its sinks why, and nothing half-done stands under a final name", async () => {
    await using lab = await CliLab.open();
    const run = await longCopy(lab);
    run.leave(run.source, "SIGINT");
    expect(await run.source.exit()).toBe(130);
    expect(run.source.stderr).toContain("Stopped by SIGINT");
    for (const sink of run.sinks) {
      expect(await sink.exit()).toBe(11);
      expect(await sink.event("left")).toMatchObject({ code: "interrupted", reason: "Stopped by SIGINT" });
      expect(await sink.failure()).toMatchObject({ code: "source-lost" });
      expect(sink.stderr).toContain("Stopped by SIGINT");
    }
    run.expectNothingHalfDone();
    const left = await run.coordinator.event("left", { where: ({ role }) => role === "source" });
    expect(left).toMatchObject({ code: "interrupted", reason: "Stopped by SIGINT" });
  });

  test("a sink that is stopped leaves the others to their copies, and the source says who is missing and why", async () => {
    await using lab = await CliLab.open();
    const run = await longCopy(lab);
    run.leave(run.leaver, "SIGINT");
    expect(await run.leaver.exit()).toBe(130);
    expectWholeFiles(run.from, run.leaverFolder);
    expectBeginnings(run.from, run.leaverFolder);
    expect(await run.source.exit()).toBe(4);
    expect(await run.stayer.exit()).toBe(0);
    await expectCopy(run.from, run.stayerFolder);
    const { summary } = await run.source.event("finished");
    const { name } = await run.leaver.event("joined");
    expect(summary.result).toBe("failed");
    expect(summary.sinks.find((sink) => sink.name === name)).toMatchObject({
      outcome: "failed",
      code: "sinks-lost",
      message: expect.stringContaining("Stopped by SIGINT"),
    });
    expect(summary.sinks.filter((sink) => sink.outcome === "proven")).toHaveLength(1);
  });

  test("a coordinator that is stopped tells everyone, and they end in order", async () => {
    await using lab = await CliLab.open();
    const run = await longCopy(lab);
    run.leave(run.coordinator, "SIGINT");
    expect(await run.coordinator.exit()).toBe(130);
    for (const process of [run.source, ...run.sinks] as const) {
      expect(await process.exit()).toBe(11);
      expect(await process.failure()).toMatchObject({ code: "coordinator-lost" });
      expect(process.stderr).toContain("The coordinator stops: Stopped by SIGINT");
    }
    run.expectNothingHalfDone();
  });

  test("killed without a word, a source is missed at once, and its sinks end with nothing half-done", async () => {
    await using lab = await CliLab.open();
    const run = await longCopy(lab);
    run.leave(run.source, "SIGKILL");
    for (const sink of run.sinks) {
      expect(await sink.exit()).toBe(11);
      expect(await sink.failure()).toMatchObject({ code: "source-lost" });
    }
    run.expectNothingHalfDone();
  });

  test("after a session that was broken off, the same commands copy everything", async () => {
    await using lab = await CliLab.open();
    const run = await longCopy(lab);
    run.leaver.signal("SIGKILL");
    run.leave(run.source, "SIGTERM");
    expect(await run.source.exit()).toBe(143);
    await Promise.all(run.sinks.map((sink) => sink.exit()));
    const again = startCopy(lab, run.order);
    await expectProven(again.source, again.sinks);
    for (const folder of run.order.to) await expectCopy(run.from, folder);
  });
});

describe("leaving while nothing goes on", { timeout: E2E_MS }, () => {
  for (const [signal, status] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const) {
    test(`${signal} ends each of the three programs with ${status}`, async () => {
      await using lab = await CliLab.open();
      makeManyFiles(lab.path("source"), 1);
      const { address, process: coordinator } = await lab.coordinator();
      const sink = lab.sink(address, lab.path("sink"));
      const source = lab.source(address, lab.path("source"), ["--dest-count", "2"]);
      await source.event("waiting", { where: ({ sinks }) => sinks.length === 1 });
      sink.signal(signal);
      expect(await sink.exit()).toBe(status);
      await source.event("waiting", { where: ({ sinks }) => sinks.length === 0 });
      source.signal(signal);
      expect(await source.exit()).toBe(status);
      coordinator.signal(signal);
      expect(await coordinator.exit()).toBe(status);
    });
  }

  test("a sink that waits for its coordinator can be stopped", async () => {
    await using lab = await CliLab.open();
    const sink = lab.sink("localhost:1", lab.path("sink"));
    await sink.event("connecting", { nth: 2 });
    sink.signal("SIGTERM");
    expect(await sink.exit()).toBe(143);
  });
});

/** A session of two sinks that is held in its middle: something is stored at each of them, and most is still to come. */
async function longCopy(lab: CliLab) {
  const from = lab.path("source");
  makeLongTree(from, TREE);
  const { address, process: coordinator } = await lab.coordinator();
  const to = [lab.path("stayer"), lab.path("leaver")];
  const order = { address, from, to, sourceArgs: ["--sink-timeout", "1s"] };
  const { source, sinks } = startCopy(lab, order);
  const [stayer, leaver] = sinks;
  if (stayer === undefined || leaver === undefined) throw new Error("Two sinks were started");
  const underWay = { where: ({ progress }: { progress: CopyProgress }) => progress.bytesDone > UNDER_WAY_BYTES };
  await stayer.event("progress", underWay);
  // The source sends no more than its window while one sink is frozen.
  stayer.signal("SIGSTOP");
  await leaver.event("progress", underWay);
  return {
    ...{ from, order, coordinator, source, sinks, stayer, leaver },
    stayerFolder: lab.path("stayer"),
    leaverFolder: lab.path("leaver"),
    leave(who: { signal(signal: NodeJS.Signals): void }, signal: NodeJS.Signals) {
      who.signal(signal);
      stayer.signal("SIGCONT");
    },
    expectNothingHalfDone() {
      for (const folder of order.to) {
        expect(expectWholeFiles(from, folder).length).toBeLessThan(TREE.files);
        expectBeginnings(from, folder);
      }
    },
  };
}

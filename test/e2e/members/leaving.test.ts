import { describe, expect, test } from "vitest";
import type { SinkEvent, SourceEvent } from "../../../src/protocol/messages/events.ts";
import type { CopyProgress, SinkOutcome } from "../../../src/protocol/messages/progress.ts";
import { isWhole } from "../../../src/protocol/messages/whole-copy.ts";
import { brokersAvailable, startNats } from "../../helpers/brokers/brokers.ts";
import { WHOLE } from "../../helpers/copies/whole-copy.ts";
import { CliLab } from "../../helpers/processes/cli.ts";
import type { CliProcess, ErrorEvent } from "../../helpers/processes/cli-process.ts";
import { makeLongTree, makeManyFiles } from "../../helpers/trees/tree.ts";
import { expectBeginnings, expectWholeFiles } from "../../helpers/trees/tree-judge.ts";
import { E2E_MS, expectCopy, expectProven, startCopy } from "../copying.ts";

/** Half a minute at that rate. */
const TREE = { files: 12, mibEach: 6 };
const LIMIT = ["--bwlimit", "2M"];
const UNDER_WAY_BYTES = 8 * 1024 * 1024;

describe.concurrent("leaving in the middle of a session", { timeout: E2E_MS }, () => {
  test("a source that is stopped leaves its sinks waiting; the same command goes on, and all is proven", async () => {
    await using lab = await CliLab.open();
    const run = await longCopy(lab);
    run.source.signal("SIGINT");
    expect(await run.source.exit()).toBe(130);
    expect(await run.source.event("stopping")).toMatchObject({ graceMs: 3000 });
    expect(run.source.stderr).toContain("Stopped by SIGINT");
    for (const sink of run.sinks)
      expect(await sink.event("left")).toMatchObject({ code: "interrupted", reason: "Stopped by SIGINT" });
    run.expectNothingHalfDone();
    const left = await run.coordinator.event("left", { where: ({ role }) => role === "source" });
    expect(left).toMatchObject({ code: "interrupted", reason: "Stopped by SIGINT" });
    await expectProven(run.sourceAgain(), run.sinks);
    for (const folder of run.order.to) await expectCopy(run.from, folder);
    for (const sink of run.sinks) await sink.event("started", { nth: 2 });
  });

  test("the same command, started at once after Ctrl-C, takes the session over and sends only what was not stored", async () => {
    await using lab = await CliLab.open();
    const run = await longCopy(lab);
    run.source.signal("SIGINT");
    const again = run.sourceAgain();
    const { bytesSent, bytesSentAgain, bytesCaughtUp } = await expectProven(again, run.sinks);
    expect(bytesSent + bytesSentAgain + bytesCaughtUp).toBeLessThan(
      TREE.files * TREE.mibEach * 1024 * 1024 - UNDER_WAY_BYTES / 2,
    );
    expect(await run.source.exit()).toBe(130);
    for (const folder of run.order.to) await expectCopy(run.from, folder);
    for (const sink of run.sinks) await sink.event("started", { nth: 2 });
    const [left, joined] = [await run.coordinator.event("left"), await again.event("joined")];
    expect(left).toMatchObject({ role: "source", code: "interrupted", name: joined.name });
  });

  test("a source that is stopped twice ends the session for all", async () => {
    await using lab = await CliLab.open();
    const run = await longCopy(lab);
    run.source.signal("SIGINT");
    await run.source.event("stopping");
    run.source.signal("SIGINT");
    expect(await run.source.exit()).toBe(130);
    expect(run.source.stderr).toContain("The session has ended for all sinks");
    for (const sink of run.sinks) {
      expect(await sink.exit()).toBe(15);
      expect(await sink.failure()).toMatchObject({ code: "cancelled" });
    }
    run.expectNothingHalfDone();
    for (const folder of run.order.to) expectBeginnings(run.from, folder);
  });

  test("killed without a word, a source is missed at once; the same command goes on", async () => {
    await using lab = await CliLab.open();
    const run = await longCopy(lab);
    run.source.signal("SIGKILL");
    for (const sink of run.sinks) expect(await sink.event("left")).toMatchObject({ code: "source-lost" });
    run.expectNothingHalfDone();
    await expectProven(run.sourceAgain(), run.sinks);
    for (const folder of run.order.to) await expectCopy(run.from, folder);
  });

  test("a sink that is stopped leaves the others to their copies, and the source says who is missing and why", async () => {
    await using lab = await CliLab.open();
    const run = await longCopy(lab, { sourceArgs: ["--sink-timeout", "1s"] });
    run.leaver.signal("SIGINT");
    expect(await run.leaver.exit()).toBe(130);
    await run.unlimit();
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
    expect(summary.sinks.filter(isWhole)).toHaveLength(1);
  });

  test("who is stopped twice at once says all the same that it goes, so that nobody waits for it", async () => {
    await using lab = await CliLab.open();
    makeManyFiles(lab.path("source"), 1);
    const { address, process: coordinator } = await lab.coordinator();
    const sink = lab.sink(address, lab.path("sink"));
    await sink.event("waiting");
    const source = lab.source(address, lab.path("source"), ["--dest-count", "2"]);
    await source.event("waiting", { where: ({ sinks }) => sinks.length === 1 });
    for (const [process, role] of [
      [source, "source"],
      [sink, "sink"],
    ] as const) {
      process.signal("SIGINT");
      process.signal("SIGTERM");
      expect([130, 143]).toContain(await process.exit());
      expect(await coordinator.event("left", { where: (event) => event.role === role })).toMatchObject({
        code: "interrupted",
      });
    }
  });

  test("a coordinator that stands still is told of, and so is that it goes on", async () => {
    await using lab = await CliLab.open();
    const run = await longCopy(lab);
    run.coordinator.signal("SIGSTOP");
    const members: readonly Member[] = [run.source, ...run.sinks];
    for (const member of members) await member.event("control", { where: ({ status }) => status === "silent" });
    run.coordinator.signal("SIGCONT");
    for (const member of members) await member.event("control", { where: ({ status }) => status === "answers" });
    await run.unlimit();
    await expectProven(run.source, run.sinks);
    for (const folder of run.order.to) await expectCopy(run.from, folder);
  });

  test("a sink that is stopped, or killed, is waited for while the others finish; its command again catches it up", async () => {
    await using lab = await CliLab.open();
    const run = await longCopy(lab);
    run.leaver.signal("SIGINT");
    expect(await run.leaver.exit()).toBe(130);
    await run.unlimit();
    expectWholeFiles(run.from, run.leaverFolder);
    const { name } = await run.leaver.event("joined");
    const stayer = await run.source.event("sink", { where: ({ outcome }) => isWhole(outcome) });
    expect(stayer.name).not.toBe(name);
    const killed = lab.sink(run.order.address, run.leaverFolder, ["--session", "default"]);
    await killed.event("waiting", { where: ({ underWay }) => underWay });
    await killed.event("started");
    killed.signal("SIGKILL");
    await killed.exit();
    const again = lab.sink(run.order.address, run.leaverFolder, ["--session", "default"]);
    const summary = await expectProven(run.source, [run.stayer, again]);
    for (const folder of run.order.to) await expectCopy(run.from, folder);
    expect(summary.sinks.find((sink) => sink.name === name)).toMatchObject({ outcome: WHOLE, caughtUp: true });
  });

  test("source --cancel ends a session that waits for its source, and nobody else's", async () => {
    await using lab = await CliLab.open();
    const run = await longCopy(lab);
    run.source.signal("SIGTERM");
    expect(await run.source.exit()).toBe(143);
    makeManyFiles(lab.path("other"), 1);
    const other = lab.source(run.order.address, lab.path("other"), ["--cancel"]);
    expect(await other.exit()).toBe(5);
    const cancel = lab.source(run.order.address, run.from, ["--cancel"]);
    expect(await cancel.exit()).toBe(0);
    expect(await cancel.event("cancelled")).toMatchObject({ session: "default" });
    for (const sink of run.sinks) {
      expect(await sink.exit()).toBe(15);
      expect(await sink.failure()).toMatchObject({ code: "cancelled" });
    }
    const plain = lab.source(run.order.address, run.from, ["--cancel"], { plain: true });
    expect(await plain.exit()).toBe(5);
    expect(plain.stderr).toContain("is not the source of a session");
  });

  test.each(["SIGINT", "SIGKILL"] as const)(
    "a coordinator that goes by %s and comes back is waited for, and the copy goes on where it was",
    async (signal) => {
      await using lab = await CliLab.open();
      const run = await longCopy(lab);
      run.coordinator.signal(signal);
      await run.coordinator.exit();
      for (const process of [run.source, ...run.sinks] as const) {
        await lost(process);
      }
      run.expectNothingHalfDone();
      await lab.coordinator({ port: portOf(run.order.address) });
      await back(run.source);
      await run.unlimit();
      await expectProven(run.source, run.sinks);
      for (const folder of run.order.to) await expectCopy(run.from, folder);
      // Nothing began anew.
      for (const process of [run.source, ...run.sinks] as const) {
        await back(process);
        expect(process.events.filter(({ type }) => type === "started")).toHaveLength(1);
      }
    },
  );

  test("source and coordinator killed at once, and started again, copy everything", async () => {
    await using lab = await CliLab.open();
    const run = await longCopy(lab);
    run.coordinator.signal("SIGKILL");
    run.source.signal("SIGKILL");
    await run.coordinator.exit();
    await run.source.exit();
    const source = run.sourceAgain();
    await lab.coordinator({ port: portOf(run.order.address) });
    await expectProven(source, run.sinks);
    for (const folder of run.order.to) await expectCopy(run.from, folder);
  });
});

describe.skipIf(!brokersAvailable("nats"))("without its coordinator", { timeout: E2E_MS }, () => {
  test("a copy through NATS goes on, is proven, and ends when the coordinator is back", async () => {
    await using lab = await CliLab.open();
    const broker = await startNats();
    await using stopping = new AsyncDisposableStack();
    stopping.defer(() => broker.stop());
    const run = await longCopy(lab, { broker: broker.url });
    run.coordinator.signal("SIGKILL");
    await run.coordinator.exit();
    const proven = { where: ({ outcome }: { outcome: SinkOutcome }) => isWhole(outcome) };
    for (const nth of [1, 2]) await run.source.event("sink", { ...proven, nth });
    for (const process of [run.source, ...run.sinks] as const)
      expect(process.events.filter(({ type }) => type === "finished")).toHaveLength(0);
    for (const folder of run.order.to) await expectCopy(run.from, folder);
    await lab.coordinator({ port: portOf(run.order.address), broker: broker.url });
    await expectProven(run.source, run.sinks);
  });
});

describe.concurrent("leaving while nothing goes on", { timeout: E2E_MS }, () => {
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

/** A session of two sinks in its middle: something is stored at each of them, and most is still to come. */
async function longCopy(
  lab: CliLab,
  { broker = "embedded", sourceArgs = [] }: { readonly broker?: string; readonly sourceArgs?: readonly string[] } = {},
) {
  const from = lab.path("source");
  makeLongTree(from, TREE);
  const { address, process: coordinator } = await lab.coordinator({ broker });
  const to = [lab.path("stayer"), lab.path("leaver")];
  const order = { address, from, to, sourceArgs: [...LIMIT, ...sourceArgs] };
  const { source, sinks } = startCopy(lab, order);
  const [stayer, leaver] = sinks;
  if (stayer === undefined || leaver === undefined) throw new Error("Two sinks were started");
  const underWay = { where: ({ progress }: { progress: CopyProgress }) => progress.bytesDone > UNDER_WAY_BYTES };
  await stayer.event("progress", underWay);
  await leaver.event("progress", underWay);
  return {
    ...{ from, order, coordinator, source, sinks, stayer, leaver },
    /** Of the source that was started first; to be called when all has been seen that comes in mid-copy. */
    unlimit: () => lab.unlimit(address),
    stayerFolder: lab.path("stayer"),
    leaverFolder: lab.path("leaver"),
    /** The same command once more. */
    sourceAgain: () => lab.source(address, from, ["--session", "default", "--dest-count", String(order.to.length)]),
    expectNothingHalfDone() {
      for (const folder of order.to) {
        expect(expectWholeFiles(from, folder).length).toBeLessThan(TREE.files);
        expectBeginnings(from, folder);
      }
    },
  };
}

type Member = CliProcess<SourceEvent | SinkEvent | ErrorEvent>;

/** Says that the coordinator is lost, and that it is being tried to reach it again. */
async function lost(member: Member): Promise<void> {
  await member.event("control", { where: ({ status }) => status === "lost" });
  await member.event("connecting", { where: ({ reason }) => reason?.includes("refused") === true });
}

async function back(member: Member): Promise<void> {
  await member.event("control", { where: ({ status }) => status === "back" });
}

function portOf(address: string): number {
  return Number(address.split(":").at(-1));
}

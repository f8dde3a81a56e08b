import { readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { FleetVerifyEvent } from "../../src/protocol/messages/fleet-verify-events.ts";
import type { VerifyReport } from "../../src/protocol/messages/verification.ts";
import { flipByte } from "../helpers/copies/verified.ts";
import { CliLab } from "../helpers/processes/cli.ts";
import { content, makeManyFiles } from "../helpers/trees/tree.ts";
import { E2E_MS, expectCopy, expectDocumentedEvents, type SinkProcess } from "./copying.ts";
import { givenKey } from "./sealing/age-lab.ts";
import { snapshotsIn } from "./snapshots/snapshot-lab.ts";

const [DIFFERS, SINKS_LOST, PEER_LOST] = [12, 4, 11];
/** What is read first is to be paid for in a quarter of an hour: a test that works never waits for it. */
const CRAWL = ["--bwlimit", "1K"];

/** A coordinator, and sinks that stay for the session photos. */
async function fleetOf(lab: CliLab) {
  const from = lab.path("source");
  makeManyFiles(from, 20);
  writeFileSync(`${from}/large`, content(3_000_000, 5));
  const state = lab.path("state");
  const coordinator = await lab.coordinator({ args: ["--state-dir", state] });
  const { address } = coordinator;
  const sink = (name: string, args: readonly string[] = []) =>
    lab.sink(address, lab.path(name), ["--session", "photos", "--name", name, "--stay", ...args]);
  const copy = async (sinks: readonly SinkProcess[], args: readonly string[] = []) => {
    const nth = (await sinks[0]?.event("waiting")) && waits(sinks[0]) + 1;
    const source = lab.source(address, from, ["--session", "photos", "--dest-count", String(sinks.length), ...args]);
    expect(await source.exit(), source.shown()).toBe(0);
    for (const each of sinks) await each.event("waiting", { nth: nth ?? 1 });
  };
  const verify = (args: readonly string[] = []) =>
    lab.start<FleetVerifyEvent>(["verify", "--fleet", "photos", "--state-dir", state, ...args]);
  return { from, state, coordinator, sink, copy, verify };
}

const waits = (sink: SinkProcess | undefined): number =>
  sink?.events.filter(({ type }) => type === "waiting").length ?? 0;

type FleetVerify = ReturnType<Awaited<ReturnType<typeof fleetOf>>["verify"]>;

/** What each sink has answered, by its name, and how the command ended. */
async function answers(run: FleetVerify) {
  const status = await run.exit();
  const { result, sinks } = await run.event("finished");
  expectDocumentedEvents(run as never);
  return { status, result, sinks: Object.fromEntries(sinks.map(({ name, ...sink }) => [name, sink])) };
}

const problemsOf = (report: VerifyReport | undefined) => report?.problems.map(({ snapshot, path }) => [snapshot, path]);

describe.concurrent("fanfold verify --fleet", { timeout: E2E_MS }, () => {
  test("names what rotted at each sink, the next run mends it, and who is away is missed", async () => {
    await using lab = await CliLab.open();
    const { from, sink, copy, verify } = await fleetOf(lab);
    const sinks = [sink("attic"), sink("cellar", ["--snapshots"])];
    writeFileSync(`${from}/gone`, "in the first snapshot alone");
    for (const each of sinks) await each.event("waiting");
    await copy(sinks);
    rmSync(`${from}/gone`);
    utimesSync(from, 1e9, 1e9);
    await copy(sinks, ["--delete"]);
    const [first = ""] = snapshotsIn(lab.path("cellar"));
    expect(await answers(verify())).toMatchObject({ status: 0, result: "equal", sinks: { attic: { state: "done" } } });

    flipByte(lab.path("attic/large"), 1_999_999);
    flipByte(lab.path("cellar", first, "gone"), 3);
    const newest = await answers(verify());
    expect(newest).toMatchObject({
      status: DIFFERS,
      result: "differs",
      sinks: { cellar: { report: { result: "equal" } } },
    });
    expect(newest.sinks["attic"]?.report).toMatchObject({ differing: 1, missing: 0, wanted: 1 });
    expect(problemsOf(newest.sinks["attic"]?.report)).toEqual([[undefined, "large"]]);
    const all = await answers(verify(["--snapshot", "all"]));
    expect(problemsOf(all.sinks["cellar"]?.report)).toEqual([[first, "gone"]]);
    expect(all.sinks["cellar"]?.report).toMatchObject({ trees: 2, wanted: 0 });

    await copy(sinks);
    await expectCopy(from, lab.path("attic"));
    sinks[1]?.signal("SIGTERM");
    await sinks[1]?.exit();
    const missed = await answers(verify());
    expect(missed).toMatchObject({ status: SINKS_LOST, result: "incomplete", sinks: { cellar: { state: "away" } } });
    expect(missed.sinks["attic"]?.report).toMatchObject({ result: "equal", wanted: 0 });
  });

  test("makes way for a copy that begins, and tells of a sink that goes in the middle", async () => {
    await using lab = await CliLab.open();
    const { from, sink, copy, verify } = await fleetOf(lab);
    const sinks = [sink("attic"), sink("cellar")];
    for (const each of sinks) await each.event("waiting");
    await copy(sinks);
    const slow = verify(CRAWL);
    for (const each of sinks) await each.event("checking");
    writeFileSync(`${from}/new`, "new");
    await copy(sinks);
    for (const each of sinks) await expectCopy(from, each === sinks[0] ? lab.path("attic") : lab.path("cellar"));
    const stopped = { state: "done", report: { result: "stopped", code: "copy-runs" } };
    expect(await answers(slow)).toMatchObject({ status: SINKS_LOST, sinks: { attic: stopped, cellar: stopped } });

    const left = verify(CRAWL);
    for (const each of sinks) await each.event("checking", { nth: 2 });
    sinks[0]?.signal("SIGTERM");
    expect(await left.event("answered")).toMatchObject({ sink: { name: "attic", state: "gone" } });
    // The latest order counts.
    const last = verify();
    expect((await answers(left)).sinks["cellar"]).toMatchObject({ report: { result: "stopped", code: "other-order" } });
    expect((await answers(last)).sinks["cellar"]).toMatchObject({ report: { result: "equal" } });
  });

  test("with --repair has the next run now, of a source that repeats, and says when there is none", async () => {
    await using lab = await CliLab.open();
    const { from, sink, verify, coordinator } = await fleetOf(lab);
    const attic = sink("attic");
    const words = ["--session", "photos", "--every", "1d", "--jitter", "1ms"];
    const source = lab.source(coordinator.address, from, words);
    await source.event("finished");
    await attic.event("waiting", { nth: 2 });
    flipByte(lab.path("attic/large"), 1_999_999);
    // It may not listen yet.
    for (let repair = "no-source"; repair !== "begun"; ) {
      const run = verify(["--repair"]);
      const status = await run.exit();
      repair = (await run.event("finished")).repair ?? "";
      expect([status, repair]).toEqual(repair === "begun" ? [DIFFERS, "begun"] : [PEER_LOST, "no-source"]);
    }
    expect((await source.event("finished", { nth: 2 })).summary).toMatchObject({ bytesSent: 3_000_000 });
    await expectCopy(from, lab.path("attic"));
    await attic.event("waiting", { nth: 3 });
    source.signal("SIGTERM");
    await source.exit();
    flipByte(lab.path("attic/large"), 1_999_999);
    const without = verify(["--repair"]);
    expect(await without.exit()).toBe(PEER_LOST);
    expect(await without.event("finished")).toMatchObject({ result: "differs", repair: "no-source" });
  });

  test("gives no names of a session for recipients, and the sink's own output does", async () => {
    await using lab = await CliLab.open();
    const { sink, copy, verify, coordinator } = await fleetOf(lab);
    const key = await givenKey(lab, "attic");
    const attic = sink("attic", key.sinkArgs);
    await copy([attic], key.sourceArgs);
    flipByte(lab.path("attic/large"), 1_999_999);
    const run = verify();
    const { status, sinks } = await answers(run);
    expect(status).toBe(DIFFERS);
    expect(sinks["attic"]?.report).toMatchObject({ differing: 1, wanted: 1, problems: [] });
    expect(problemsOf((await attic.event("verified")).report)).toEqual([[undefined, "large"]]);
    await coordinator.process.event("verified");
    // Nor of a sink that is started without its keys.
    attic.signal("SIGTERM");
    await attic.exit();
    const keyless = sink("attic");
    await keyless.event("waiting");
    const later = verify();
    expect((await answers(later)).sinks["attic"]?.report).toMatchObject({ differing: 1, problems: [] });
    expect(problemsOf((await keyless.event("verified")).report)).toEqual([[undefined, "large"]]);
    await coordinator.process.event("verified", { nth: 2 });
    expect(coordinator.process.stdout + run.stdout + later.stdout).not.toContain("large");
  });

  test("is not needed by a sink with --verify-every: it reads by itself, and its coordinator hears of it", async () => {
    await using lab = await CliLab.open();
    const { from, sink, copy, state, coordinator } = await fleetOf(lab);
    const attic = sink("attic", ["--verify-every", "1s", "--verify-bwlimit", "off"]);
    await copy([attic]);
    await coordinator.process.event("verified", { where: ({ report }) => report.result === "equal" });
    flipByte(lab.path("attic/large"), 1_999_999);
    const { name, report } = await coordinator.process.event("verified", {
      where: ({ report }) => report.result === "differs",
    });
    expect([name, report.by, problemsOf(report)]).toEqual(["attic", "schedule", [[undefined, "large"]]]);
    const { stdout } = await lab.command(["fleet", "--json", "--state-dir", state]);
    expect(JSON.parse(stdout)).toMatchObject({
      sinks: [{ name: "attic", lastCheck: { result: "differs", differing: 1 } }],
    });
    await copy([attic]);
    await expectCopy(from, lab.path("attic"));
    expect(readdirSync(lab.path("attic/.fanfold"))).not.toContain("damage");
  });
});

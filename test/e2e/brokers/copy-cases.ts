import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { CliLab } from "../../helpers/processes/cli.ts";
import { MemoryWatch } from "../../helpers/processes/memory-watch.ts";
import { content, copyRealTree, makeLongTree, makeManyFiles, makeOddTree } from "../../helpers/trees/tree.ts";
import { copyAndCompare, E2E_MS, expectCopy, expectProven, startCopy } from "../copying.ts";

const MIB = 1024 * 1024;
/** What every process may hold, whatever the size of the tree. */
const RESIDENT_BYTES_MAX = 200 * MIB;
const REAL_TREE_BYTES_MAX = 12 * MIB;
/** Of a file's name: a page has room for some 250 of them. */
const LONG_NAME_BYTES = 220;

export interface Surroundings {
  /** `embedded`, or the URL of a broker that runs once the tests do. */
  broker(): string;
  /** Over TLS and with tokens; as all labs where absent. */
  readonly access?: "guarded";
  /** How many files "many small files" are: several pages at least, of some 250 each. */
  readonly manyFiles: number;
}

/** What a person can do with a coordinator, a source and sinks, the same over every transport. */
export function copyCases(transport: string, { broker, access, manyFiles }: Surroundings): void {
  describe.concurrent(`over ${transport}`, { timeout: E2E_MS }, () => {
    test("three sinks get an equal tree of odd names, depths, modes, links and times", async () => {
      await using lab = await CliLab.open(access);
      const from = lab.path("source");
      await makeOddTree(from);
      const { address } = await lab.coordinator({ broker: broker() });
      const to = ["sink-1", "sink-2", "sink-3"].map((name) => lab.path(name));
      await copyAndCompare(lab, { address, from, to });
    });

    test("three sinks get an equal copy of a real tree", async () => {
      await using lab = await CliLab.open(access);
      const from = lab.path("source");
      await copyRealTree(from, REAL_TREE_BYTES_MAX);
      const { address } = await lab.coordinator({ broker: broker() });
      const to = ["sink-1", "sink-2", "sink-3"].map((name) => lab.path(name));
      const summary = await copyAndCompare(lab, { address, from, to });
      expect(summary.files).toBeGreaterThan(100);
    });

    test("five sinks get an equal tree", async () => {
      await using lab = await CliLab.open(access);
      const from = lab.path("source");
      makeManyFiles(from, 300);
      writeFileSync(lab.path("source", "larger"), content(9 * MIB + 1, 7));
      const { address } = await lab.coordinator({ broker: broker() });
      const to = [1, 2, 3, 4, 5].map((number) => lab.path(`sink-${number}`));
      await copyAndCompare(lab, { address, from, to });
    });

    test("one sink gets an empty directory, and one files without content", async () => {
      await using lab = await CliLab.open(access);
      mkdirSync(lab.path("nothing"));
      mkdirSync(lab.path("empty files", "below"), { recursive: true });
      for (let index = 0; index < 50; index += 1) {
        writeFileSync(lab.path("empty files", `${index}`), "");
        writeFileSync(lab.path("empty files", "below", `${index}`), "");
      }
      const { address } = await lab.coordinator({ broker: broker() });
      const nothing = await copyAndCompare(lab, { address, from: lab.path("nothing"), to: [lab.path("sink-1")] });
      expect(nothing).toMatchObject({ files: 0, directories: 1, bytes: 0 });
      const empty = await copyAndCompare(lab, { address, from: lab.path("empty files"), to: [lab.path("sink-2")] });
      expect(empty).toMatchObject({ files: 100, directories: 2, bytes: 0 });
    });

    test(`three sinks get ${manyFiles} small files`, async () => {
      await using lab = await CliLab.open(access);
      const from = lab.path("source");
      makeManyFiles(from, manyFiles, 300, LONG_NAME_BYTES);
      const { address } = await lab.coordinator({ broker: broker() });
      const to = ["sink-1", "sink-2", "sink-3"].map((name) => lab.path(name));
      const summary = await copyAndCompare(lab, { address, from, to });
      expect(summary.files).toBe(manyFiles);
    });

    test("sinks that were there before the coordinator say that they try, and get the copy", async () => {
      await using lab = await CliLab.open(access);
      const from = lab.path("source");
      makeManyFiles(from, 20);
      const before = await lab.coordinator();
      before.process.signal("SIGTERM");
      await before.process.exit();
      const sinks = [1, 2].map((number) => lab.sink(before.address, lab.path(`sink-${number}`)));
      for (const sink of sinks) {
        const { reason } = await sink.event("connecting", { nth: 2 });
        expect(reason).toContain("connection refused");
      }
      const port = Number(before.address.split(":")[1]);
      const { address } = await lab.coordinator({ broker: broker(), port });
      const source = lab.source(address, from, ["--dest-count", "2"]);
      await expectProven(source, sinks);
      for (const number of [1, 2]) await expectCopy(from, lab.path(`sink-${number}`));
    });

    test("a source that was there before its sinks shows who has come, and starts with the last of them", async () => {
      await using lab = await CliLab.open(access);
      const from = lab.path("source");
      makeManyFiles(from, 20);
      const { address } = await lab.coordinator({ broker: broker() });
      const source = lab.source(address, from, ["--dest-count", "2"]);
      await source.event("joined");
      const alpha = lab.sink(address, lab.path("alpha"), ["--name", "alpha"]);
      const { needed } = await source.event("waiting", { where: ({ sinks }) => sinks.join() === "alpha" });
      expect(needed).toBe(2);
      const beta = lab.sink(address, lab.path("beta"), ["--name", "beta"]);
      const { sinks } = await source.event("started");
      expect([...sinks].sort()).toEqual(["alpha", "beta"]);
      await expectProven(source, [alpha, beta]);
      for (const name of ["alpha", "beta"]) await expectCopy(from, lab.path(name));
    });

    test("a sink that comes during a session is told so, and is caught up", async () => {
      await using lab = await CliLab.open(access);
      const from = lab.path("source");
      makeLongTree(from, { files: 4, mibEach: 1 });
      const { address } = await lab.coordinator({ broker: broker() });
      const early = lab.sink(address, lab.path("early"));
      await early.event("waiting");
      // A minute at this rate.
      const first = lab.source(address, from, ["--bwlimit", "64K"]);
      await first.event("started");
      const late = lab.sink(address, lab.path("late"));
      expect(await late.event("waiting")).toMatchObject({ underWay: true });
      await late.event("started");
      await lab.unlimit(address);
      const { sinks } = await expectProven(first, [early, late]);
      expect(sinks.map(({ caughtUp }) => caughtUp)).toEqual([false, true]);
      for (const name of ["early", "late"]) await expectCopy(from, lab.path(name));
    });

    test("a sink that stays gets one session after another, until it is stopped", async () => {
      await using lab = await CliLab.open(access);
      const [from, to] = [lab.path("source"), lab.path("sink")];
      makeManyFiles(from, 20);
      const { address } = await lab.coordinator({ broker: broker() });
      const sink = lab.sink(address, to, ["--stay"]);
      for (const round of [1, 2]) {
        writeFileSync(lab.path("source", "round"), `${round}`);
        await sink.event("waiting", { nth: round });
        expect(await lab.source(address, from).exit()).toBe(0);
        expect((await sink.event("finished", { nth: round })).outcome.outcome).toBe(
          round === 1 ? "proven" : "complete",
        );
        await expectCopy(from, to);
      }
      sink.signal("SIGTERM");
      expect(await sink.exit()).toBe(143);
    });

    test("two sessions at the same time do not see each other", async () => {
      await using lab = await CliLab.open(access);
      const { address } = await lab.coordinator({ broker: broker() });
      const orders = ["red", "blue"].map((session, index) => {
        const from = lab.path(`${session} source`);
        makeLongTree(from, { files: 3, mibEach: 8 + index });
        writeFileSync(`${from}/only in ${session}`, content(1000, index));
        return { address, session, from, to: [lab.path(`${session} 1`), lab.path(`${session} 2`)] };
      });
      const runs = orders.map((order) => startCopy(lab, order));
      await Promise.all(runs.map(({ source, sinks }) => expectProven(source, sinks)));
      for (const { from, to } of orders) for (const folder of to) await expectCopy(from, folder);
    });

    test("a second source of the same session is refused, and the first one goes on", async () => {
      await using lab = await CliLab.open(access);
      const from = lab.path("source");
      makeManyFiles(from, 20);
      const { address } = await lab.coordinator({ broker: broker() });
      const first = lab.source(address, from, ["--name", "first"]);
      await first.event("joined");
      mkdirSync(lab.path("other"));
      const second = lab.source(address, lab.path("other"));
      expect(await second.exit()).toBe(5);
      expect(await second.failure()).toMatchObject({ code: "session-busy" });
      expect(second.stderr).toContain('the source "first" waits for its sinks');
      const sink = lab.sink(address, lab.path("sink"));
      await expectProven(first, [sink]);
      await expectCopy(from, lab.path("sink"));
    });

    test.sequential("with a sink that is frozen again and again, every process stays under 200 MiB", async () => {
      await using lab = await CliLab.open(access);
      const from = lab.path("source");
      makeLongTree(from, { files: 4, mibEach: 64 });
      makeManyFiles(lab.path("source", "small"), 500);
      const coordinator = await lab.coordinator({ broker: broker() });
      const to = [lab.path("quick"), lab.path("slow")];
      const { source, sinks } = startCopy(lab, { address: coordinator.address, from, to });
      const [quick, slow] = sinks;
      if (quick === undefined || slow === undefined) throw new Error("Two sinks were started");
      using watch = new MemoryWatch(
        new Map(Object.entries({ coordinator: coordinator.process, source, quick, slow }).map(([n, p]) => [n, p.pid])),
      );
      await source.event("started");
      let over = false;
      const ended = source.exit().finally(() => {
        over = true;
      });
      // The disk of a slow machine in bursts: the work of the test is done by the pauses themselves.
      for (let burst = 0; burst < 12 && !over; burst += 1) {
        slow.signal("SIGSTOP");
        await delay(250);
        slow.signal("SIGCONT");
        await delay(50);
      }
      await ended;
      await expectProven(source, sinks);
      for (const folder of to) await expectCopy(from, folder);
      expect([...watch.peakBytes.keys()].sort()).toEqual(["coordinator", "quick", "slow", "source"]);
      for (const [name, bytes] of watch.peakBytes) expect(bytes, name).toBeLessThan(RESIDENT_BYTES_MAX);
      rmSync(from, { recursive: true });
    });
  });
}

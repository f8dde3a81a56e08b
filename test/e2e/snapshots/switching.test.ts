import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { flipByte } from "../../helpers/copies/verified.ts";
import { makeLongFile } from "../../helpers/trees/tree.ts";
import { E2E_MS, expectDocumentedEvents } from "../copying.ts";
import { SwitchLab } from "./switch-lab.ts";

const FLEET = ["alpha", "beta", "gamma"];

describe.concurrent("fanfold source --commit", { timeout: E2E_MS }, () => {
  test("has all sinks switch together, and says who did when", async () => {
    await using fleet = await SwitchLab.open(FLEET);
    const source = fleet.source("--commit", "all");
    expect(await source.exit()).toBe(0);
    const { summary } = await source.event("finished");
    expect(summary).toMatchObject({ result: "complete", commit: "switched" });
    for (const { switchedAt = "" } of summary.sinks) expect(Date.parse(switchedAt)).toBeGreaterThan(0);
    for (const name of FLEET) {
      const sink = fleet.sinks.get(name);
      expect((await sink?.event("decided"))?.becomes).toBe("switched");
      expect(fleet.digest(name)).toBe(summary.digest);
      expect(fleet.isPending(name)).toBe(false);
      if (sink !== undefined) expectDocumentedEvents(sink);
    }
    expectDocumentedEvents(source);
  });

  test.each([
    ["drop", "dropped", 1],
    ["keep", "kept", 2],
  ] as const)(
    "has nobody switch when too few have a whole copy, and with %s the new state is %s",
    async (otherwise, becomes, count) => {
      await using fleet = await SwitchLab.open(["alpha", "beta"]);
      expect(await fleet.source("--commit", "all").exit()).toBe(0);
      const before = [fleet.latest("alpha"), fleet.latest("beta")];
      fleet.change();
      const source = fleet.source("--commit", "3", "--commit-else", otherwise);
      expect(await source.exit()).toBe(4);
      expect((await source.event("finished")).summary).toMatchObject({ result: "complete", commit: becomes });
      for (const [index, name] of ["alpha", "beta"].entries()) {
        expect((await fleet.sinks.get(name)?.event("decided", { nth: 2 }))?.becomes).toBe(becomes);
        expect(fleet.latest(name)).toBe(before[index]);
        expect(fleet.snapshots(name)).toHaveLength(count);
      }
      // The same state once more, with enough of them.
      const again = fleet.source("--commit", "2");
      expect(await again.exit()).toBe(0);
      const { summary } = await again.event("finished");
      for (const name of ["alpha", "beta"]) {
        expect(fleet.digest(name)).toBe(summary.digest);
        expect(fleet.latest(name)).not.toBe(before[0]);
      }
    },
  );

  test("leads latest away from damage that it alone has, with the next run that switches", async () => {
    await using fleet = await SwitchLab.open(["alpha"]);
    const alpha = fleet.sinks.get("alpha");
    const verify = async (nth: number) => {
      await alpha?.event("waiting", { nth });
      return await fleet.lab.command(["verify", fleet.folder("alpha")]);
    };
    expect(await fleet.source("--commit", "1").exit()).toBe(0);
    const before = fleet.latest("alpha") ?? "";
    fleet.change();
    expect(await fleet.source("--commit", "2", "--commit-else", "keep").exit()).toBe(4);
    await alpha?.event("decided", { nth: 2 });
    flipByte(join(fleet.folder("alpha"), before, "file-7"), 1000);
    const found = await verify(3);
    expect(found).toMatchObject({
      status: 12,
      stdout: expect.stringContaining("in older snapshots, which no copy mends"),
    });
    expect(await fleet.source().exit()).toBe(0);
    expect(fleet.latest("alpha")).not.toBe(before);
    expect((await verify(4)).status).toBe(0);
  });

  test("drops a state in which a damaged file was mended, and calls the one before not proven by it", async () => {
    await using fleet = await SwitchLab.open(["alpha"]);
    expect(await fleet.source("--commit", "1").exit()).toBe(0);
    const before = fleet.latest("alpha") ?? "";
    const file = join(fleet.folder("alpha"), before, "file-7");
    flipByte(file, 1000);
    const verify = async (nth: number): Promise<number | null> => {
      await fleet.sinks.get("alpha")?.event("waiting", { nth });
      return (await fleet.lab.command(["verify", fleet.folder("alpha")])).status;
    };
    expect(await verify(2)).toBe(12);
    expect(await fleet.source("--commit", "2").exit()).toBe(4);
    await fleet.sinks.get("alpha")?.event("decided", { nth: 2 });
    expect(fleet.snapshots("alpha")).toEqual([before]);
    // It is read, found to be another, and wanted by the run behind that.
    expect(await fleet.source("--commit", "1").exit()).toBe(4);
    expect(await fleet.source("--commit", "1").exit()).toBe(0);
    expect(await verify(5)).toBe(0);
    expect(fleet.latest("alpha")).not.toBe(before);
  });

  test("refuses a sink without snapshots, which says what to do, and goes on with the others", async () => {
    await using fleet = await SwitchLab.open(["alpha"]);
    const plain = fleet.lab.sink(fleet.coordinator.address, fleet.folder("plain"), ["--name", "plain"]);
    await plain.event("waiting");
    const source = fleet.source("--dest-count", "2", "--commit", "1");
    expect(await source.exit()).toBe(4);
    const { summary } = await source.event("finished");
    expect(summary.commit).toBe("switched");
    const refused = summary.sinks.find(({ name }) => name === "plain");
    expect(refused).toMatchObject({
      outcome: "failed",
      code: "refused",
      message: expect.stringContaining("--snapshots"),
    });
    expect(await plain.exit()).toBe(5);
    expect(plain.shown()).toContain("--snapshots");
    expect(fleet.digest("alpha")).toBe(summary.digest);
  });

  test("gives up those that have no whole copy in time, and decides without them", async () => {
    await using fleet = await SwitchLab.open(["alpha", "beta"]);
    const source = fleet.source("--commit", "1", "--commit-timeout", "1s");
    await source.event("started");
    fleet.sinks.get("beta")?.signal("SIGSTOP");
    const { summary } = await source.event("finished");
    fleet.sinks.get("beta")?.signal("SIGCONT");
    expect(await source.exit()).toBe(4);
    const outcomes = summary.sinks.map(({ name, outcome }) => [name, outcome]);
    if (outcomes.some(([, outcome]) => outcome === "failed")) {
      expect(summary.sinks.find(({ name }) => name === "beta")).toMatchObject({
        code: "sinks-lost",
        message: expect.stringContaining("--commit-timeout"),
      });
      expect(summary.commit).toBe("switched");
    }
  });

  test("switches only those that have the tree which was decided on", async () => {
    await using fleet = await SwitchLab.open(["alpha", "beta"]);
    expect(await fleet.source("--commit", "all").exit()).toBe(0);
    const before = fleet.latest("beta");
    fleet.sinks.get("beta")?.signal("SIGTERM");
    await fleet.sinks.get("beta")?.exit();
    fleet.change();
    makeLongFile(join(fleet.from, "large"), 40);
    const source = fleet.source("--dest-count", "1", "--commit", "1", "--bwlimit", "4M");
    const alpha = fleet.sinks.get("alpha");
    await alpha?.event("started", { nth: 2 });
    // The files before the large one are sent; what comes now is in no copy but that of who comes late.
    await alpha?.event("progress", { where: ({ progress }) => progress.bytesDone > 8_000_000 });
    source.signal("SIGSTOP");
    fleet.change();
    const beta = await fleet.sink("beta");
    source.signal("SIGCONT");
    expect(await source.exit(), source.shown()).toBe(0);
    const { summary } = await source.event("finished");
    expect(summary.commit).toBe("switched");
    const [one, other] = ["alpha", "beta"].map((name) => summary.sinks.find((sink) => sink.name === name));
    expect(one).toMatchObject({ digest: summary.digest, switchedAt: expect.any(String) });
    expect(other).toMatchObject({ caughtUp: true, digest: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(other?.digest).not.toBe(summary.digest);
    expect(other).not.toHaveProperty("switchedAt");
    expect((await beta.event("decided")).becomes).toBe("dropped");
    expect(fleet.digest("alpha")).toBe(summary.digest);
    expect([fleet.latest("beta"), fleet.isPending("beta")]).toEqual([before, false]);
  });

  test("is obeyed by a sink that was killed before it heard", async () => {
    await using fleet = await SwitchLab.open(FLEET);
    // Before anything can come to it.
    fleet.sinks.get("gamma")?.signal("SIGSTOP");
    const source = fleet.source("--commit", "all");
    // Proven, and waiting for gamma.
    await source.event("sink", { where: ({ name }) => name === "alpha" });
    expect(fleet.isPending("alpha")).toBe(true);
    expect(fleet.latest("alpha")).toBeUndefined();
    fleet.sinks.get("alpha")?.signal("SIGKILL");
    fleet.sinks.get("gamma")?.signal("SIGCONT");
    await source.event("sink", { where: ({ name }) => name === "gamma" });
    expect(await source.exit()).toBe(0);
    const { summary } = await source.event("finished");
    expect(summary.commit).toBe("switched");
    expect(summary.sinks.find(({ name }) => name === "alpha")).not.toHaveProperty("switchedAt");
    expect(fleet.latest("alpha")).toBeUndefined();
    const alpha = await fleet.sink("alpha");
    expect((await alpha.event("decided")).becomes).toBe("switched");
    for (const name of FLEET) expect(fleet.digest(name)).toBe(summary.digest);
  });

  test("is decided once, also when the coordinator is killed in between", async () => {
    await using fleet = await SwitchLab.open(["alpha", "beta"]);
    // Before anything can come to it.
    fleet.sinks.get("beta")?.signal("SIGSTOP");
    const source = fleet.source("--commit", "all");
    await source.event("sink", { where: ({ name }) => name === "alpha" });
    fleet.coordinator.process.signal("SIGKILL");
    fleet.sinks.get("beta")?.signal("SIGCONT");
    await fleet.coordinator.process.exit();
    expect(fleet.latest("alpha")).toBeUndefined();
    await fleet.coordinatorAgain();
    expect(await source.exit()).toBe(0);
    const { summary } = await source.event("finished");
    expect(summary.commit).toBe("switched");
    await fleet.settled();
    for (const name of ["alpha", "beta"]) expect(fleet.digest(name)).toBe(summary.digest);
  });

  test("of a copy that was given up is no reason to switch, whoever is started again", async () => {
    await using fleet = await SwitchLab.open(["alpha", "beta"]);
    expect(await fleet.source("--commit", "all").exit()).toBe(0);
    const before = [fleet.latest("alpha"), fleet.latest("beta")];
    fleet.change();
    // Before anything can come to it, and after it is there for the next copy.
    await fleet.sinks.get("beta")?.event("waiting", { nth: 2 });
    fleet.sinks.get("beta")?.signal("SIGSTOP");
    const first = fleet.source("--commit", "all");
    await first.event("sink", { where: ({ name }) => name === "alpha" });
    first.signal("SIGKILL");
    fleet.sinks.get("beta")?.signal("SIGCONT");
    await first.exit();
    expect(fleet.isPending("alpha")).toBe(true);
    // The same tree, once more; and nobody has enough for it.
    const second = fleet.source("--commit", "9");
    expect(await second.exit()).toBe(4);
    await fleet.settled();
    for (const [index, name] of ["alpha", "beta"].entries()) {
      expect(fleet.latest(name)).toBe(before[index]);
      fleet.sinks.get(name)?.signal("SIGKILL");
      await fleet.sinks.get(name)?.exit();
      await fleet.sink(name);
      expect(fleet.latest(name)).toBe(before[index]);
    }
    // A plain copy of it counts at once.
    const plain = fleet.source();
    expect(await plain.exit()).toBe(0);
    const { summary } = await plain.event("finished");
    for (const name of ["alpha", "beta"]) expect(fleet.digest(name)).toBe(summary.digest);
  });

  test("is not told by another coordinator: a sink that waits asks the one that decides", async () => {
    await using fleet = await SwitchLab.open(["alpha", "beta"]);
    // Before anything can come to it.
    fleet.sinks.get("beta")?.signal("SIGSTOP");
    const source = fleet.source("--commit", "all");
    await source.event("sink", { where: ({ name }) => name === "alpha" });
    fleet.sinks.get("alpha")?.signal("SIGKILL");
    fleet.sinks.get("beta")?.signal("SIGCONT");
    expect(await source.exit()).toBe(0);
    const { summary } = await source.event("finished");
    const right = fleet.coordinator;
    fleet.coordinator = await fleet.lab.coordinator();
    const lost = await fleet.sink("alpha");
    const other = fleet.lab.source(fleet.coordinator.address, fleet.from, ["--session", "default"]);
    await lost.event("warning", { where: ({ code }) => code === "undecided" });
    expect([fleet.isPending("alpha"), fleet.latest("alpha")]).toEqual([true, undefined]);
    other.signal("SIGKILL");
    lost.signal("SIGKILL");
    await Promise.all([other.exit(), lost.exit()]);
    fleet.coordinator = right;
    const alpha = await fleet.sink("alpha");
    expect((await alpha.event("decided")).becomes).toBe("switched");
    expect(fleet.digest("alpha")).toBe(summary.digest);
  });

  test.each([
    [["--commit", "0"], /cannot read --commit "0"/],
    [["--commit", "some"], /cannot read --commit "some"/],
    [["--commit-else", "keep"], /cannot read --commit-else/],
  ])("refuses %j", async (args, text) => {
    await using fleet = await SwitchLab.open([]);
    const source = fleet.lab.start(["source", ...args, fleet.from], { plain: true });
    expect(await source.exit()).toBe(2);
    expect(source.stderr).toMatch(text);
  });
});

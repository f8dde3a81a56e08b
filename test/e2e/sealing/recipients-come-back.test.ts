import { describe, expect, test } from "vitest";
import type { CopyProgress } from "../../../src/protocol/messages/progress.ts";
import { CliLab } from "../../helpers/processes/cli.ts";
import { makeLongTree } from "../../helpers/trees/tree.ts";
import { E2E_MS, expectCopy, expectDocumentedEvents } from "../copying.ts";
import { givenKey } from "./age-lab.ts";

const MIB = 1024 * 1024;
const underWay = { where: ({ progress }: { progress: CopyProgress }) => progress.bytesDone > MIB };

/** A copy for two recipients in its middle. */
async function begun(lab: CliLab) {
  const from = lab.path("source");
  makeLongTree(from, { files: 4, mibEach: 4 });
  const [one, two] = [await givenKey(lab, "one"), await givenKey(lab, "two")];
  const stateDir = lab.path("coordinator");
  const coordinator = await lab.coordinator({ args: ["--state-dir", stateDir] });
  const { address } = coordinator;
  const sourceArgs = [...one.sourceArgs, ...two.sourceArgs, "--bwlimit", "512K"];
  const startSource = () => lab.source(address, from, sourceArgs);
  const startSink = ({ sinkArgs }: { sinkArgs: readonly string[] }, name: string) =>
    lab.sink(address, lab.path(name), ["--name", name, ...sinkArgs]);
  const sink = startSink(one, "one");
  await sink.event("waiting");
  const source = startSource();
  await sink.event("progress", underWay);
  return { from, one, two, stateDir, coordinator, address, source, sink, startSource, startSink };
}

describe.concurrent("in the middle of a copy for recipients", { timeout: E2E_MS }, () => {
  test("a coordinator that is killed and started again, and a sink that comes late, change nothing", async () => {
    await using lab = await CliLab.open();
    const { from, two, stateDir, coordinator, address, source, sink, startSink } = await begun(lab);
    coordinator.process.signal("SIGKILL");
    await coordinator.process.exit();
    const port = Number(address.split(":").at(-1));
    await lab.coordinator({ port, args: ["--state-dir", stateDir] });
    const late = startSink(two, "two");
    await late.event("started");
    await lab.unlimit(address, { stateDir });
    for (const process of [source, sink, late]) expect(await process.exit(), process.shown()).toBe(0);
    for (const name of ["one", "two"]) await expectCopy(from, lab.path(name));
    for (const process of [source, sink, late]) expectDocumentedEvents(process);
  });

  test("a source and a sink that are killed go on by the same command", async () => {
    await using lab = await CliLab.open();
    const { from, one, stateDir, address, source, sink, startSource, startSink } = await begun(lab);
    sink.signal("SIGKILL");
    await sink.exit();
    const again = startSink(one, "one");
    await again.event("progress", underWay);
    source.signal("SIGKILL");
    await source.exit();
    const anew = startSource();
    await again.event("started", { nth: 2 });
    await lab.unlimit(address, { stateDir });
    for (const process of [anew, again]) expect(await process.exit(), process.shown()).toBe(0);
    await expectCopy(from, lab.path("one"));
    // Another epoch, with a secret of its own.
    expect(again.events.filter(({ type }) => type === "started")).toHaveLength(2);
  });

  test("who comes late and is no recipient is refused, and holds up nobody", async () => {
    await using lab = await CliLab.open();
    const { from, stateDir, address, source, sink, startSink } = await begun(lab);
    const stranger = startSink(await givenKey(lab, "stranger"), "stranger");
    expect(await stranger.exit()).toBe(37);
    await lab.unlimit(address, { stateDir });
    expect(await source.exit()).toBe(4);
    expect(await sink.exit()).toBe(0);
    const { summary } = await source.event("finished");
    expect(summary.sinks).toMatchObject([{ outcome: "proven" }, { name: "stranger", code: "not-recipient" }]);
    await expectCopy(from, lab.path("one"));
  });
});

import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { isWhole } from "../../src/protocol/messages/whole-copy.ts";
import { startTcpProxy, type TcpProxy } from "../helpers/brokers/tcp-proxy.ts";
import { CliLab } from "../helpers/processes/cli.ts";
import { makeLongTree, makeManyFiles } from "../helpers/trees/tree.ts";
import { expectCopy, expectProven, type SinkProcess, type SourceProcess } from "./copying.ts";

/** Silences are noticed after 15 to 20 s, and a sink that is merely slow is detached after about 20 s. */
const TEST_MS = 240_000;
const MIB = 1024 * 1024;

interface Run extends AsyncDisposable {
  readonly lab: CliLab;
  readonly source: SourceProcess;
  readonly troubled: SinkProcess;
  readonly others: readonly SinkProcess[];
  readonly proxy: TcpProxy;
  /** Ends the session: everybody proven, every copy equal. */
  expectAllProven(): ReturnType<typeof expectProven>;
}

/** Three sinks; the way of one of them to the coordinator and its relay goes through a proxy. */
async function start(options: { readonly mib: number; readonly limit: string }): Promise<Run> {
  await using opening = new AsyncDisposableStack();
  const lab = opening.use(await CliLab.open());
  const from = lab.path("source");
  makeLongTree(from, { files: 8, mibEach: options.mib / 8 });
  makeManyFiles(lab.path("source", "small"), 200);
  const { address } = await lab.coordinator();
  const proxy = await startTcpProxy(Number(address.split(":").at(-1)));
  opening.defer(() => proxy.close());
  const troubled = lab.sink(`127.0.0.1:${proxy.port}`, lab.path("troubled"), ["--name", "troubled"]);
  const names = ["one", "two"];
  const others = names.map((name) => lab.sink(address, lab.path(name), ["--name", name]));
  const source = lab.source(address, from, ["--dest-count", "3", "--bwlimit", options.limit]);
  const closing = opening.move();
  return {
    ...{ lab, source, troubled, others, proxy },
    expectAllProven: async () => {
      const summary = await expectProven(source, [troubled, ...others]);
      for (const name of ["troubled", ...names]) await expectCopy(from, lab.path(name));
      return summary;
    },
    [Symbol.asyncDispose]: () => closing[Symbol.asyncDispose](),
  };
}

/** Until the troubled sink is in the middle of its copy. */
async function underWay({ troubled }: Run, bytes = 4 * MIB): Promise<void> {
  await troubled.event("progress", { where: ({ progress }) => progress.bytesDone > bytes });
}

/** Until the source says so of the troubled sink. */
async function until(run: Run, state: "lagging" | "detached" | "away"): Promise<void> {
  await run.source.event("progress", {
    where: ({ sinks }) => sinks.some((sink) => sink.name === "troubled" && sink.state === state),
  });
}

/** The others have their copies, whatever the troubled one does. */
async function othersProve({ source, others }: Run): Promise<void> {
  for (const index of others.keys())
    await source.event("sink", {
      nth: index + 1,
      where: ({ name, outcome }) => name !== "troubled" && isWhole(outcome),
    });
}

describe.concurrent("trouble with the link of one sink", { timeout: TEST_MS }, () => {
  test("a link that is cut for seconds is said to be lost and back, and the copy goes on from where it was", async () => {
    await using run = await start({ mib: 64, limit: "4M" });
    await underWay(run);
    run.proxy.down();
    await run.troubled.event("control", { where: ({ status }) => status === "lost" });
    await delay(2_000);
    run.proxy.up();
    await run.troubled.event("control", { where: ({ status }) => status === "back" });
    const summary = await run.expectAllProven();
    // The process lives, so what it has is never sent again: at most what its queues held, and what passed meanwhile.
    expect(summary.bytesSent + summary.bytesSentAgain + summary.bytesCaughtUp).toBeLessThan(2 * 64 * MIB);
    expect(run.troubled.events.filter(({ type }) => type === "started")).toHaveLength(1);
  });

  test("a link that stalls without closing is noticed by silence; the others finish meanwhile", async () => {
    await using run = await start({ mib: 64, limit: "4M" });
    await underWay(run);
    run.proxy.stallFromClients();
    run.proxy.stallFromTarget();
    const lost = run.troubled.event("control", { where: ({ status }) => status === "lost" });
    await until(run, "away");
    await othersProve(run);
    await lost;
    run.proxy.cut();
    run.proxy.resume();
    await run.expectAllProven();
  });

  test("a link of 2 MiB a second does not hold the others: its sink is detached, caught up and proven", async () => {
    await using run = await start({ mib: 64, limit: "100M" });
    run.proxy.throttle(2 * MIB);
    await until(run, "detached");
    await othersProve(run);
    expect(run.troubled.events.some(({ type }) => type === "finished")).toBe(false);
    const summary = await run.expectAllProven();
    expect(summary.sinks.find(({ name }) => name === "troubled")).toMatchObject({ caughtUp: true });
  });

  test("a sink that is frozen does not hold the others, and proves its copy when it goes on", async () => {
    await using run = await start({ mib: 64, limit: "4M" });
    await underWay(run);
    run.troubled.signal("SIGSTOP");
    // By its silence while it holds the others: silence alone is given 20 s.
    const away = await run.source.event("sinkstate", {
      where: ({ name, state }) => name === "troubled" && state === "away",
    });
    expect(away.message).toMatch(/^nothing was heard from it for 1?\d s/);
    await othersProve(run);
    run.troubled.signal("SIGCONT");
    await run.expectAllProven();
  });
});

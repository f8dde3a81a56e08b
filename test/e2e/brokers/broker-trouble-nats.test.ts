import { describe, expect, onTestFinished, test } from "vitest";
import { findProgram, startNatsClusterPrograms } from "../../helpers/brokers/broker-programs.ts";
import type { NatsNode, NatsOptions } from "../../helpers/brokers/broker-types.ts";
import { brokersAvailable, startNats } from "../../helpers/brokers/brokers.ts";
import { freePort } from "../../helpers/free-ports.ts";
import { CliLab } from "../../helpers/processes/cli.ts";
import { makeLongFile, makeManyFiles } from "../../helpers/trees/tree.ts";
import { E2E_MS, expectCopy, expectProven, startCopy } from "../copying.ts";
import { brokerTrouble, expectNoSecret, SECRET } from "./broker-trouble-cases.ts";

const canCluster = brokersAvailable("nats") && findProgram("nats-server") !== undefined;

describe.skipIf(!canCluster)("with a cluster of NATS servers", () => {
  /** A copy whose members know the first node, and learn of the second one; `trouble` comes in the middle of it. */
  async function copyThrough(options: readonly NatsOptions[], trouble: (node: NatsNode) => Promise<void>) {
    await using lab = await CliLab.open();
    const cluster = await startNatsClusterPrograms(options);
    onTestFinished(() => cluster.stop());
    const [first, second] = cluster.nodes;
    if (first === undefined || second === undefined) return expect.fail("the cluster has two nodes");
    const from = lab.path("source");
    makeManyFiles(from, 100);
    makeLongFile(`${from}/large`, 96);
    const { address } = await lab.coordinator({ broker: first.url });
    const order = { address, from, to: [lab.path("one"), lab.path("two")], sourceArgs: ["--bwlimit", "4M"] };
    const { source, sinks } = startCopy(lab, order);
    await source.event("progress", { where: ({ progress }) => progress.bytesDone > 8 * 1024 * 1024 });
    await trouble(first);
    const lost = await source.event("transport", { where: ({ status }) => status === "disconnected" });
    const back = await source.event("transport", { where: ({ status }) => status === "reconnected" });
    await lab.unlimit(address);
    await expectProven(source, sinks);
    for (const folder of order.to) await expectCopy(from, folder);
    expect(back.detail).toBe(`127.0.0.1:${second.port}`);
    return { reason: lost.detail, first: `127.0.0.1:${first.port}` };
  }

  test("a node that hangs in mid-copy is left for another one, and every copy proven", {
    timeout: E2E_MS,
  }, async () => {
    const { reason, first } = await copyThrough([{}, {}], (node) => node.pause());
    // 5 s, and more where answers have been slow before.
    expect(reason).toMatch(new RegExp(`^the server ${first} did not answer for \\d+ s$`));
  });

  test("a node that takes less than the one before it carries the copy on", { timeout: E2E_MS }, async () => {
    const [large, small] = [{ maxPayloadBytes: 1024 * 1024 }, { maxPayloadBytes: 100 * 1024 }];
    const { reason, first } = await copyThrough([large, small], (node) => node.kill());
    expect(reason).toContain(first);
  });
});

describe.skipIf(!brokersAvailable("nats"))("with a NATS server", () => {
  brokerTrouble("NATS", () => startNats({ user: "guest", password: "guest" }));

  test("a client that was told an address where no broker is says which one, and that it cannot reach it", {
    timeout: E2E_MS,
  }, async () => {
    await using lab = await CliLab.open();
    const broker = await startNats();
    try {
      makeManyFiles(lab.path("source"), 1);
      const free = await freePort();
      const publicUrl = `nats://someone:${SECRET}@127.0.0.1:${free}`;
      const { address } = await lab.coordinator({ broker: broker.url, args: ["--broker-public-url", publicUrl] });
      const sink = lab.sink(address, lab.path("sink"));
      expect(await sink.exit()).toBe(6);
      expect(await sink.failure()).toMatchObject({ code: "broker-unreachable" });
      expect(sink.stderr).toContain(`127.0.0.1:${free}`);
      expectNoSecret(sink, SECRET);
    } finally {
      await broker.stop();
    }
  });
});

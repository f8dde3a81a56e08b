import { describe, onTestFinished, test } from "vitest";
import { brokersAvailable, startRabbit } from "../../helpers/brokers/brokers.ts";
import { shareRabbit } from "../../helpers/brokers/shared-rabbit.ts";
import { startTcpProxy } from "../../helpers/brokers/tcp-proxy.ts";
import { CliLab } from "../../helpers/processes/cli.ts";
import { makeLongFile, makeManyFiles } from "../../helpers/trees/tree.ts";
import { E2E_MS, expectCopy, expectProven, startCopy } from "../copying.ts";
import { brokerTrouble } from "./broker-trouble-cases.ts";

describe.skipIf(!brokersAvailable("rabbit"))("with RabbitMQ", () => {
  brokerTrouble("RabbitMQ", () => startRabbit());

  test("a server that is gone for good in mid-copy is left for another one of the URL, and every copy proven", {
    timeout: E2E_MS,
  }, async () => {
    await using lab = await CliLab.open();
    const broker = await shareRabbit();
    onTestFinished(() => broker.stop());
    // Two ways to one broker stand for two nodes of a cluster.
    const [gone, other] = [await startTcpProxy(broker.port), await startTcpProxy(broker.port)];
    for (const proxy of [gone, other]) onTestFinished(() => proxy.close());
    const from = lab.path("source");
    makeManyFiles(from, 100);
    makeLongFile(`${from}/large`, 96);
    const url = `amqp://guest:guest@127.0.0.1:${gone.port},127.0.0.1:${other.port}/${broker.vhost}`;
    const { address } = await lab.coordinator({ broker: url });
    const order = { address, from, to: [lab.path("one"), lab.path("two")], sourceArgs: ["--bwlimit", "4M"] };
    const { source, sinks } = startCopy(lab, order);
    await source.event("progress", { where: ({ progress }) => progress.bytesDone > 8 * 1024 * 1024 });
    gone.down();
    await source.event("transport", {
      where: ({ status, detail }) => status === "reconnected" && detail === `127.0.0.1:${other.port}`,
    });
    await lab.unlimit(address);
    await expectProven(source, sinks);
    for (const folder of order.to) await expectCopy(from, folder);
  });
});

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RabbitBroker } from "../helpers/brokers/broker-types.ts";
import { brokersAvailable, startRabbit } from "../helpers/brokers/brokers.ts";
import { CliLab } from "../helpers/processes/cli.ts";
import { makeLongTree } from "../helpers/trees/tree.ts";
import { copyCases } from "./copy-cases.ts";
import { E2E_MS, expectCopy, expectProven, startCopy } from "./copying.ts";
import { sparseCases } from "./sparse-cases.ts";

const MIB = 1024 * 1024;
const STARTED_WITHIN_MS = 120_000;

describe.skipIf(!brokersAvailable("rabbit"))("with RabbitMQ", () => {
  let broker: RabbitBroker;
  beforeAll(async () => {
    broker = await startRabbit();
  }, STARTED_WITHIN_MS);
  afterAll(() => broker.stop());

  copyCases("RabbitMQ", { broker: () => broker.url, manyFiles: 2_000 });
  sparseCases("RabbitMQ", () => broker.url);

  test("the broker shows the session's exchange, bindings and bytes, and nothing of them afterwards", {
    timeout: E2E_MS,
  }, async () => {
    await using lab = await CliLab.open();
    const from = lab.path("source");
    makeLongTree(from, { files: 6, mibEach: 8 });
    const { address } = await lab.coordinator({ broker: broker.url });
    const to = [lab.path("quick"), lab.path("slow")];
    const { source, sinks } = startCopy(lab, { address, from, to });
    const { sessionId } = await source.event("joined");
    await source.event("progress", { where: ({ progress }) => progress.bytesSent > 0 });
    // A frozen sink keeps the session in its middle while we look.
    sinks[1]?.signal("SIGSTOP");
    const exchange = `fanfold.${sessionId}`;
    const bindings = await listed(broker, "bindings", ["source_name", "destination_name", "routing_key"]);
    const data = bindings.filter((row) => row["source_name"] === exchange && row["routing_key"] === `${exchange}.data`);
    expect(data).toHaveLength(2);
    const connections = await listed(broker, "connections", ["recv_oct", "send_oct"]);
    // What the source has published of the window, and what the quick sink was given.
    expect(Math.max(...connections.map((row) => Number(row["recv_oct"])))).toBeGreaterThan(2 * MIB);
    expect(Math.max(...connections.map((row) => Number(row["send_oct"])))).toBeGreaterThan(2 * MIB);
    sinks[1]?.signal("SIGCONT");
    await expectProven(source, sinks);
    for (const folder of to) await expectCopy(from, folder);
    await expect.poll(() => leftovers(broker), { timeout: 30_000, interval: 500 }).toEqual([]);
  });
});

type Row = Readonly<Record<string, string | number>>;

async function listed(broker: RabbitBroker, what: string, columns: readonly string[]): Promise<Row[]> {
  return JSON.parse(await broker.ctl(`list_${what}`, "--quiet", "--formatter", "json", ...columns)) as Row[];
}

/** Exchanges and bound queues of any session, after all tests of this file. */
async function leftovers(broker: RabbitBroker): Promise<Row[]> {
  const exchanges = await listed(broker, "exchanges", ["name"]);
  const queues = await listed(broker, "queues", ["name", "messages"]);
  return [...exchanges.filter((row) => String(row["name"]).startsWith("fanfold")), ...queues];
}

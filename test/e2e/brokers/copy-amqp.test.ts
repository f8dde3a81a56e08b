import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { brokersAvailable } from "../../helpers/brokers/brokers.ts";
import { askRabbit } from "../../helpers/brokers/rabbit-admin.ts";
import type { ScopedRabbit } from "../../helpers/brokers/scoped-rabbit.ts";
import { shareRabbit } from "../../helpers/brokers/shared-rabbit.ts";
import { CliLab } from "../../helpers/processes/cli.ts";
import { makeLongTree } from "../../helpers/trees/tree.ts";
import { E2E_MS, expectCopy, expectProven, startCopy } from "../copying.ts";
import { sparseCases } from "../disks/sparse-cases.ts";
import { copyCases } from "./copy-cases.ts";

const MIB = 1024 * 1024;

describe.skipIf(!brokersAvailable("rabbit"))("with RabbitMQ", () => {
  let broker: ScopedRabbit;
  beforeAll(async () => {
    broker = await shareRabbit();
  });
  afterAll(() => broker.stop());

  copyCases("RabbitMQ", { broker: () => broker.rootUrl, manyFiles: 2_000 });
  sparseCases("RabbitMQ", () => broker.rootUrl);

  test("the broker shows the session's exchange, bindings and bytes, and nothing of them afterwards", {
    timeout: E2E_MS,
  }, async () => {
    await using lab = await CliLab.open();
    const from = lab.path("source");
    makeLongTree(from, { files: 6, mibEach: 8 });
    const { address } = await lab.coordinator({ broker: broker.rootUrl });
    const to = [lab.path("quick"), lab.path("slow")];
    const { source, sinks } = startCopy(lab, { address, from, to, sourceArgs: ["--bwlimit", "2M"] });
    const { sessionId } = await source.event("joined");
    await source.event("progress", { where: ({ progress }) => progress.bytesDone > 3 * MIB });
    const exchange = `fanfold.${sessionId}`;
    const bindings = await askRabbit<Row[]>(broker, `bindings/${broker.vhost}`);
    const data = bindings.filter((row) => row["source"] === exchange && row["routing_key"] === `${exchange}.data`);
    expect(data).toHaveLength(2);
    const connections = await connectionsOf(broker);
    // What the source has published of the window, and what the quick sink was given.
    expect(Math.max(...connections.map((row) => Number(row["recv_oct"])))).toBeGreaterThan(2 * MIB);
    expect(Math.max(...connections.map((row) => Number(row["send_oct"])))).toBeGreaterThan(2 * MIB);
    await lab.unlimit(address);
    await expectProven(source, sinks);
    for (const folder of to) await expectCopy(from, folder);
    await expect.poll(() => leftovers(broker, exchange), { interval: 500 }).toEqual([]);
  });
});

type Row = Readonly<Record<string, string | number>>;

/** As they are now: the management interface is told of bytes only now and then. */
async function connectionsOf({ ctl, vhost }: ScopedRabbit): Promise<Row[]> {
  const columns = ["vhost", "recv_oct", "send_oct"];
  const rows = JSON.parse(await ctl("list_connections", "--quiet", "--formatter", "json", ...columns)) as Row[];
  return rows.filter((row) => row["vhost"] === vhost);
}

/** What is there of a session, and queues of anybody's subscriptions. */
async function leftovers(broker: ScopedRabbit, exchange: string): Promise<unknown[]> {
  const named = async (what: string) =>
    (await askRabbit<Row[]>(broker, `${what}/${broker.vhost}?disable_stats=true`)).map(({ name }) => String(name));
  const isOurs = (name: string) => name.startsWith(exchange);
  const queues = await named("queues");
  return [
    ...(await named("exchanges")).filter(isOurs),
    ...queues.filter((name) => isOurs(name) || /^amq\./.test(name)),
  ];
}

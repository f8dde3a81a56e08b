import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TestBroker } from "../../helpers/brokers/broker-types.ts";
import { brokersAvailable, startNats } from "../../helpers/brokers/brokers.ts";
import { CliLab } from "../../helpers/processes/cli.ts";
import { makeLongTree } from "../../helpers/trees/tree.ts";
import { E2E_MS, expectCopy, expectProven, startCopy } from "../copying.ts";
import { sparseCases } from "../disks/sparse-cases.ts";
import { copyCases } from "./copy-cases.ts";

const MIB = 1024 * 1024;

describe.skipIf(!brokersAvailable("nats"))("with a NATS server", () => {
  // Credentials that need escapes in a URL, because users have such.
  let broker: TestBroker;
  beforeAll(async () => {
    broker = await startNats({ user: "fan/fold", password: "p@ss:w%rd" });
  });
  afterAll(() => broker.stop());

  copyCases("NATS", { broker: () => broker.url, manyFiles: 2_000 });
  sparseCases("NATS", () => broker.url);

  test("the server's own counters show that the content of the files passes it", { timeout: E2E_MS }, async () => {
    await using lab = await CliLab.open();
    const from = lab.path("source");
    makeLongTree(from, { files: 6, mibEach: 8 });
    const { address } = await lab.coordinator({ broker: broker.url });
    const before = await traffic(broker);
    const to = [lab.path("quick"), lab.path("slow")];
    const { source, sinks } = startCopy(lab, { address, from, to, sourceArgs: ["--bwlimit", "2M"] });
    const { sessionId } = await source.event("joined");
    await source.event("progress", { where: ({ progress }) => progress.bytesDone > 3 * MIB });
    const subjects = await subscribed(broker, sessionId);
    expect(subjects.filter((subject) => subject === `fanfold.${sessionId}.data`)).toHaveLength(2);
    expect(subjects).toContain(`fanfold.${sessionId}.up.*`);
    await lab.unlimit(address);
    await expectProven(source, sinks);
    for (const folder of to) await expectCopy(from, folder);
    const after = await traffic(broker);
    expect(after.in_bytes - before.in_bytes).toBeGreaterThan(48 * MIB);
    expect(after.out_bytes - before.out_bytes).toBeGreaterThan(2 * 48 * MIB);
    await expect.poll(() => subscribed(broker, sessionId)).toEqual([]);
  });
});

async function traffic(broker: TestBroker): Promise<{ readonly in_bytes: number; readonly out_bytes: number }> {
  const response = await fetch(`${broker.adminUrl}/varz`);
  return (await response.json()) as { in_bytes: number; out_bytes: number };
}

interface Connections {
  readonly connections: readonly { readonly subscriptions_list_detail?: readonly { readonly subject: string }[] }[];
}

/** Subjects of a session that somebody is subscribed to, once for each subscription. */
async function subscribed(broker: TestBroker, sessionId: string): Promise<string[]> {
  const response = await fetch(`${broker.adminUrl}/connz?subs=detail`);
  const { connections } = (await response.json()) as Connections;
  return connections
    .flatMap((connection) => connection.subscriptions_list_detail ?? [])
    .map(({ subject }) => subject)
    .filter((subject) => subject.startsWith(`fanfold.${sessionId}.`));
}

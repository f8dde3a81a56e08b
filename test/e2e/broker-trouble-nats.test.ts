import { describe, expect, test } from "vitest";
import { freePorts } from "../helpers/brokers/broker-process.ts";
import { brokersAvailable, startNats } from "../helpers/brokers/brokers.ts";
import { CliLab } from "../helpers/processes/cli.ts";
import { makeManyFiles } from "../helpers/trees/tree.ts";
import { brokerTrouble, expectNoSecret, SECRET } from "./broker-trouble-cases.ts";
import { E2E_MS } from "./copying.ts";

describe.skipIf(!brokersAvailable("nats"))("with a NATS server", () => {
  brokerTrouble("NATS", () => startNats({ user: "guest", password: "guest" }));

  test("a client that was told an address where no broker is says which one, and that it cannot reach it", {
    timeout: E2E_MS,
  }, async () => {
    await using lab = await CliLab.open();
    const broker = await startNats();
    try {
      makeManyFiles(lab.path("source"), 1);
      const [free = 0] = await freePorts(1);
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

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../src/lib/clock.ts";
import { connectTransport } from "../../../src/transport/connect.ts";
import { expectCode, watchStatus } from "../../contract/contract-tools.ts";
import { brokersAvailable } from "../../helpers/brokers/brokers.ts";
import { startScopedNats } from "../../helpers/brokers/scoped-nats.ts";
import { clientOf, coordinatorOf, EventReader, stateFolder } from "../coordinator-fixture.ts";

test.skipIf(!brokersAvailable("nats"))(
  "a sink that is dropped is cut off at a NATS server, and may come again at once",
  async () => {
    const nats = await startScopedNats();
    onTestFinished(() => nats.stop());
    const stateDir = await stateFolder();
    const coordinator = await coordinatorOf({ stateDir, broker: nats.url, natsSeedsFile: nats.seedsFile });
    const enter = async () => {
      const client = await clientOf(coordinator);
      const { transport, sessionId, member } = await client.enter("sink", { seed: "7".repeat(64) });
      if (transport.kind !== "nats" || transport.credentials === undefined) throw new Error("want credentials");
      const { credentials } = transport;
      const target = { kind: "nats", url: nats.url, credentials: () => credentials } as const;
      const connect = () =>
        connectTransport(target, { clientName: "test", clock: systemClock, signal: AbortSignal.timeout(60_000) });
      const link = await connect();
      onTestFinished(() => link.close());
      return { client, connect, link, sessionId, name: member.name };
    };
    const dropped = await enter();
    const { token } = JSON.parse(readFileSync(join(stateDir, "local.json"), "utf8")) as { readonly token: string };
    const url = `http://127.0.0.1:${coordinator.port}/api/v1/sessions/${dropped.sessionId}/sinks/${dropped.name}`;
    const headers = { authorization: `Bearer ${token}` };
    const status = watchStatus(dropped.link);
    expect((await fetch(url, { method: "DELETE", headers })).ok).toBe(true);
    await status.until(() => status.seen.some(({ type }) => type === "disconnected"));
    await expectCode(dropped.connect(), "broker-denied");
    await enter();
  },
);

test.skipIf(!brokersAvailable("nats"))(
  "seeds without the keys for it leave a removed member in, and it is said",
  async () => {
    const nats = await startScopedNats();
    onTestFinished(() => nats.stop());
    const lines = readFileSync(nats.seedsFile, "utf8").split("\n");
    const stateDir = await stateFolder();
    const natsSeedsFile = join(stateDir, "..", "old.seeds");
    const kept = lines.filter((line) => !/^(operator|system|remover) /.test(line));
    writeFileSync(natsSeedsFile, kept.join("\n"), { mode: 0o600 });
    const coordinator = await coordinatorOf({ stateDir, broker: nats.url, natsSeedsFile });
    const events = new EventReader(coordinator);
    const client = await clientOf(coordinator);
    const { sessionId, member } = await client.enter("sink");
    const { token } = JSON.parse(readFileSync(join(stateDir, "local.json"), "utf8")) as { readonly token: string };
    const url = `http://127.0.0.1:${coordinator.port}/api/v1/sessions/${sessionId}/sinks/${member.name}`;
    await fetch(url, { method: "DELETE", headers: { authorization: `Bearer ${token}` } });
    expect(await events.until("warning")).toMatchObject({
      code: "not-cut-off",
      message: expect.stringMatching(/until its session ends.*nats-setup/),
    });
  },
);

import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../../src/lib/clock.ts";
import { encodeUp } from "../../../src/protocol/frame/up.ts";
import { subjectsOf, upSubject } from "../../../src/protocol/subjects.ts";
import { connectTransport } from "../../../src/transport/connect.ts";
import { brokersAvailable, startNats } from "../../helpers/brokers/brokers.ts";
import { freePort } from "../../helpers/free-ports.ts";
import { clientOf, coordinatorOf, EventReader } from "../coordinator-fixture.ts";

test("a broker that cannot be reached is told with its address, without its password; clients wait for it", async () => {
  const port = await freePort();
  const coordinator = await coordinatorOf({ broker: `nats://u:geheim@127.0.0.1:${port}` });
  const events = new EventReader(coordinator);
  expect(await events.until("warning")).toMatchObject({ code: "credentials-shared" });
  const client = await clientOf(coordinator);
  client.hello("sink");
  const event = await events.until("broker", ({ status }) => status === "unreachable");
  expect(event.broker).toBe(`nats://u:***@127.0.0.1:${port}`);
  expect(event.reason).not.toContain("geheim");
  const { code, reason } = await client.expect("hold");
  expect([code, reason]).toEqual(["broker-unreachable", expect.stringContaining(`127.0.0.1:${port}`)]);
  expect(reason).not.toContain("geheim");
  await coordinator.close();
  // Its hello was never answered otherwise.
  await expect(client.expect("welcome")).rejects.toThrow(/closed the connection/);
});

describe.skipIf(!brokersAvailable("nats"))("with a NATS broker", () => {
  test("clients are told the public URL with its own credentials, and their reports are seen", async () => {
    const broker = await startNats({ user: "u", password: "p" });
    try {
      const publicUrl = broker.url.replace("127.0.0.1", "localhost");
      const coordinator = await coordinatorOf({ broker: broker.url, brokerPublicUrl: publicUrl });
      const events = new EventReader(coordinator);
      const [sink, source] = [await clientOf(coordinator), await clientOf(coordinator)];
      const { transport, member, sessionId, epoch, warnings } = await sink.enter("sink");
      expect(transport).toEqual({ kind: "nats", url: publicUrl });
      expect(warnings).toEqual([]);
      await source.enter("source");
      await sink.expect("start");
      const { signal } = new AbortController();
      const link = await connectTransport(
        { kind: "nats", url: publicUrl },
        { clientName: "test", clock: systemClock, signal },
      );
      const progress = { filesDone: 7, bytesDone: 42, currentFile: "a" };
      const message = { type: "report" as const, receivedUpTo: 1, missing: [], storedUpTo: 1, progress };
      const frame = encodeUp({ sessionId, epoch, sequence: 0, stream: 0, message });
      const seen = events.until("session", (event) => event.view.sinks[0]?.progress.filesDone === 7);
      // Sinks report again and again, so that one that came before the coordinator's subscription does not matter.
      const stop = new AbortController();
      const reporting = (async () => {
        while (!stop.signal.aborted) {
          await link.publish(upSubject(subjectsOf(sessionId), member.id), frame, { signal });
          await setImmediate();
        }
      })();
      const { view } = await seen;
      stop.abort();
      await reporting;
      expect(view.sinks).toEqual([{ name: "alpha", state: "receiving", progress, software: "fanfold 0.1.0" }]);
      await link.close();
      await coordinator.close();
    } finally {
      await broker.stop();
    }
  });

  test("a hello from before the broker was there is answered once it is", async () => {
    const broker = await startNats();
    try {
      await broker.pause();
      const coordinator = await coordinatorOf({ broker: broker.url });
      const client = await clientOf(coordinator);
      client.hello("sink");
      await broker.resume();
      expect(await client.expect("welcome")).toMatchObject({ transport: { kind: "nats", url: broker.url } });
      await coordinator.close();
    } finally {
      await broker.stop();
    }
  });
});

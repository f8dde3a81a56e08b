import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { runSink } from "../../../src/sink/sink.ts";
import { runSource } from "../../../src/source/source.ts";
import { brokersAvailable } from "../../helpers/brokers/brokers.ts";
import { startScopedNats } from "../../helpers/brokers/scoped-nats.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { makeLongTree } from "../../helpers/trees/tree.ts";
import { expectEqualTrees } from "../../helpers/trees/tree-judge.ts";
import { coordinatorOf, EventReader } from "../coordinator-fixture.ts";

const MIB = 1024 * 1024;
/** Longer than a busy machine takes to connect. */
const TTL_MS = 8_000;

describe.skipIf(!brokersAvailable("nats"))("credentials that end during a copy", () => {
  test("are followed by fresh ones, and the copy is proven", async () => {
    const nats = await startScopedNats();
    onTestFinished(() => nats.stop());
    const options = { broker: nats.url, natsSeedsFile: nats.seedsFile, credentialsTtlMs: TTL_MS };
    const coordinator = await coordinatorOf(options);
    const stop = new AbortController();
    onTestFinished(() => stop.abort());
    const common = { coordinator: `localhost:${coordinator.port}`, signal: stop.signal };
    const from = tempFolder();
    makeLongTree(from, { files: 6, mibEach: 5 });
    const to = [join(tempFolder(), "one"), join(tempFolder(), "two")];
    const sinks = to.map((folder) => runSink({ ...common, folder }));
    const source = runSource({
      ...common,
      ...{ folder: from, stateDir: tempFolder(), destCount: 2, bytesPerSecondMax: MIB },
    });
    const came = countReconnections(source.events());
    const summary = await source.result;
    expect(summary.sinks.map(({ outcome }) => outcome)).toEqual(["proven", "proven"]);
    for (const sink of sinks) await sink.result;
    for (const folder of to) await expectEqualTrees(from, folder);
    // 30 s of data, with credentials that are good for 8 s.
    expect(await came).toBeGreaterThan(2);
  });

  test("are followed by fresh ones while a sink waits, and for the coordinator itself", async () => {
    const nats = await startScopedNats();
    onTestFinished(() => nats.stop());
    const options = { broker: nats.url, natsSeedsFile: nats.seedsFile, credentialsTtlMs: 6_000 };
    const coordinator = await coordinatorOf(options);
    const events = new EventReader(coordinator);
    const stop = new AbortController();
    onTestFinished(() => stop.abort());
    const common = { coordinator: `localhost:${coordinator.port}`, signal: stop.signal };
    const [from, to] = [tempFolder(), join(tempFolder(), "one")];
    makeLongTree(from, { files: 2, mibEach: 1 });
    const sink = runSink({ ...common, folder: to });
    for (let lost = 0; lost < 3; lost += 1) {
      expect(await events.until("broker", ({ status }) => status === "lost")).toMatchObject({
        reason: expect.stringMatching(/credentials .*have expired/),
      });
      await events.until("broker", ({ status }) => status === "connected");
    }
    const source = runSource({ ...common, folder: from, stateDir: tempFolder() });
    expect((await source.result).sinks).toMatchObject([{ outcome: "proven" }]);
    await sink.result;
    await expectEqualTrees(from, to);
  });
});

async function countReconnections(events: AsyncIterable<{ readonly type: string }>): Promise<number> {
  let count = 0;
  for await (const event of events)
    if (event.type === "transport" && "status" in event && event.status === "reconnected") count += 1;
  return count;
}

import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { runSink } from "../../../src/sink/sink.ts";
import { runSource } from "../../../src/source/source.ts";
import { brokersAvailable } from "../../helpers/brokers/brokers.ts";
import { shareRabbit } from "../../helpers/brokers/shared-rabbit.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { makeLongTree } from "../../helpers/trees/tree.ts";
import { expectEqualTrees } from "../../helpers/trees/tree-judge.ts";
import { coordinatorOf, EventReader } from "../coordinator-fixture.ts";

const MIB = 1024 * 1024;
const TTL_MS = 15_000;

describe.skipIf(!brokersAvailable("rabbit"))("credentials that end at RabbitMQ", { timeout: 180_000 }, () => {
  test("are followed by fresh ones while a sink waits and during a copy, over links that stand", async () => {
    const rabbit = await shareRabbit();
    onTestFinished(() => rabbit.stop());
    const options = { broker: rabbit.url, rabbitKeyFile: rabbit.keyFile, credentialsTtlMs: TTL_MS };
    const coordinator = await coordinatorOf(options);
    const seen = new EventReader(coordinator);
    const stop = new AbortController();
    onTestFinished(() => stop.abort());
    const common = { coordinator: `localhost:${coordinator.port}`, signal: stop.signal };
    const [from, early, late] = [tempFolder(), join(tempFolder(), "early"), join(tempFolder(), "late")];
    // 30 s of data at the rate below.
    makeLongTree(from, { files: 6, mibEach: 5 });
    const waiting = runSink({ ...common, folder: early });
    const events: unknown[] = [];
    const follow = async (all: AsyncIterable<{ readonly type: string }>) => {
      for await (const event of all) if (["transport", "broker", "warning"].includes(event.type)) events.push(event);
    };
    const followed = [follow(waiting.events())];
    await seen.until("registered");
    const source = runSource({
      ...common,
      ...{ folder: from, stateDir: tempFolder(), destCount: 1, bytesPerSecondMax: MIB },
    });
    followed.push(follow(source.events()));
    await seen.until("session", ({ view }) => (view.sinks[0]?.progress.bytesDone ?? 0) > 18 * MIB);
    // It binds its queues when the coordinator's first credentials, and those of the source, are over.
    const joining = runSink({ ...common, folder: late });
    followed.push(follow(joining.events()));
    const summary = await source.result;
    expect(summary.sinks.map(({ outcome }) => outcome)).toEqual(["proven", "proven"]);
    for (const sink of [waiting, joining]) await sink.result;
    for (const folder of [early, late]) await expectEqualTrees(from, folder);
    await Promise.all(followed);
    // Each transport of a member is closed at the end, and before that nothing happened to a link.
    expect(events).toEqual([1, 2, 3].map(() => ({ type: "transport", status: "closed" })));
  });
});

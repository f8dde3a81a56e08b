import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { buildFrame, finishFrame } from "../../src/protocol/frame/frame.ts";
import { runSink } from "../../src/sink/sink.ts";
import type { SinkPolicy } from "../../src/source/session/session-work.ts";
import { runSource } from "../../src/source/source.ts";
import { coordinatorOf } from "../coordinator/coordinator-fixture.ts";
import { tempFolder } from "../helpers/disks/temp-folder.ts";
import { quickClock } from "../helpers/quick-clock.ts";
import { makeManyFiles } from "../helpers/trees/tree.ts";
import { expectEqualTrees } from "../helpers/trees/tree-judge.ts";
import { type HostileMember, hostileMember, upSubjectOf } from "./hostile-member.ts";

const CONDUCT_MS = 180_000;
const EVERY_MS = 50;
const progress = { filesDone: 0, bytesDone: 0, currentFile: "" };
const report = { type: "report", receivedUpTo: 0, missing: [], storedUpTo: 0, progress };

interface Session {
  readonly liar: HostileMember;
  readonly honestId: string;
  /** A frame of the liar's own, as JSON. */
  readonly frame: (said: unknown) => Buffer;
}

/** A session of an honest source, an honest sink, and one in whose hands the test is; it ends with the honest copy proven. */
async function beside(conduct: (session: Session) => void | Promise<void>, policy: SinkPolicy = {}) {
  const tree = tempFolder();
  makeManyFiles(tree, 30);
  const folder = join(tempFolder(), "sink");
  const coordinator = await coordinatorOf();
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const { signal } = stop;
  const address = `localhost:${coordinator.port}`;
  const honest = runSink({ coordinator: address, folder, name: "honest", signal });
  const liar = await hostileMember(coordinator, "sink", { label: "liar", labelAsked: true });
  const clock = quickClock(10);
  const source = runSource({
    ...policy,
    ...{ coordinator: address, folder: tree, stateDir: tempFolder(), destCount: 2, signal, clock },
  });
  let message = await liar.control.next();
  while (message.type !== "start") message = await liar.control.next();
  const { epoch, sinks } = message;
  let sequence = 0;
  const frame = (said: unknown): Buffer => {
    const body = Buffer.from(JSON.stringify(said));
    const built = buildFrame({ type: "up", sessionId: liar.sessionId, epoch, stream: 0 }, body);
    finishFrame(built, sequence);
    sequence += 1;
    return built;
  };
  await conduct({ liar, honestId: sinks.find(({ name }) => name === "honest")?.id ?? "", frame });
  const summary = await source.result;
  const outcomeOf = (name: string) => summary.sinks.find((sink) => sink.name === name);
  expect(outcomeOf("honest")).toMatchObject({ outcome: "proven" });
  await honest.result;
  await expectEqualTrees(tree, folder);
  return outcomeOf("liar");
}

/** Says something again and again until the test is over. */
function keepSaying({ liar, frame }: Session, said: unknown): void {
  const again = setInterval(() => {
    liar.publish(upSubjectOf(liar.sessionId, liar.id), frame(said)).catch(() => undefined);
  }, EVERY_MS);
  onTestFinished(() => clearInterval(again));
}

test("a sink that asks for every frame again, for ever, gets its share of repairs and no more", {
  timeout: CONDUCT_MS,
}, async () => {
  const missing = [[0, 2 ** 50]];
  const outcome = await beside((session) => keepSaying(session, { ...report, missing }));
  expect(outcome).toMatchObject({ outcome: "failed", code: "frames-lost" });
});

test("a sink that says nothing at all has failed once the time for it is over", { timeout: CONDUCT_MS }, async () => {
  const outcome = await beside(() => undefined, { sinkTimeoutMs: 30_000 });
  expect(outcome).toMatchObject({ outcome: "failed", code: "sinks-lost" });
});

test("a sink that speaks in the name of another one is not heard", { timeout: CONDUCT_MS }, async () => {
  const failed = { type: "failed", code: "disk-full", message: "said by somebody else", progress };
  const outcome = await beside(
    async ({ liar, honestId, frame }) => {
      await liar.publish(upSubjectOf(liar.sessionId, honestId), frame(failed)).catch(() => undefined);
    },
    { sinkTimeoutMs: 30_000 },
  );
  expect(outcome).toMatchObject({ outcome: "failed", code: "sinks-lost" });
});

test("a sink that floods its source with garbage is not heard", { timeout: CONDUCT_MS }, async () => {
  const outcome = await beside(
    async ({ liar }) => {
      const garbage = Buffer.alloc(1024 * 1024, 0xa5);
      for (let count = 0; count < 20; count += 1)
        await liar.publish(upSubjectOf(liar.sessionId, liar.id), garbage).catch(() => undefined);
    },
    { sinkTimeoutMs: 30_000 },
  );
  expect(outcome).toMatchObject({ outcome: "failed", code: "sinks-lost" });
});

import { setImmediate } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../src/lib/clock.ts";
import { FanfoldError } from "../../../src/lib/errors.ts";
import { decodeFrame } from "../../../src/protocol/frame/frame.ts";
import type { UpMessage } from "../../../src/protocol/frame/report.ts";
import { encodeUp } from "../../../src/protocol/frame/up.ts";
import type { SourceEvent } from "../../../src/protocol/messages/events.ts";
import { subjectsOf, upSubject, upWildcard } from "../../../src/protocol/subjects.ts";
import { DryRun } from "../../../src/source/session/dry-run.ts";
import type { SinkPolicy } from "../../../src/source/session/session-work.ts";
import { SourceSession } from "../../../src/source/session/source-session.ts";
import { TreeThreads } from "../../../src/source/tree-threads.ts";
import { runFaultySession } from "../../helpers/copies/session-in-process.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { seededPlan } from "../../helpers/transports/fault-transport.ts";
import { createMemoryBroker } from "../../helpers/transports/memory-broker.ts";
import { makeManyFiles } from "../../helpers/trees/tree.ts";

const SCOPE = { sessionId: "abcdefghijkl", epoch: 1 } as const;
const SUBJECTS = subjectsOf(SCOPE.sessionId);
const [ALPHA, BETA, GAMMA] = ["alpha1", "beta22", "gamma3"].map((id) => ({ id, name: id }));
const QUEUE_BYTES = 2 ** 22;

/** A dry run of ten files for two sinks that are in the hands of the test; everything is one page. */
async function begin(policy: SinkPolicy = {}) {
  if (ALPHA === undefined || BETA === undefined || GAMMA === undefined) throw new Error("three sinks");
  const root = tempFolder();
  makeManyFiles(root, 10);
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const { signal } = stop;
  const broker = createMemoryBroker();
  const events: SourceEvent[] = [];
  const up = broker.connect();
  const data = await up.subscribe(SUBJECTS.data, { signal, queueBytes: QUEUE_BYTES });
  const run = new SourceSession(
    {
      scope: SCOPE,
      tree: { root: Buffer.from(root) },
      threads: new TreeThreads(),
      wire: { transport: broker.connect(), subjects: SUBJECTS },
      reports: await broker.connect().subscribe(upWildcard(SUBJECTS), { signal, queueBytes: QUEUE_BYTES }),
      sinks: [ALPHA, BETA],
      expected: [],
      policy,
      runtime: { clock: systemClock, signal, emit: (event) => events.push(event) },
      fileEvents: true,
      tellProgress: () => undefined,
    },
    DryRun,
  );
  let sequence = 0;
  const say = (sinkId: string, message: UpMessage): Promise<void> => {
    sequence += 1;
    return up.publish(upSubject(SUBJECTS, sinkId), encodeUp({ ...SCOPE, stream: 0, sequence, message }), { signal });
  };
  const answer = async (sinkId: string, wanted: "all" | "none"): Promise<void> => {
    await say(sinkId, { type: "outlook", filesReplaced: 0, progress: { filesDone: 0, bytesDone: 0, currentFile: "" } });
    await say(sinkId, { type: "want", page: 0, want: wanted });
  };
  const working = run.run();
  working.catch(() => undefined);
  const page = async (): Promise<void> => {
    for await (const { payload } of data) if (decodeFrame(payload).type === "walked") return;
  };
  return { run, working, say, answer, page, events, stop, alpha: ALPHA, beta: BETA, gamma: GAMMA };
}

describe("a dry run at a source", () => {
  test("ends when every sink has answered every page", async () => {
    const { working, answer, page, events, alpha, beta } = await begin();
    await page();
    await answer(alpha.id, "none");
    await answer(beta.id, "all");
    const summary = await working;
    expect(summary).toMatchObject({ result: "dry-run", files: 10, filesWanted: 10, bytesSent: 0, bytesNotNeeded: 0 });
    expect(summary.digest).toBeUndefined();
    expect(summary.sinks).toMatchObject([
      { name: alpha.name, outcome: "dry-run", filesWanted: 0, bytesWanted: 0, filesUnchanged: 10 },
      { name: beta.name, outcome: "dry-run", filesWanted: 10, bytesWanted: summary.bytes, filesUnchanged: 0 },
    ]);
    expect(events.filter(({ type }) => type === "wanted")).toHaveLength(10);
  });

  test("does not wait for a sink that left, and has failed with it, unless the others are enough", async () => {
    for (const [policy, result] of [
      [{}, "failed"],
      [{ minSuccess: 1 }, "dry-run"],
    ] as const) {
      const { run, working, answer, page, alpha, beta } = await begin(policy);
      await page();
      await answer(alpha.id, "all");
      run.sinkLeft(beta.id, "interrupted", "stopped");
      const summary = await working;
      expect(summary).toMatchObject({ result, filesWanted: 10 });
      expect(summary.sinks).toMatchObject([{ outcome: "dry-run" }, { outcome: "failed", code: "interrupted" }]);
    }
  });

  test("leaves out a sink that comes late, fails one that begins anew, and minds no connection that comes back", async () => {
    const { run, working, answer, page, alpha, beta, gamma } = await begin({ minSuccess: 1 });
    await page();
    run.sinkJoined(alpha, false);
    run.sinkJoined(gamma, true);
    run.sinkJoined(beta, true);
    await answer(alpha.id, "none");
    const { result, sinks } = await working;
    expect([result, ...sinks.map(({ outcome }) => outcome)]).toEqual(["dry-run", "dry-run", "failed"]);
  });

  test("fails a sink that says to have proven a copy, or answers what does not fit", async () => {
    const { working, say, page, alpha, beta } = await begin();
    await page();
    const progress = { filesDone: 0, bytesDone: 0, currentFile: "" };
    const counts = {
      receipt: "",
      problemCount: 0,
      problems: [],
      filesUnchanged: 0,
      bytesUnchanged: 0,
      bytesKept: 0,
      entriesChanged: 0,
    };
    await say(alpha.id, { type: "proof", pages: 1, digest: "00".repeat(32), progress, ...counts });
    await say(beta.id, { type: "want", page: 0, want: { bits: Buffer.alloc(9).toString("base64") } });
    const { result, sinks } = await working;
    expect([result, ...sinks.map(({ code }) => code)]).toEqual(["failed", "damaged", "damaged"]);
  });

  test("ends when it is aborted", async () => {
    const { working, stop } = await begin();
    await setImmediate();
    stop.abort(new FanfoldError("interrupted", "Stopped"));
    await expect(working).rejects.toMatchObject({ code: "interrupted" });
  });

  test("comes to the same over links that lose a third of all messages", async () => {
    const [source, sink] = [tempFolder(), tempFolder()];
    makeManyFiles(source, 3_000);
    const lossy = (seed: number) => seededPlan(seed, 0.3, ["drop"]);
    const { summary } = await runFaultySession({
      ...{ source, sinks: [sink], dryRun: true, down: () => lossy(1), up: lossy(2) },
    });
    expect(summary).toMatchObject({ result: "dry-run", filesWanted: 3_000 });
    expect(summary.bytesWanted).toBe(summary.bytes);
  });
});

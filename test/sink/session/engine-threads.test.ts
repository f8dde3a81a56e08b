import { expect, test } from "vitest";
import type { EngineMessage, EngineStart } from "../../../src/sink/engine/engine-messages.ts";
import { EngineThreads } from "../../../src/sink/session/engine-threads.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";

function startIn(folder: string): EngineStart {
  return {
    scope: { sessionId: "abcdefghijkl", epoch: 1, stream: 0 },
    fill: { numericIds: false, specials: false, durability: "none" },
    ...{ folder: Buffer.from(folder), doubts: [], session: "default", source: "source", startedMs: 0 },
    ...{ fileNotices: false, dryRun: false, deletion: { forbidden: false, limit: undefined } },
  };
}

/** Each thread has one. */
function ports(): number {
  return process.getActiveResourcesInfo().filter((name) => name === "MessagePort").length;
}

/** Begins a copy, sends nothing, and gives what the thread answers. */
async function answer(threads: EngineThreads, folder: string): Promise<EngineMessage> {
  const answered = Promise.withResolvers<EngineMessage>();
  const thread = threads.open(startIn(folder), { onMessage: answered.resolve, onFailure: answered.reject });
  thread.post({ frames: [] });
  try {
    return await answered.promise;
  } finally {
    await thread.stop();
  }
}

test.each([
  ["the thread that was loaded before", true],
  ["one that is loaded then", false],
])("each copy begins in a thread of its own: %s", async (_what, isPrepared) => {
  await using threads = new EngineThreads();
  for (const folder of [tempFolder(), tempFolder()]) {
    if (isPrepared) for (const _twice of [1, 2]) threads.prepare();
    const before = ports();
    const answered = answer(threads, folder);
    expect(ports() > before).toBe(!isPrepared);
    expect(await answered).toMatchObject({ type: "stored", receivedUpTo: 0 });
  }
});

test("a folder that is not there is told by the thread that was loaded before", async () => {
  await using threads = new EngineThreads();
  threads.prepare();
  expect(await answer(threads, `${tempFolder()}/none`)).toMatchObject({ type: "failed", code: "disk-failed" });
});

test("one that is loaded and not used ends with the sink", async () => {
  const before = ports();
  const threads = new EngineThreads();
  threads.prepare();
  expect(ports()).toBeGreaterThan(before);
  await threads[Symbol.asyncDispose]();
  await threads[Symbol.asyncDispose]();
  expect(ports()).toBe(before);
});

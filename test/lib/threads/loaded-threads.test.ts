import { once } from "node:events";
import { existsSync, watch } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { beforeEach, expect, test, vi } from "vitest";
import type { FanfoldError } from "../../../src/lib/errors.ts";
import { LoadedThreads } from "../../../src/lib/threads/loaded-threads.ts";
import { threadsLoaded } from "../../../src/lib/threads/thread.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";

let mark: string;

beforeEach(() => {
  mark = join(tempFolder(), "mark");
  vi.stubEnv("FRAIL_THREAD_MARK", mark);
  return () => vi.unstubAllEnvs();
});

const frail = (): LoadedThreads<number, number, number> =>
  new LoadedThreads({ module: "../../helpers/threads/frail-thread", base: import.meta.url, filesOpenMax: 0 });

function begin(threads: LoadedThreads<number, number, number>, start: number) {
  const [answers, failures]: [number[], FanfoldError[]] = [[], []];
  const told = Promise.withResolvers<void>();
  const thread = threads.open(start, {
    onMessage: (answer) => {
      answers.push(answer);
      told.resolve();
    },
    onFailure: (error) => {
      failures.push(error);
      told.resolve();
    },
  });
  return { thread, answers, failures, told: told.promise };
}

test("a thread that failed while it was loaded beforehand is not begun with", async () => {
  await using threads = frail();
  const watcher = watch(join(mark, ".."));
  const failing = once(watcher, "change");
  threads.prepare();
  await failing;
  watcher.close();
  // Gone, and told so.
  await threadsLoaded();
  await setImmediate();
  const { thread, answers, failures, told } = begin(threads, 21);
  await told;
  await thread.stop();
  expect([existsSync(mark), answers, failures]).toEqual([true, [42], []]);
});

test("a thread that fails while it is loaded tells so to who began with it", async () => {
  await using threads = frail();
  threads.prepare();
  const { thread, answers, failures, told } = begin(threads, 21);
  await told;
  await thread.stop();
  expect([answers, failures.map(({ message }) => message)]).toEqual([[], ["the first one fails"]]);
});

test("one that fails later tells so once", async () => {
  await using threads = frail();
  const first = begin(threads, 0);
  await first.told;
  threads.prepare();
  const { thread, answers, failures } = begin(threads, 1);
  thread.post(2);
  // Only then: what a thread says and that it failed come by different ways, and the end may overtake the rest.
  await expect.poll(() => answers.length).toBe(2);
  thread.post(-1);
  await expect.poll(() => failures.length).toBe(1);
  await Promise.all([thread.stop(), first.thread.stop()]);
  expect([answers, failures.map(({ message }) => message)]).toEqual([[2, 4], ["as I was told"]]);
});

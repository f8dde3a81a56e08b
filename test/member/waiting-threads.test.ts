import { expect, test } from "vitest";
import { runSink } from "../../src/sink/sink.ts";
import { runSource } from "../../src/source/source.ts";
import { coordinatorOf, stateFolder } from "../coordinator/coordinator-fixture.ts";
import { tempFolder } from "../helpers/disks/temp-folder.ts";

/** Each thread has one. */
function ports(): number {
  return process.getActiveResourcesInfo().filter((name) => name === "MessagePort").length;
}

interface Waiting extends AsyncDisposable {
  events(): AsyncIterable<{ readonly type: string }>;
  readonly result: Promise<unknown>;
}

/** Runs it until it says that it waits, and stops it there. Gives the number of threads it has then. */
async function threadsWhileWaiting(start: (signal: AbortSignal) => Waiting, waits: string): Promise<number> {
  const before = ports();
  const stop = new AbortController();
  await using run = start(stop.signal);
  const events = run.events();
  const ended = run.result.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  for await (const { type } of events) if (type === waits) break;
  const threads = ports() - before;
  stop.abort();
  expect(await ended).toMatchObject({ code: "interrupted" });
  return threads;
}

// Loaded while it waits, so that the session need not wait for them; and whoever is stopped there leaves none behind.
test.each(["source", "sink"] as const)(
  "the threads of a %s that is stopped while it waits end with it",
  async (role) => {
    const before = ports();
    const [coordinator, stateDir] = [`127.0.0.1:${(await coordinatorOf()).port}`, await stateFolder()];
    const folder = tempFolder();
    const threads =
      role === "source"
        ? await threadsWhileWaiting((signal) => runSource({ coordinator, folder, stateDir, signal }), "waiting")
        : await threadsWhileWaiting((signal) => runSink({ coordinator, folder, signal }), "waiting");
    expect([threads, ports()]).toEqual([role === "source" ? 2 : 1, before]);
  },
);

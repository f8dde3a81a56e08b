import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { FanfoldError } from "../../src/lib/errors.ts";
import { runSink } from "../../src/sink/sink.ts";
import { runSource, type SourceRun } from "../../src/source/source.ts";
import { coordinatorOf, stateFolder } from "../coordinator/coordinator-fixture.ts";
import { tempFolder } from "../helpers/disks/temp-folder.ts";
import { content } from "../helpers/trees/tree.ts";

const MIB = 1024 * 1024;
/** No test waits for its end. */
const GRACE_MS = 60_000;

async function sourceEvent(run: SourceRun, type: string): Promise<void> {
  for await (const event of run.events()) if (event.type === type) return;
  throw new Error(`The source ended without "${type}"`);
}

/** A copy that is stopped in its middle; its source waits whether the session is to end for all. */
async function stoppedCopy() {
  const [folder, stateDir] = [tempFolder(), await stateFolder()];
  for (let file = 0; file < 8; file += 1) writeFileSync(join(folder, `${file}`), content(MIB, file));
  const coordinator = `127.0.0.1:${(await coordinatorOf()).port}`;
  const start = (signal: AbortSignal, options: { bytesPerSecondMax?: number } = {}): SourceRun => {
    const run = runSource({ coordinator, folder, stateDir, cancelGraceMs: GRACE_MS, signal, ...options });
    onTestFinished(() => run[Symbol.asyncDispose]());
    return run;
  };
  const sink = runSink({ coordinator, folder: tempFolder(), signal: new AbortController().signal });
  onTestFinished(() => sink[Symbol.asyncDispose]());
  sink.result.catch(() => undefined);
  const stop = new AbortController();
  const source = start(stop.signal, { bytesPerSecondMax: 1 * MIB });
  source.result.catch(() => undefined);
  const stopping = sourceEvent(source, "stopping");
  await sourceEvent(source, "started");
  stop.abort(new FanfoldError("interrupted", "Stopped by hand"));
  await stopping;
  return { source, sink, again: () => start(new AbortController().signal) };
}

test("a source that was stopped can still end its session for all, though it has let go of it", async () => {
  const { source, sink } = await stoppedCopy();
  expect(source.cancel()).toBe(true);
  await expect(source.result).rejects.toMatchObject({ code: "cancelled" });
  await expect(sink.result).rejects.toMatchObject({ code: "cancelled" });
});

test("a source that was stopped does not end the session that the same source has taken over, and says so", async () => {
  const { source, sink, again } = await stoppedCopy();
  const second = again();
  await sourceEvent(second, "started");
  source.cancel();
  await expect(source.result).rejects.toMatchObject({
    code: "interrupted",
    message: expect.stringMatching(
      /could not be ended for the sinks.*another process of this source has taken it over/,
    ),
  });
  expect(await second.result).toMatchObject({ result: "complete", sinks: [{ outcome: "proven" }] });
  expect(await sink.result).toMatchObject({ outcome: "proven" });
});

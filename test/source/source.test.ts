import { once } from "node:events";
import { chmodSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Clock, systemClock } from "../../src/lib/clock.ts";
import { runSink } from "../../src/sink/sink.ts";
import { runSource } from "../../src/source/source.ts";
import { coordinatorOf, stateFolder } from "../coordinator/coordinator-fixture.ts";
import { tempFolder } from "../helpers/disks/temp-folder.ts";
import { treeFacts } from "../helpers/trees/tree-facts.ts";

/** The system's clock, and how long each sleep lasts that has not ended. */
function watchedClock(): { clock: Clock; asleepMs: Set<number> } {
  const asleepMs = new Set<number>();
  const sleep: Clock["sleep"] = (ms, signal) => {
    asleepMs.add(ms);
    return systemClock.sleep(ms, signal).finally(() => asleepMs.delete(ms));
  };
  return { clock: { ...systemClock, sleep }, asleepMs };
}

async function copy(
  folder: string,
  sinkFolder: string,
  change: { clock?: Clock; waitTimeoutMs?: number; onEnd?: () => void } = {},
) {
  const { port } = await coordinatorOf();
  const { signal } = new AbortController();
  const coordinator = `127.0.0.1:${port}`;
  await using sink = runSink({ coordinator, folder: sinkFolder, signal });
  await using source = runSource({ coordinator, folder, stateDir: await stateFolder(), signal, ...change });
  const results = { summary: await source.result, outcome: await sink.result };
  change.onEnd?.();
  return results;
}

describe("runSource()", () => {
  test("copies a tree to a sink over the embedded relay, and leaves no timer behind", async () => {
    const [folder, sinkFolder, { clock, asleepMs }] = [tempFolder(), tempFolder(), watchedClock()];
    mkdirSync(join(folder, "dir"));
    writeFileSync(join(folder, "dir/file"), "content");
    symlinkSync("dir", join(folder, "link"));
    let asleepAtEnd: number[] = [];
    // Before anything is disposed: a process that only waits for the result must be free to end.
    const onEnd = (): void => {
      asleepAtEnd = [...asleepMs];
    };
    const { summary, outcome } = await copy(folder, sinkFolder, { clock, waitTimeoutMs: 1_000_000, onEnd });
    expect([summary.result, outcome.outcome]).toEqual(["complete", "proven"]);
    expect(treeFacts(sinkFolder)).toEqual(treeFacts(folder));
    expect(asleepAtEnd).toEqual([]);
  });

  test("copies files whose shown paths are longer than any message, and problems with such paths by the dozen", async () => {
    const [folder, sinkFolder] = [tempFolder(), tempFolder()];
    // Three hundred bytes that are no text, each shown as four characters, five times deep.
    let deep = Buffer.from(folder);
    for (let level = 0; level < 5; level += 1) {
      deep = Buffer.concat([deep, Buffer.from("/"), Buffer.alloc(250, 0xff)]);
      mkdirSync(deep);
    }
    for (let index = 0; index < 30; index += 1) {
      const name = Buffer.concat([deep, Buffer.from("/"), Buffer.alloc(240, 0xfe), Buffer.from(`${index}`)]);
      writeFileSync(name, `${index}`);
    }
    chmodSync(folder, 0o755);
    // Full directories stand in the way of thirty files.
    const first = await copy(folder, sinkFolder);
    expect([first.summary.result, first.outcome.outcome]).toEqual(["complete", "proven"]);
    const names = readdirSync(deep, { encoding: "buffer" });
    const sinkDeep = Buffer.concat([Buffer.from(sinkFolder), deep.subarray(folder.length), Buffer.from("/")]);
    const blocked = tempFolder();
    const blockedDeep = Buffer.concat([Buffer.from(blocked), sinkDeep.subarray(sinkFolder.length)]);
    for (const name of names) mkdirSync(Buffer.concat([blockedDeep, name, Buffer.from("/kept")]), { recursive: true });
    const second = await copy(folder, blocked);
    expect([second.summary.result, second.outcome.outcome, second.outcome.problemCount]).toEqual([
      "incomplete",
      "incomplete",
      30,
    ]);
  });

  test("says what is not carried, and is complete all the same", async () => {
    const [folder, sinkFolder] = [tempFolder(), tempFolder()];
    const server = createServer().listen(join(folder, "socket"));
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const { summary } = await copy(folder, sinkFolder);
    expect(summary).toMatchObject({
      result: "complete",
      notCarried: { socket: 1 },
      notCarriedExamples: { socket: ["socket"] },
    });
  });
});

import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { FRAME_TYPES } from "../../src/protocol/frame/frame.ts";
import type { SourceEvent } from "../../src/protocol/messages/events.ts";
import { noise } from "../delta/recipes.ts";
import { LaneLab } from "../helpers/copies/lane-lab.ts";
import { WHOLE } from "../helpers/copies/whole-copy.ts";
import { memoryFolder } from "../helpers/disks/temp-folder.ts";
import { seededPlan } from "../helpers/transports/fault-transport.ts";
import { expectEqualTrees } from "../helpers/trees/tree-judge.ts";

/** Of a frame's header. */
const TYPE_OFFSET = 3;
const FILES = 300;
const BYTES = 4000;

const sinkEnded = (name: string) => (event: SourceEvent) => event.type === "sink" && event.name === name;
const isPage = (payload: Uint8Array): boolean => payload[TYPE_OFFSET] === FRAME_TYPES.page;

/** A source whose small files these sinks have under other names. Others have nothing. */
async function renamed(...sinks: readonly string[]): Promise<string> {
  const source = memoryFolder();
  mkdirSync(join(source, "before"));
  for (let file = 0; file < FILES; file += 1) writeFileSync(join(source, `before/${file}`), noise(file, BYTES));
  const first = await (await LaneLab.open({ source, sinks })).run();
  expect(first.sinks.map(({ outcome }) => outcome)).toEqual(sinks.map(() => "proven"));
  renameSync(join(source, "before"), join(source, "behind"));
  return source;
}

describe("small files that were renamed", () => {
  test("cost nothing on a lane either, over a link that loses much", async () => {
    const [first, late] = [memoryFolder(), memoryFolder()];
    const source = await renamed(first, late);
    const lab = await LaneLab.open({ source, sinks: [first], factor: 3 });
    const running = lab.run();
    await lab.join(late, seededPlan(12, 0.2));
    const summary = await running;
    expect(summary.sinks.map(({ outcome }) => outcome)).toEqual(["proven", WHOLE]);
    expect([summary.bytesSent, summary.bytesCaughtUp]).toEqual([0, 0]);
    for (const sink of [first, late]) await expectEqualTrees(source, sink, ["before"]);
  });

  test("come to a sink on a lane that has none of them, and was not waited for", async () => {
    const [first, empty] = [memoryFolder(), memoryFolder()];
    const source = await renamed(first);
    let lab: LaneLab | undefined;
    let isFrozen = false;
    const onPublish = (payload: Uint8Array): void => {
      // Before it has gone out: this sink never sees it.
      if (isFrozen || !isPage(payload)) return;
      isFrozen = true;
      lab?.sinks[1]?.gate.freeze();
    };
    lab = await LaneLab.open({ source, sinks: [first, empty], onPublish });
    const running = lab.run();
    await lab.until(sinkEnded("sink 0"));
    expect(isFrozen).toBe(true);
    lab.sinks[1]?.gate.thaw();
    const summary = await running;
    expect(summary.sinks).toMatchObject([
      { outcome: "proven", caughtUp: false, bytesKept: FILES * BYTES },
      { outcome: WHOLE, caughtUp: true, bytesKept: 0 },
    ]);
    expect(summary.bytesSent).toBe(FILES * BYTES);
    await expectEqualTrees(source, first, ["before"]);
    await expectEqualTrees(source, empty);
  });

  test("are sent when one sink has none of them, and nobody has a problem", async () => {
    const [first, empty] = [memoryFolder(), memoryFolder()];
    const source = await renamed(first);
    const summary = await (await LaneLab.open({ source, sinks: [first, empty] })).run();
    expect(summary.sinks.map(({ outcome }) => outcome)).toEqual(["proven", "proven"]);
    expect(summary.bytesSent).toBe(FILES * BYTES);
    await expectEqualTrees(source, empty);
  });
});

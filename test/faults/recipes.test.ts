import { utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { FRAME_TYPES } from "../../src/protocol/frame/frame.ts";
import { FRAME_KEPT_BYTES_MAX, KEPT_BYTES_OF_CREDIT, WINDOW_BYTES_START } from "../../src/protocol/limits.ts";
import type { SourceEvent } from "../../src/protocol/messages/events.ts";
import { noise } from "../delta/recipes.ts";
import { LaneLab } from "../helpers/copies/lane-lab.ts";
import { WHOLE } from "../helpers/copies/whole-copy.ts";
import { memoryFolder } from "../helpers/disks/temp-folder.ts";
import { seededPlan } from "../helpers/transports/fault-transport.ts";
import { expectEqualTrees } from "../helpers/trees/tree-judge.ts";

const MIB = 1024 * 1024;
/** Of a frame's header. */
const TYPE_OFFSET = 3;

const sinkEnded = (name: string) => (event: SourceEvent) => event.type === "sink" && event.name === name;
const isRecipe = (payload: Uint8Array): boolean => payload[TYPE_OFFSET] === FRAME_TYPES.recipe;
const isData = (payload: Uint8Array): boolean => payload[TYPE_OFFSET] === FRAME_TYPES.data;

function folderWith(file: Buffer, mtimeSeconds: number): string {
  const root = memoryFolder();
  writeFileSync(join(root, "file"), file);
  utimesSync(join(root, "file"), mtimeSeconds, mtimeSeconds);
  return root;
}

/** A file, and folders with older versions of it, each with some bytes more before another place. */
function versions(count: number): { readonly source: string; readonly older: readonly string[] } {
  const file = noise(1, 4 * MIB);
  const older = Array.from({ length: count }, (_, index) => {
    const at = (index + 1) * 700_000;
    return folderWith(Buffer.concat([file.subarray(0, at), noise(2 + index, 100), file.subarray(at)]), 1_000);
  });
  return { source: folderWith(file, 2_000), older };
}

describe("a session with a recipe", () => {
  test("sends once what any sink lacks, and no sink gets more of its changed file", async () => {
    const { source, older } = versions(3);
    const lab = await LaneLab.open({ source, sinks: older });
    const summary = await lab.run();
    expect(summary.sinks.map(({ outcome }) => outcome)).toEqual(["proven", "proven", "proven"]);
    expect(summary.bytesSent).toBeLessThan(MIB);
    expect(summary.bytesSent + summary.bytesKept).toBe(4 * MIB);
    for (const sink of older) await expectEqualTrees(source, sink);
  });

  test("does not wait for the answer of a sink that is away, and makes it whole on a lane", async () => {
    const { source, older } = versions(2);
    let lab: LaneLab | undefined;
    let isFrozen = false;
    const onPublish = (payload: Uint8Array): void => {
      // Before it has gone out: this sink never sees it.
      if (isFrozen || !isRecipe(payload)) return;
      isFrozen = true;
      lab?.sinks[1]?.gate.freeze();
    };
    lab = await LaneLab.open({ source, sinks: older, onPublish });
    const running = lab.run();
    await lab.until(sinkEnded("sink 0"));
    expect(isFrozen).toBe(true);
    lab.sinks[1]?.gate.thaw();
    const summary = await running;
    expect(summary.sinks).toMatchObject([
      { outcome: "proven", caughtUp: false },
      { outcome: WHOLE, caughtUp: true },
    ]);
    expect(lab.statesOf(1)).toEqual(expect.arrayContaining(["away", "detached"]));
    for (const sink of older) await expectEqualTrees(source, sink);
  });

  test("is not far ahead of a sink that has not copied yet what it holds", async () => {
    const frames = 12;
    const old = noise(1, frames * FRAME_KEPT_BYTES_MAX);
    const file = Buffer.concat([old, noise(2, 100)]);
    const [source, sink] = [folderWith(file, 2_000), folderWith(old, 1_000)];
    let lab: LaneLab | undefined;
    let published = 0;
    const onPublish = (payload: Uint8Array): void => {
      if (!isData(payload)) return;
      published += 1;
      if (published === 1) lab?.sinks[0]?.gate.freeze();
    };
    lab = await LaneLab.open({ source, sinks: [sink], delta: "on", onPublish });
    const running = lab.run();
    await lab.until((event) => event.type === "sinkstate" && event.state === "away");
    expect(published * FRAME_KEPT_BYTES_MAX).toBeLessThanOrEqual(
      WINDOW_BYTES_START * KEPT_BYTES_OF_CREDIT + FRAME_KEPT_BYTES_MAX,
    );
    lab.sinks[0]?.gate.thaw();
    const { sinks, bytesKept } = await running;
    expect(sinks).toMatchObject([{ outcome: "proven", bytesKept }]);
    expect(bytesKept).toBeGreaterThan(frames * FRAME_KEPT_BYTES_MAX - MIB);
    await expectEqualTrees(source, sink);
  });

  test("makes a recipe on a lane, too, over a link that loses much of it and of the answers", async () => {
    const { source, older } = versions(2);
    const [first = "", late = ""] = older;
    const recipes = new Set<string>();
    const onPublish = (payload: Uint8Array, subject: string): void => {
      if (isRecipe(payload)) recipes.add(subject);
    };
    const lab = await LaneLab.open({ source, sinks: [first], factor: 3, onPublish });
    const running = lab.run();
    await lab.join(late, seededPlan(11, 0.2));
    const summary = await running;
    expect(summary.sinks.map(({ outcome, caughtUp }) => [outcome, caughtUp])).toEqual([
      ["proven", false],
      [WHOLE, true],
    ]);
    expect(recipes.size).toBe(2);
    expect(summary.bytesCaughtUp).toBeLessThan(MIB);
    for (const sink of older) await expectEqualTrees(source, sink);
  });
});

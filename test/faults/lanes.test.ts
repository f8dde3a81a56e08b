import { randomFillSync } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { SourceEvent } from "../../src/protocol/messages/events.ts";
import { DETACH_AFTER_MS } from "../../src/source/session/ladder.ts";
import { LaneLab } from "../helpers/copies/lane-lab.ts";
import { SealLab } from "../helpers/copies/seal-lab.ts";
import { WHOLE } from "../helpers/copies/whole-copy.ts";
import { memoryFolder } from "../helpers/disks/temp-folder.ts";
import { seededPlan } from "../helpers/transports/fault-transport.ts";
import { expectEqualTrees } from "../helpers/trees/tree-judge.ts";

const MIB = 1024 * 1024;

/** More than the first window: small files in directories, and `mib` files of 1 MiB. */
function makeTree(mib = 16): string {
  const root = memoryFolder();
  for (let directory = 0; directory < 5; directory += 1) {
    mkdirSync(join(root, `d${directory}`));
    for (let file = 0; file < 20; file += 1)
      writeFileSync(join(root, `d${directory}/f${file}`), `${directory} ${file}`);
  }
  for (let file = 0; file < mib; file += 1)
    writeFileSync(join(root, `large${file}`), randomFillSync(Buffer.alloc(MIB)));
  return root;
}

const sinkEnded = (name: string) => (event: SourceEvent) => event.type === "sink" && event.name === name;
const stored = (bytes: number) => (event: SourceEvent) =>
  event.type === "progress" && event.sinks.every((sink) => sink.progress.bytesDone >= bytes);
const progressState = (name: string, state: string) => (event: SourceEvent) =>
  event.type === "progress" && event.sinks.some((sink) => sink.name === name && sink.state === state);

describe("a sink that joins late", () => {
  test("is caught up on a lane of its own while another one stands still, and neither loses anything", async () => {
    const [source, first, late] = [makeTree(), memoryFolder(), memoryFolder()];
    const lab = await LaneLab.open({ source, sinks: [first] });
    const running = lab.run();
    await lab.until(stored(MIB));
    lab.sinks[0]?.gate.freeze();
    await lab.join(late);
    await lab.until(sinkEnded("sink 1"));
    lab.sinks[0]?.gate.thaw();
    const summary = await running;
    expect(summary.sinks).toMatchObject([
      { outcome: "proven", caughtUp: false, digest: summary.digest },
      { outcome: WHOLE, caughtUp: true },
    ]);
    expect(summary.result).toBe("complete");
    expect([summary.bytesSent, summary.bytesCaughtUp]).toEqual([summary.bytes, summary.bytes]);
    for (const sink of [first, late]) await expectEqualTrees(source, sink);
  });

  test("gets what its own link loses once more", async () => {
    const [source, first, late] = [makeTree(6), memoryFolder(), memoryFolder()];
    const lab = await LaneLab.open({ source, sinks: [first], factor: 3 });
    const running = lab.run();
    await lab.join(late, seededPlan(7, 0.1));
    const summary = await running;
    expect(summary.sinks.map(({ outcome, caughtUp }) => [outcome, caughtUp])).toEqual([
      ["proven", false],
      [WHOLE, true],
    ]);
    await expectEqualTrees(source, late);
  });

  test("is caught up on a sealed lane, and gets what its own link loses once more", async () => {
    const [source, first, late] = [makeTree(6), memoryFolder(), memoryFolder()];
    const lab = await LaneLab.open({ source, sinks: [first], factor: 3, seals: new SealLab() });
    const running = lab.run();
    await lab.join(late, seededPlan(8, 0.1));
    const summary = await running;
    expect(summary.sinks.map(({ outcome, caughtUp }) => [outcome, caughtUp])).toEqual([
      ["proven", false],
      [WHOLE, true],
    ]);
    for (const sink of [first, late]) await expectEqualTrees(source, sink);
  });

  test("queues behind two others, and is not forgotten", async () => {
    const [source, first] = [makeTree(6), memoryFolder()];
    const late = [memoryFolder(), memoryFolder(), memoryFolder(), memoryFolder()];
    const lab = await LaneLab.open({ source, sinks: [first] });
    const running = lab.run();
    for (const folder of late) await lab.join(folder);
    const summary = await running;
    expect(summary.sinks.map(({ outcome }) => outcome)).toEqual(Array(5).fill("proven"));
    for (const sink of late) await expectEqualTrees(source, sink);
  });

  test("has a copy of a later state of the directory, and the summary says so", async () => {
    const [source, first, late] = [makeTree(2), memoryFolder(), memoryFolder()];
    const lab = await LaneLab.open({ source, sinks: [first] });
    const running = lab.run();
    await lab.until((event) => event.type === "progress" && event.progress.discoveryEnded);
    lab.sinks[0]?.gate.freeze();
    writeFileSync(join(source, "new"), "new");
    await lab.join(late);
    await lab.until(sinkEnded("sink 1"));
    lab.sinks[0]?.gate.thaw();
    const summary = await running;
    expect(summary.sinks[1]).toMatchObject({
      outcome: "proven",
      message: "its copy shows a later state of the directory",
    });
    expect(summary.sinks[0]?.message).toBeUndefined();
    await expectEqualTrees(source, late);
  });
});

test("a sink that joins when every other one has its outcome is left to the next session", async () => {
  const source = memoryFolder();
  writeFileSync(join(source, "file"), "content");
  const lab = await LaneLab.open({ source, sinks: [memoryFolder()] });
  expect((await lab.session.run()).result).toBe("complete");
  const told = lab.events.length;
  lab.session.sinkJoined({ id: "sink09", name: "sink 9" }, true);
  // A lane would be two threads that nobody ends.
  expect(lab.events.slice(told)).toEqual([]);
});

describe("a sink that goes away", () => {
  test("holds nobody, and is caught up when it is heard again", async () => {
    const [source, stays, freezes] = [makeTree(), memoryFolder(), memoryFolder()];
    const lab = await LaneLab.open({ source, sinks: [stays, freezes] });
    const running = lab.run();
    await lab.until(stored(MIB));
    lab.sinks[1]?.gate.freeze();
    await lab.until(sinkEnded("sink 0"));
    lab.sinks[1]?.gate.thaw();
    const summary = await running;
    expect(summary.sinks).toMatchObject([
      { outcome: "proven", caughtUp: false },
      { outcome: WHOLE, caughtUp: true },
    ]);
    expect(lab.statesOf(1)).toEqual(expect.arrayContaining(["away", "detached"]));
    for (const sink of [stays, freezes]) await expectEqualTrees(source, sink);
  });

  test("alone, goes on where it was: it held nobody", async () => {
    const [source, only] = [makeTree(), memoryFolder()];
    const lab = await LaneLab.open({ source, sinks: [only] });
    const running = lab.run();
    await lab.until(stored(MIB));
    lab.sinks[0]?.gate.freeze();
    await lab.until(progressState("sink 0", "away"));
    lab.sinks[0]?.gate.thaw();
    const summary = await running;
    expect(summary.sinks).toMatchObject([{ outcome: "proven", caughtUp: false }]);
    expect(lab.statesOf(0)).not.toContain("detached");
    await expectEqualTrees(source, only);
  });

  test("and stays away, has failed after --sink-timeout; --min-success is content with the others", async () => {
    for (const [minSuccess, result] of [
      [undefined, "failed"],
      [1, "quorum"],
    ] as const) {
      const [source, stays, freezes] = [makeTree(6), memoryFolder(), memoryFolder()];
      const policy = { sinkTimeoutMs: 5_000, ...(minSuccess === undefined ? {} : { minSuccess }) };
      const lab = await LaneLab.open({ source, sinks: [stays, freezes], policy });
      lab.sinks[1]?.gate.freeze();
      const summary = await lab.run();
      expect(summary.result).toBe(result);
      expect(summary.sinks).toMatchObject([{ outcome: "proven" }, { outcome: "failed", code: "sinks-lost" }]);
      expect(summary.sinks[1]?.message).toContain("did not come back within 5 s");
      await expectEqualTrees(source, stays);
    }
  });

  test("as the coordinator says, but goes on reporting, is as live as before", async () => {
    const [source, one, two] = [makeTree(), memoryFolder(), memoryFolder()];
    const lab = await LaneLab.open({ source, sinks: [one, two] });
    const running = lab.run();
    await lab.until(stored(MIB));
    lab.session.sinkLeft("sink01", "sinks-lost", "its connection broke");
    const summary = await running;
    expect(summary.sinks.map(({ outcome, caughtUp }) => [outcome, caughtUp])).toEqual([
      ["proven", false],
      ["proven", false],
    ]);
  });

  test("by a failure of its own has failed at once", async () => {
    const [source, one, two] = [makeTree(), memoryFolder(), memoryFolder()];
    const lab = await LaneLab.open({ source, sinks: [one, two] });
    const running = lab.run();
    lab.session.sinkLeft("sink01", "disk-full", "No space is left");
    const summary = await running;
    expect(summary.sinks).toMatchObject([
      { outcome: "proven" },
      { outcome: "failed", code: "disk-full", message: "No space is left" },
    ]);
  });
});

describe("a sink that is started again", () => {
  test("is caught up on a lane, and again on the next one, while the other one goes on", async () => {
    const [source, stays, restarts] = [makeTree(), memoryFolder(), memoryFolder()];
    const lab = await LaneLab.open({ source, sinks: [stays, restarts] });
    const running = lab.run();
    await lab.until(stored(MIB));
    await lab.restart(1, restarts);
    await lab.restart(1, restarts);
    const summary = await running;
    expect(summary.sinks).toMatchObject([
      { outcome: "proven", caughtUp: false },
      { outcome: WHOLE, caughtUp: true },
    ]);
    for (const sink of [stays, restarts]) await expectEqualTrees(source, sink);
  });

  test("after it had failed, takes part again", async () => {
    const [source, stays, restarts] = [makeTree(), memoryFolder(), memoryFolder()];
    const lab = await LaneLab.open({ source, sinks: [stays, restarts] });
    const running = lab.run();
    await lab.until(stored(MIB));
    lab.sinks[0]?.gate.freeze();
    lab.session.sinkLeft("sink01", "disk-full", "No space is left");
    await lab.until(sinkEnded("sink 1"));
    await lab.restart(1, restarts);
    lab.sinks[0]?.gate.thaw();
    const summary = await running;
    expect(summary.sinks.map(({ outcome }) => outcome)).toEqual(["proven", WHOLE]);
    await expectEqualTrees(source, restarts);
  });

  test("when it was the only one, is served by its lane alone: the data for all stops", async () => {
    const [source, only] = [makeTree(), memoryFolder()];
    const lab = await LaneLab.open({ source, sinks: [only] });
    const running = lab.run();
    await lab.until(stored(MIB));
    await lab.restart(0, only);
    const summary = await running;
    expect(summary.result).toBe("complete");
    expect(summary.sinks).toMatchObject([{ outcome: WHOLE, caughtUp: true, digest: summary.digest }]);
    expect(summary.files).toBe(116);
    // What the first process stored is not sent again, but for what was on its way.
    expect(summary.bytesSent + summary.bytesCaughtUp + summary.bytesSentAgain).toBeLessThan(summary.bytes + 10 * MIB);
    await expectEqualTrees(source, only);
  });
});

describe("a sink that is slow", () => {
  /** Two sinks, the second of which takes many times as long for each frame. */
  async function slowSession(stragglers: "wait" | "detach" | "drop") {
    const [source, quick, slow] = [makeTree(32), memoryFolder(), memoryFolder()];
    const lab = await LaneLab.open({ source, sinks: [quick, slow], policy: { stragglers } });
    const setSpeed = (messageMs: number): void => {
      const gate = lab.sinks[1]?.gate;
      if (gate !== undefined) gate.messageMs = messageMs;
    };
    setSpeed(20);
    return { source, quick, slow, lab, setSpeed, running: lab.run() };
  }

  test("lags, is detached, and caught up after the others have finished", async () => {
    const { source, quick, slow, lab, setSpeed, running } = await slowSession("detach");
    await lab.until(sinkEnded("sink 0"));
    setSpeed(0);
    const summary = await running;
    expect(lab.statesOf(1)).toEqual(["lagging", "detached"]);
    expect(summary.sinks).toMatchObject([
      { outcome: "proven", caughtUp: false },
      { outcome: WHOLE, caughtUp: true },
    ]);
    for (const sink of [quick, slow]) await expectEqualTrees(source, sink);
  });

  test("is waited for with --stragglers wait", async () => {
    const { source, quick, slow, lab, setSpeed, running } = await slowSession("wait");
    await lab.until(progressState("sink 1", "lagging"));
    const at = lab.elapsedMs;
    await lab.until((event) => event.type === "progress" && event.progress.elapsedMs > at + DETACH_AFTER_MS + 2_000);
    setSpeed(0);
    const summary = await running;
    expect(lab.statesOf(1)).not.toContain("detached");
    expect(summary.sinks.map(({ outcome, caughtUp }) => [outcome, caughtUp])).toEqual([
      ["proven", false],
      ["proven", false],
    ]);
    for (const sink of [quick, slow]) await expectEqualTrees(source, sink);
  });

  test("is given up with --stragglers drop", async () => {
    const { source, quick, running } = await slowSession("drop");
    const summary = await running;
    expect(summary.sinks).toMatchObject([{ outcome: "proven" }, { outcome: "failed", code: "sinks-lost" }]);
    expect(summary.result).toBe("failed");
    await expectEqualTrees(source, quick);
  });
});

test("nothing is sent to sinks that have it all, and the session says that there was nothing to do", async () => {
  const [source, sink] = [makeTree(2), memoryFolder()];
  const first = await (await LaneLab.open({ source, sinks: [sink], factor: 1 })).run();
  const second = await (await LaneLab.open({ source, sinks: [sink], factor: 1 })).run();
  expect([first.result, first.bytesNotNeeded]).toEqual(["complete", 0]);
  expect([second.result, second.bytesSent, second.bytesNotNeeded]).toEqual(["unchanged", 0, second.bytes]);
  expect(second.sinks[0]).toMatchObject({ outcome: "complete", filesUnchanged: second.files });
});

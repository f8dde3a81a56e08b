import { mkdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { ClientMessage } from "../../../src/protocol/messages/control.ts";
import { notKept } from "../../../src/sink/session/keep-tree.ts";
import { Switching } from "../../../src/sink/session/switching.ts";
import { type ProvenTree, SnapshotStore } from "../../../src/sink/snapshots/snapshot-store.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { handClock } from "../../helpers/hand-clock.ts";
import { thrown } from "../../helpers/thrown.ts";

const COPY = { sessionId: "abcdefghijkl", epoch: 1 };
const TERMS = { ...COPY, coordinator: "0c".repeat(16), otherwise: "drop" } as const;
const DIGEST = "0d".repeat(32);
const TREE: ProvenTree = {
  ...{ session: "photos", sessionId: COPY.sessionId, source: { name: "box", key: "5c".repeat(32) } },
  ...{ files: 1, bytes: 1, digest: DIGEST, problemCount: 0, takenAsUnchanged: undefined, fidelity: [] },
  changes: { isChanged: true, bytesShared: 0, filesCopied: 0 },
};

/** A sink whose copy is proven and waits. Then it was started again, and its copy of the same epoch is at its end mark. */
function secondCopy() {
  const folder = tempFolder();
  const own = join(folder, ".fanfold");
  mkdirSync(join(own, "next"), { recursive: true });
  writeFileSync(join(own, "manifest"), "the manifest");
  const snapshots = SnapshotStore.open(
    { path: Buffer.from(folder), keepsSnapshots: true, keepSnapshots: () => undefined },
    handClock(),
  );
  onTestFinished(() => snapshots[Symbol.dispose]());
  const { name } = snapshots.keep(TREE, TERMS);
  const [sent, told]: [ClientMessage[], string[]] = [[], []];
  const work = { isAtWork: true };
  const switching = new Switching({
    turns: { take: async () => undefined, lend: () => undefined },
    snapshots,
    link: { send: (message) => void sent.push(message) },
    runtime: {
      clock: handClock(),
      signal: new AbortController().signal,
      emit: (event) => void told.push("becomes" in event ? event.becomes : event.type),
    },
    isAtWork: () => work.isAtWork,
    signal: new AbortController().signal,
  });
  const keep = () => snapshots.keep({ ...TREE, changes: { ...TREE.changes, isChanged: false } }, TERMS);
  const conclude = () => {
    work.isAtWork = false;
    switching.act();
  };
  return { folder, name, snapshots, switching, sent, told, keep, conclude };
}

describe("a decision that comes between the end mark of a copy and the keeping of its state", () => {
  test("drops the state when that is kept, and not what it is kept by", async () => {
    const { name, snapshots, switching, told, sent, keep, conclude } = secondCopy();
    await switching.take({ ...COPY }, false);
    expect([snapshots.pending?.name, snapshots.newest, told]).toEqual([name, name, []]);
    expect(keep()).toEqual({ name, isNew: false, kept: 1 });
    conclude();
    expect([snapshots.pending, snapshots.newest, told]).toEqual([undefined, undefined, ["dropped"]]);
    expect(sent).toMatchObject([{ type: "switched" }]);
  });

  test("switches at once", async () => {
    const { folder, name, snapshots, switching, told, keep, conclude } = secondCopy();
    await switching.take({ ...COPY, digest: DIGEST }, false);
    expect([snapshots.pending, readlinkSync(join(folder, "latest")), told]).toEqual([undefined, name, ["switched"]]);
    keep();
    conclude();
    expect([snapshots.pending, snapshots.newest]).toEqual([undefined, name]);
  });
});

test("a state that somebody took away before it was kept is told of with what to do", () => {
  const { folder, keep } = secondCopy();
  rmSync(join(folder, ".fanfold/manifest"));
  const { code, message } = notKept(Buffer.from(folder), thrown(keep));
  expect([code, message]).toEqual([
    "disk-failed",
    expect.stringContaining(`cannot keep what was proven in "${folder}"`),
  ]);
  expect(message).toMatch(
    /no such file or directory; something in it was moved or removed meanwhile: start the sink again/,
  );
});

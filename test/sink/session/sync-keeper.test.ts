import { mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { FanfoldError } from "../../../src/lib/errors.ts";
import { SyncKeeper } from "../../../src/sink/session/sync-keeper.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { handClock } from "../../helpers/hand-clock.ts";

const GIB = 1024 ** 3;

function begin(path = tempFolder(), isSynced = true) {
  const clock = handClock();
  clock.advance(100_000);
  const marks: number[] = [];
  const failures: string[] = [];
  const state = { isFull: false };
  const mark = (beforeMs: number): void => {
    if (state.isFull) throw new FanfoldError("disk-full", "no");
    marks.push(beforeMs);
  };
  let syncs: PromiseWithResolvers<void>[] = [];
  const folder = {
    path: Buffer.from(path),
    get syncedBefore() {
      return marks.at(-1) ?? 0;
    },
    markSynced: (beforeMs: number) => mark(beforeMs),
  };
  const keeper = new SyncKeeper({
    folder,
    clock,
    isSynced,
    signal: new AbortController().signal,
    onFailure: ({ code }) => failures.push(code),
    openSync: () => ({
      sync() {
        const sync = Promise.withResolvers<void>();
        syncs.push(sync);
        return sync.promise;
      },
      [Symbol.dispose]: () => undefined,
    }),
  });
  onTestFinished(() => keeper[Symbol.dispose]());
  const settle = async (end: (sync: PromiseWithResolvers<void>) => void): Promise<void> => {
    const running = syncs;
    syncs = [];
    for (const sync of running) end(sync);
    await setImmediate();
  };
  return { clock, keeper, marks, failures, settle, path, state, syncing: () => syncs.length };
}

describe("SyncKeeper", () => {
  test("syncs 30 s after the first byte, and then marks the time from before the sync", async () => {
    const { clock, keeper, marks, settle, syncing } = begin();
    clock.advance(60_000);
    expect(syncing()).toBe(0);
    keeper.stored(1);
    clock.advance(29_000);
    expect(syncing()).toBe(0);
    clock.advance(1_000);
    expect(syncing()).toBe(1);
    clock.advance(5_000);
    expect(marks).toEqual([]);
    await settle((sync) => sync.resolve());
    expect(marks).toEqual([190_000]);
    clock.advance(120_000);
    expect(syncing()).toBe(0);
  });

  test("syncs after a GiB, and not twice at a time", async () => {
    const { clock, keeper, marks, settle, syncing } = begin();
    keeper.stored(GIB);
    clock.advance(1_000);
    keeper.stored(GIB);
    clock.advance(1_000);
    expect(syncing()).toBe(1);
    await settle((sync) => sync.resolve());
    clock.advance(1_000);
    await settle((sync) => sync.resolve());
    expect(marks).toEqual([101_000, 103_000]);
  });

  test("takes its mark back when the clock is set back", () => {
    const { clock, keeper, marks } = begin();
    marks.push(200_000);
    clock.advance(1_000);
    expect(marks).toEqual([200_000, 101_000]);
    keeper[Symbol.dispose]();
  });

  test("goes without a mark when the disk is full, but not when the clock was set back", async () => {
    const { clock, keeper, marks, failures, settle, state } = begin();
    state.isFull = true;
    keeper.stored(GIB);
    clock.advance(1_000);
    await settle((sync) => sync.resolve());
    expect([marks, failures]).toEqual([[], []]);
    marks.push(200_000);
    clock.advance(1_000);
    expect([marks, failures]).toEqual([[200_000], ["disk-full"]]);
  });

  test("ends the session when the disk does not take it", async () => {
    const { clock, keeper, marks, failures, settle } = begin();
    keeper.stored(GIB);
    clock.advance(1_000);
    await settle((sync) => sync.reject(new FanfoldError("disk-failed", "no")));
    expect([failures, marks]).toEqual([["disk-failed"], []]);
  });

  test("at the end trusts all that was stored", async () => {
    const { keeper, marks, settle } = begin();
    keeper.stored(1);
    const finishing = keeper.finish();
    await settle((sync) => sync.resolve());
    await finishing;
    expect(marks).toEqual([102_000]);
  });

  test("that must not sync does no sync and sets no mark, but moves its mark back when the clock is set back", async () => {
    const { clock, keeper, marks, syncing } = begin(tempFolder(), false);
    marks.push(100_000);
    keeper.stored(GIB);
    clock.advance(60_000);
    await keeper.finish();
    expect([syncing(), marks]).toEqual([0, [100_000]]);
    const before = begin(tempFolder(), false);
    before.marks.push(200_000);
    before.clock.advance(1_000);
    expect(before.marks).toEqual([200_000, 101_000]);
  });

  test("that is to sync nothing still calls no folder done that is gone", async () => {
    const path = join(tempFolder(), "folder");
    mkdirSync(path);
    const { keeper } = begin(path, false);
    rmSync(path, { recursive: true });
    await expect(keeper.finish()).rejects.toMatchObject({ code: "folder-missing" });
  });

  test.each([
    ["removed", (path: string) => rmSync(path, { recursive: true })],
    ["moved", (path: string) => renameSync(path, `${path}-moved`)],
    [
      "replaced",
      (path: string) => {
        renameSync(path, `${path}-moved`);
        mkdirSync(path);
      },
    ],
  ])("never calls a folder done that was %s", async (_, change) => {
    const path = join(tempFolder(), "folder");
    mkdirSync(path);
    const { keeper, marks, settle } = begin(path);
    const refused = expect(keeper.finish()).rejects.toMatchObject({ code: "folder-missing" });
    change(path);
    await settle((sync) => sync.resolve());
    await refused;
    expect(marks).toEqual([]);
  });
});

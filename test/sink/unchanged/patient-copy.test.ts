import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { hasBit } from "../../../src/lib/bits.ts";
import { newOpenFiles } from "../../../src/lib/disk/open-files.ts";
import { EngineHost } from "../../../src/sink/engine/engine-host.ts";
import type { EngineMessage } from "../../../src/sink/engine/engine-messages.ts";
import { addRealSnapshot, handFacts } from "../../helpers/copies/hand-snapshots.ts";
import { SESSION, sourceFrames } from "../../helpers/copies/source-frames.ts";
import { memoryFolder } from "../../helpers/disks/temp-folder.ts";
import { pathsIn } from "../../helpers/trees/tree-differences.ts";
import { expectEqualTrees } from "../../helpers/trees/tree-judge.ts";

const MONDAY = "2026-11-23T02-30-00Z";
const OLD = new Date("2026-11-20T00:00:00Z");

/** A tree of three pages at least, and a folder that has a snapshot of it. */
function snapshotOf(): { readonly from: string; readonly folder: string } {
  const [from, folder] = [memoryFolder(), memoryFolder()];
  for (let directory = 0; directory < 9; directory += 1) {
    mkdirSync(join(from, `d${directory}`));
    for (let file = 0; file < 400; file += 1)
      writeFileSync(join(from, `d${directory}/f${file}`), `${directory}.${file}`);
    utimesSync(join(from, `d${directory}`), OLD, OLD);
  }
  symlinkSync("d1/f1", join(from, "link"));
  linkSync(join(from, "d1/f2"), join(from, "other name"));
  addRealSnapshot(folder, MONDAY, from);
  return { from, folder };
}

type Want = Extract<EngineMessage, { type: "want" }>;

/** The thread of the disk, over a folder that keeps snapshots. */
function openHost(folder: string) {
  const messages: EngineMessage[] = [];
  const begin = {
    scope: { ...SESSION, stream: 0 },
    fill: { numericIds: false, specials: false, durability: "none" as const },
    folder: Buffer.from(folder),
    snapshots: true,
    session: "default",
    source: handFacts(MONDAY).source.key,
    ...{ doubts: [], startedMs: 0, fileNotices: false, dryRun: false, deletion: { forbidden: false } },
  };
  const host = new EngineHost({ begin, openFiles: newOpenFiles(256) }, (message) => messages.push(message));
  const wants = () => messages.filter((message): message is Want => message.type === "want");
  const isWanted = (page: number, index: number): boolean => {
    const want = wants().find((each) => each.page === page)?.want;
    if (want === undefined || typeof want === "string") return want === "all";
    return hasBit(Buffer.from(want.bits, "base64"), index);
  };
  return {
    messages,
    wants,
    /** Gives it the stream of a tree, or the beginning of it. */
    give(from: string, framesMax = Number.POSITIVE_INFINITY): void {
      let given = 0;
      for (const frame of sourceFrames(from, { isWanted })) {
        if (given === framesMax) return;
        given += 1;
        const payload = new Uint8Array(new SharedArrayBuffer(frame.length));
        payload.set(frame);
        host.take({ frames: [payload] });
      }
    },
    verified: () => messages.find((message) => message.type === "verified"),
    faults: () => messages.filter(({ type }) => ["failed", "problem", "not-served"].includes(type)),
  };
}

/** All that would tell that somebody touched the snapshot; further names of its files may be made. */
function looks(folder: string, facts: "all" | "but names"): string[] {
  const tree = join(folder, MONDAY);
  return pathsIn(tree, []).map((path) => {
    const stats = lstatSync(join(tree, path.toString()), { bigint: true });
    const { ino, mode, size, mtimeNs, ctimeNs, nlink } = stats;
    const names = facts === "all" || stats.isDirectory() ? `${ctimeNs} ${nlink}` : "";
    return `${path} ${ino} ${mode} ${size} ${mtimeNs} ${names}`;
  });
}

/** Bytes of the temporary files without names that this process has open. */
function spilledTo(temporary: string): number {
  const sizes = readdirSync("/proc/self/fd").map((fd) => {
    try {
      const path = join("/proc/self/fd", fd);
      return readlinkSync(path).startsWith(temporary) ? statSync(path).size : 0;
    } catch {
      return 0;
    }
  });
  return sizes.reduce((sum, size) => sum + size, 0);
}

const next = (folder: string) => join(folder, ".fanfold/next");

describe("a copy into a folder with snapshots", () => {
  test("looks at the newest one where it stands, and makes no tree while nothing differs", () => {
    const { from, folder } = snapshotOf();
    const before = looks(folder, "all");
    const host = openHost(folder);
    host.give(from);
    expect(host.faults()).toEqual([]);
    expect(host.wants().length).toBeGreaterThan(2);
    expect(host.wants().every(({ want }) => want === "none")).toBe(true);
    expect(host.verified()).toMatchObject({ tree: { isChanged: false }, takenAsUnchanged: undefined });
    const stored = host.messages.findLast((message) => message.type === "stored");
    expect(stored?.counts).toMatchObject({
      filesFound: 3600,
      filesDone: 3600,
      filesUnchanged: 3600,
      entriesChanged: 0,
    });
    expect(existsSync(next(folder))).toBe(false);
    expect(looks(folder, "all")).toEqual(before);
    expect(existsSync(join(folder, ".fanfold/manifest"))).toBe(true);
  });

  test.runIf(process.platform === "linux")("holds each page once in temporary files while nothing differs", () => {
    const { from, folder } = snapshotOf();
    const temporary = memoryFolder();
    vi.stubEnv("TMPDIR", temporary);
    onTestFinished(() => void vi.unstubAllEnvs());
    const host = openHost(folder);
    const frames = [...sourceFrames(from, { isWanted: () => false })].map(({ length }) => length);
    host.give(from, 3);
    expect(host.wants().length).toBe(3);
    expect(existsSync(next(folder))).toBe(false);
    const pagesBytes = frames.slice(0, 3).reduce((sum, length) => sum + length);
    expect(spilledTo(temporary)).toBeGreaterThan(0.5 * pagesBytes);
    expect(spilledTo(temporary)).toBeLessThan(1.1 * pagesBytes);
  });

  const last = "d8/f399";
  const CHANGES: readonly (readonly [string, boolean, (from: string, folder: string) => void])[] = [
    ["the content of the last file", true, (from) => writeFileSync(join(from, last), "more than there was")],
    ["the mode of the last file", true, (from) => chmodSync(join(from, last), 0o600)],
    ["the time of a directory", true, (from) => utimesSync(join(from, "d8"), new Date(), new Date())],
    [
      "the target of a link",
      true,
      (from) => {
        rmSync(join(from, "link"));
        symlinkSync("d1/f3", join(from, "link"));
      },
    ],
    [
      "a further name that is a file of its own",
      true,
      (from) => {
        rmSync(join(from, "other name"));
        writeFileSync(join(from, "other name"), "1.2");
      },
    ],
    // Nothing but the digest tells of it.
    [
      "a file that is gone, while its directory has the same time",
      false,
      (from) => {
        rmSync(join(from, last));
        utimesSync(join(from, "d8"), OLD, OLD);
      },
    ],
    [
      "a file that is damaged in the snapshot",
      true,
      (_, folder) => {
        rmSync(join(folder, MONDAY, last));
        utimesSync(join(folder, MONDAY, "d8"), OLD, OLD);
      },
    ],
  ];

  test.each(CHANGES)("makes the next tree of all that came when it meets %s", async (_, isChanged, change) => {
    const { from, folder } = snapshotOf();
    change(from, folder);
    const before = looks(folder, "but names");
    const host = openHost(folder);
    host.give(from);
    expect(host.faults()).toEqual([]);
    expect(host.verified()).toMatchObject({ tree: { isChanged } });
    await expectEqualTrees(from, next(folder));
    expect(looks(folder, "but names")).toEqual(before);
  });

  test.each([
    ["while it looks", 2, false],
    ["right behind the first difference", Number.POSITIVE_INFINITY, true],
  ])("goes on when it was killed %s", async (_, framesMax, isBegun) => {
    const { from, folder } = snapshotOf();
    writeFileSync(join(from, last), "more than there was");
    const killed = openHost(folder);
    killed.give(from, framesMax);
    expect(existsSync(next(folder))).toBe(isBegun);
    const before = looks(folder, "but names");
    writeFileSync(join(from, "d0/f0"), "changed once more");
    const host = openHost(folder);
    host.give(from);
    expect(host.faults()).toEqual([]);
    expect(host.verified()).toMatchObject({ tree: { isChanged: true } });
    await expectEqualTrees(from, next(folder));
    expect(looks(folder, "but names")).toEqual(before);
  });
});

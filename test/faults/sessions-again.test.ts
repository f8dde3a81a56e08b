import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import type { SessionSummary } from "../../src/protocol/messages/progress.ts";
import { fileTime } from "../../src/sink/metadata/file-time.ts";
import { openSinkFolder } from "../../src/sink/own/sink-folder.ts";
import { openEngine } from "../helpers/copies/open-engine.ts";
import { type FaultySession, runFaultySession } from "../helpers/copies/session-in-process.ts";
import { sourceFrames } from "../helpers/copies/source-frames.ts";
import { WHOLE } from "../helpers/copies/whole-copy.ts";
import { mountSmallDisk, smallDisksAvailable } from "../helpers/disks/small-disk.ts";
import { memoryFolder, tempFolder } from "../helpers/disks/temp-folder.ts";
import { content } from "../helpers/trees/tree.ts";
import { expectEqualTrees } from "../helpers/trees/tree-judge.ts";

const MIB = 1024 * 1024;

/** Files small and large in two directories, an empty one, and a link. */
function makeTree(): string {
  const root = memoryFolder();
  mkdirSync(join(root, "dir/inner"), { recursive: true });
  for (let index = 0; index < 30; index += 1)
    writeFileSync(join(root, "dir", `f${index}`), content(index * 977, index));
  writeFileSync(join(root, "large"), content(3 * MIB + 5, 77));
  symlinkSync("large", join(root, "link"));
  return root;
}

async function copy(
  source: string,
  sinks: readonly string[],
  rest: Partial<FaultySession> = {},
): Promise<SessionSummary> {
  const { summary } = await runFaultySession({
    source,
    sinks,
    down: () => () => undefined,
    up: () => undefined,
    ...rest,
  });
  return summary;
}

const outcomes = (summary: SessionSummary) => summary.sinks.map(({ outcome }) => outcome);

/** Inode and time of change of every entry below a folder, but its own. */
function marksOf(folder: string): Record<string, string> {
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
    (path) => !path.startsWith(".fanfold"),
  );
  return Object.fromEntries(
    paths.map((path) => {
      const { ino, ctimeNs } = lstatSync(join(folder, path), { bigint: true });
      return [path, `${ino} ${ctimeNs}`];
    }),
  );
}

describe("a session over folders that have the copy already", () => {
  test("sends no content, and touches no file, link or directory", async () => {
    const [source, sinks] = [makeTree(), [memoryFolder(), memoryFolder()]];
    expect(outcomes(await copy(source, sinks))).toEqual(["proven", "proven"]);
    const before = sinks.map(marksOf);
    const firstMs = Date.parse(systemClock.date().toISOString());
    const summary = await copy(source, sinks);
    expect(outcomes(summary)).toEqual(["complete", "complete"]);
    expect(summary.bytesSent).toBe(0);
    for (const sink of summary.sinks) {
      expect(sink).toMatchObject({ filesUnchanged: 31, filesDone: 31 });
      // All but the empty one; they were proven by the copy before.
      expect(sink.takenAsUnchanged).toMatchObject({ files: 30, bytes: summary.bytes });
      expect(Date.parse(sink.takenAsUnchanged?.oldestProof ?? "")).toBeLessThan(firstMs);
    }
    expect(sinks.map(marksOf)).toEqual(before);
    for (const sink of sinks) await expectEqualTrees(source, sink);
  });

  test("says that nothing was to do only when nothing was changed at any of them", async () => {
    const [source, sinks] = [makeTree(), [memoryFolder(), memoryFolder()]];
    expect((await copy(source, sinks)).result).toBe("complete");
    expect((await copy(source, sinks)).result).toBe("unchanged");
    chmodSync(join(sinks[1] ?? "", "dir"), 0o700);
    const summary = await copy(source, sinks);
    expect(summary).toMatchObject({ result: "complete", bytesSent: 0 });
    expect(summary.sinks.map(({ entriesChanged }) => entriesChanged)).toEqual([0, 1]);
  });

  test("sends once what one of them lacks, and the other writes none of it", async () => {
    const [source, full, fresh] = [makeTree(), memoryFolder(), memoryFolder()];
    await copy(source, [full]);
    const before = marksOf(full);
    const summary = await copy(source, [full, fresh]);
    // What came for the other one was compared with what stands here.
    expect(outcomes(summary)).toEqual(["proven", "proven"]);
    expect(summary.sinks.map(({ filesUnchanged }) => filesUnchanged)).toEqual([31, 0]);
    expect(marksOf(full)).toEqual(before);
    await expectEqualTrees(source, fresh);
  });

  test("repairs a file of equal size and time but other content where another sink wants it", async () => {
    const [source, spoilt, fresh] = [makeTree(), memoryFolder(), memoryFolder()];
    await copy(source, [spoilt]);
    for (const name of ["large", "dir/f20"]) spoil(join(spoilt, name));
    const summary = await copy(source, [spoilt, fresh]);
    expect(outcomes(summary)).toEqual(["proven", "proven"]);
    expect(summary.sinks.map(({ filesUnchanged }) => filesUnchanged)).toEqual([29, 0]);
    for (const sink of [spoilt, fresh]) await expectEqualTrees(source, sink);
  });
});

/** Copies a tree by hand, without a session, until so many bytes of content have come. */
function copyUntil(source: string, sink: string, bytes: number): void {
  // What it remembers of its folder lets the next session trust what stands there.
  using _folder = openSinkFolder(sink, systemRandom, { clock: systemClock, bootId: "this boot" });
  using engine = openEngine(sink);
  for (const payload of sourceFrames(source)) {
    if (engine.engine.counts.bytesDone >= bytes) return;
    engine.accept(payload);
  }
}

describe("a large file that was cut off at its sinks", () => {
  const LARGE = 8 * MIB;

  test("is sent from the end of the shortest held part, even to a sink that has all of it", async () => {
    const [source, sinks] = [memoryFolder(), [memoryFolder(), memoryFolder(), memoryFolder()]];
    writeFileSync(join(source, "large"), content(LARGE, 5));
    const [less = "", more = "", whole = ""] = sinks;
    copyUntil(source, less, 4 * MIB);
    copyUntil(source, more, 6 * MIB);
    copyUntil(source, whole, LARGE + 1);
    const { ino } = lstatSync(join(whole, "large"));
    const summary = await copy(source, sinks);
    expect(outcomes(summary)).toEqual(["proven", "proven", "proven"]);
    // Less by what came with the last frame.
    expect(summary.bytesSent).toBeGreaterThan(3 * MIB);
    expect(summary.bytesSent).toBeLessThanOrEqual(4 * MIB);
    for (const sink of sinks) await expectEqualTrees(source, sink);
    expect(lstatSync(join(whole, "large")).ino).toBe(ino);
    for (const sink of sinks) expect(readdirSync(join(sink, ".fanfold/partial"))).toEqual([]);
  });

  test("is sent whole when one of them has nothing of it, or when it was written to since", async () => {
    const [source, sinks] = [memoryFolder(), [memoryFolder(), memoryFolder()]];
    writeFileSync(join(source, "large"), content(LARGE, 5));
    copyUntil(source, sinks[0] ?? "", 4 * MIB);
    expect((await copy(source, sinks)).bytesSent).toBeGreaterThan(LARGE - 1);
    const late = memoryFolder();
    copyUntil(source, late, 4 * MIB);
    writeFileSync(join(source, "large"), content(LARGE, 6));
    expect((await copy(source, [late])).bytesSent).toBeGreaterThan(LARGE - 1);
    for (const sink of [...sinks.slice(1), late]) expect(readdirSync(join(sink, ".fanfold/partial"))).toEqual([]);
    await expectEqualTrees(source, late);
  });
});

/** Zeroes the content of a file, which keeps its size and time. */
function spoil(path: string): void {
  const { size, mtimeNs } = lstatSync(path, { bigint: true });
  writeFileSync(path, Buffer.alloc(Number(size)), { flag: "r+" });
  const mtime = fileTime({ seconds: Number(mtimeNs / 10n ** 9n), nanoseconds: Number(mtimeNs % 10n ** 9n) });
  utimesSync(path, mtime, mtime);
}

/** Rewrites what a folder remembers of its last sync. */
function setMark(folder: string, mark: { readonly bootId: string; readonly syncedBeforeMs: number }): void {
  const path = join(folder, ".fanfold/facts");
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), mark }));
}

test("after a power loss, what was stored behind the last sync is repaired, and nothing before it is sent again", async () => {
  const [source, sink] = [makeTree(), memoryFolder()];
  await copy(source, [sink], { bootId: "before" });
  // Its time of change is now, behind the mark; all others lie before it by what the mark says.
  const marked = Math.max(...Object.keys(marksOf(sink)).map((path) => lstatSync(join(sink, path)).ctimeMs)) + 2_001;
  spoil(join(sink, "large"));
  expect((await copy(source, [sink], { bootId: "before" })).bytesSent).toBe(0);
  setMark(sink, { bootId: "before", syncedBeforeMs: marked });
  const summary = await copy(source, [sink], { bootId: "after" });
  expect(outcomes(summary)).toEqual(["complete"]);
  expect(summary.sinks[0]).toMatchObject({ filesUnchanged: 30, takenAsUnchanged: { files: 29 } });
  await expectEqualTrees(source, sink);
  expect((await copy(source, [sink], { bootId: "after" })).bytesSent).toBe(0);
});

test.skipIf(!smallDisksAvailable())(
  "a full disk fails its sink alone; with space again the same session goes on where it was",
  async () => {
    const source = makeTree();
    using disk = mountSmallDisk(join(tempFolder(), "disk"), 6);
    const filler = join(disk.path, "filler");
    writeFileSync(filler, Buffer.alloc(4 * MIB));
    const [folder, other] = [join(disk.path, "folder"), memoryFolder()];
    mkdirSync(folder);
    const full = await copy(source, [folder, other]);
    expect(full.sinks.map(({ outcome, code }) => [outcome, code])).toEqual([
      ["failed", "disk-full"],
      ["proven", undefined],
    ]);
    expect(full.sinks[0]?.message).toMatch(/MiB more are needed.*MiB are free/);
    writeFileSync(filler, "");
    // What both have by then is not sent again.
    expect(outcomes(await copy(source, [folder, other]))).toEqual([WHOLE, WHOLE]);
    await expectEqualTrees(source, folder);
    expect(readFileSync(filler, "utf8")).toBe("");
  },
);

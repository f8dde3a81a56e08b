import { appendFileSync, chmodSync, linkSync, lstatSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Entry, FileEntry } from "../../../src/protocol/frame/page.ts";
import type { EntryState } from "../../../src/protocol/frame/trailer.ts";
import {
  AS_LISTED,
  dataFrame,
  delivered,
  file,
  finalOf,
  HandSource,
  hardlink,
  rootEntry,
  TIME,
  unchanged,
} from "../../helpers/copies/hand-source.ts";
import { openEngine } from "../../helpers/copies/open-engine.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";

const CONTENT = Buffer.from("content");
const fileOf = (path: string, change: Partial<FileEntry> = {}): Entry =>
  ({ ...file(path, CONTENT.length), mode: 0o644, ...change }) as Entry;
const GROUP = [rootEntry, fileOf("a"), hardlink("b", 1), hardlink("c", 1)];

interface RunOptions {
  readonly sharedMax?: number;
  /** Done before the page gets its trailer. */
  readonly before?: () => void;
  /** Numbers of files whose content comes, because another sink wants it. */
  readonly sent?: readonly number[];
}

/** A whole copy; what is wanted is sent. */
function copyInto(folder: string, entries: readonly Entry[], { sharedMax = 10, before, sent = [] }: RunOptions = {}) {
  using sink = openEngine(folder, { sharedMax });
  const source = new HandSource();
  const { payload, page } = source.page(entries);
  sink.accept(payload);
  sink.accept(source.walked());
  const isSent = (index: number): boolean => sink.wants[0]?.want === "all" || sent.includes(index);
  const states: EntryState[] = entries.map(({ kind, mode, mtime }, index) => {
    if (kind !== "file") return AS_LISTED;
    if (!isSent(index)) return unchanged(CONTENT);
    const final = { ...finalOf(CONTENT), mode, mtime };
    sink.accept(dataFrame([{ entry: index, bytes: CONTENT }], [{ entry: index, final }]));
    return { ...delivered(CONTENT), final } as EntryState;
  });
  before?.();
  sink.accept(source.trailer(page, states));
  sink.accept(source.end());
  return {
    wants: sink.wants.map(({ want }) => want),
    problems: sink.problems.map(({ path, message }) => `${path}: ${message}`),
    changed: sink.engine.counts.entriesChanged,
  };
}

const look = (folder: string, name: string) => lstatSync(join(folder, name), { bigint: true });
const inodes = (folder: string, names = ["a", "b", "c"]) => new Set(names.map((name) => look(folder, name).ino));
const modes = (folder: string, ...names: string[]) => names.map((name) => Number(look(folder, name).mode) & 0o7777);

/** A folder that holds the three names of one file. */
function copied(): string {
  const folder = tempFolder();
  expect(copyInto(folder, GROUP)).toMatchObject({ wants: ["all"], problems: [] });
  expect(inodes(folder).size).toBe(1);
  return folder;
}
const PRIVATE = [rootEntry, fileOf("a", { mode: 0o600 }), ...GROUP.slice(2)];

describe("a file with several names whose metadata alone differs", () => {
  test("is set in place when all of them are the copy's, and keeps its inode", () => {
    const folder = copied();
    const before = inodes(folder);
    expect(copyInto(folder, PRIVATE)).toEqual({ wants: ["none"], problems: [], changed: 1 });
    expect(inodes(folder)).toEqual(before);
    expect(modes(folder, "a", "b", "c")).toEqual([0o600, 0o600, 0o600]);
    expect(copyInto(folder, PRIVATE)).toEqual({ wants: ["none"], problems: [], changed: 0 });
  });

  test("is set in place when names of it are new", () => {
    const folder = copied();
    const before = inodes(folder);
    copyInto(folder, [...PRIVATE, hardlink("d", 1)]);
    expect(inodes(folder, ["a", "b", "c", "d"])).toEqual(before);
    expect(modes(folder, "d")).toEqual([0o600]);
  });

  test("becomes one of its own, with all its names, when there is a name outside of the copy", () => {
    const folder = copied();
    const snapshot = join(folder, "snapshot");
    linkSync(join(folder, "a"), snapshot);
    const { ino } = lstatSync(snapshot, { bigint: true });
    expect(copyInto(folder, PRIVATE).problems).toEqual([]);
    expect(inodes(folder).size).toBe(1);
    expect(modes(folder, "a", "c", "snapshot")).toEqual([0o600, 0o600, 0o644]);
    expect(look(folder, "snapshot")).toMatchObject({ ino, nlink: 1n });
    expect(readFileSync(join(folder, "a"), "utf8")).toBe("content");
  });

  test("leaves a name that the source does not have any more as it was", () => {
    const folder = copied();
    copyInto(folder, PRIVATE.slice(0, 3));
    expect(modes(folder, "a", "b", "c")).toEqual([0o600, 0o600, 0o644]);
  });

  test("is parted as the source parts it", () => {
    const folder = copied();
    const parted = [rootEntry, fileOf("a", { mode: 0o600 }), fileOf("b", { mode: 0o640 }), hardlink("c", 1)];
    expect(copyInto(folder, parted)).toMatchObject({ wants: ["none"], problems: [] });
    expect(modes(folder, "a", "b", "c")).toEqual([0o600, 0o640, 0o600]);
    expect([inodes(folder, ["a", "c"]).size, inodes(folder, ["a", "b"]).size]).toEqual([1, 2]);
  });

  test("becomes one of its own when too many wait", () => {
    const folder = copied();
    const before = inodes(folder);
    copyInto(folder, PRIVATE, { sharedMax: 0 });
    expect(modes(folder, "a", "b", "c")).toEqual([0o600, 0o600, 0o600]);
    expect([inodes(folder).size, inodes(folder).has([...before][0] ?? 0n)]).toEqual([1, false]);
  });

  test("gets another time in place when its content is known to be equal", () => {
    const folder = copied();
    const before = inodes(folder);
    const { hash } = finalOf(CONTENT);
    const later = { hash, mtime: { seconds: 1_700_000_000, nanoseconds: 7 } };
    expect(copyInto(folder, [rootEntry, fileOf("a", later), ...GROUP.slice(2)])).toMatchObject({
      wants: ["none"],
      problems: [],
    });
    expect(inodes(folder)).toEqual(before);
    expect(look(folder, "c").mtimeNs).toBe(1_700_000_000_000_000_007n);
  });

  test("is a problem when it was written to while it waited", () => {
    const folder = copied();
    const before = (): void => appendFileSync(join(folder, "b"), "!");
    expect(copyInto(folder, PRIVATE, { before }).problems[0]).toMatch(/^a: not carried: it was changed in the sink/);
    expect(modes(folder, "a")).toEqual([0o644]);
  });

  test("is replaced when its content came for another sink", () => {
    const folder = copied();
    expect(copyInto(folder, PRIVATE, { sent: [1] })).toMatchObject({ wants: ["none"], problems: [] });
    expect(modes(folder, "a", "b", "c")).toEqual([0o600, 0o600, 0o600]);
    expect(inodes(folder).size).toBe(1);
  });

  test("parts from another entry that is one with it here", () => {
    const folder = tempFolder();
    writeFileSync(join(folder, "a"), CONTENT);
    chmodSync(join(folder, "a"), 0o777);
    linkSync(join(folder, "a"), join(folder, "b"));
    const { seconds } = TIME;
    utimesSync(join(folder, "a"), seconds + 0.123456, seconds + 0.123456);
    const two = [rootEntry, fileOf("a"), fileOf("b", { mode: 0o600 })];
    expect(copyInto(folder, two)).toMatchObject({ wants: ["none"], problems: [] });
    expect(modes(folder, "a", "b")).toEqual([0o644, 0o600]);
  });
});

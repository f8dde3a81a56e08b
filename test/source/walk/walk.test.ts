import { once } from "node:events";
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Entry, entryPath } from "../../../src/protocol/frame/page.ts";
import { decodePage } from "../../../src/protocol/frame/page-rows.ts";
import { timestampOf } from "../../../src/protocol/frame/timestamp.ts";
import { PAGE_BYTES_MAX, PAGE_ENTRIES_MAX } from "../../../src/protocol/limits.ts";
import type { WalkOutput } from "../../../src/source/walk/walk-output.ts";
import { memoryFolder, tempFolder } from "../../helpers/disks/temp-folder.ts";
import { giveToOrdinaryUser, runAsOrdinaryUser } from "../../helpers/processes/ordinary-user.ts";
import { needNative } from "../../helpers/trees/every-kind-tree.ts";
import { makeFifo } from "../../helpers/trees/special-files.ts";
import { walkTree } from "../../helpers/trees/walk-tree.ts";

interface Walked {
  readonly entries: Entry[];
  readonly pages: number[];
  readonly notices: WalkOutput[];
}

/** Walks a tree; checks on the way that its pages hang together. */
function walk(root: string, onPage: (page: number) => void = () => undefined): Walked {
  const walked: Walked = { entries: [], pages: [], notices: [] };
  for (const output of walkTree(Buffer.from(root))) {
    if (output.type !== "page") {
      walked.notices.push(output);
      continue;
    }
    const page = decodePage(output.body);
    expect([page.page, page.first, output.entries]).toEqual([
      walked.pages.length,
      walked.entries.length,
      page.entries.length,
    ]);
    expect(output.body.length).toBeLessThanOrEqual(PAGE_BYTES_MAX);
    expect(output.entries).toBeLessThanOrEqual(PAGE_ENTRIES_MAX);
    const files = page.entries.filter(({ kind }) => kind === "file").length;
    const others = output.directories + output.symlinks + output.hardlinks + output.specials;
    expect([output.files, output.files + others]).toEqual([files, output.entries]);
    walked.pages.push(output.entries);
    walked.entries.push(...page.entries);
    onPage(output.page);
  }
  return walked;
}
const paths = ({ entries }: Walked): string[] => entries.map((entry) => entryPath(entry).toString("latin1"));

function fill(root: string, names: readonly string[]): void {
  for (const name of names) {
    if (name.endsWith("/")) mkdirSync(join(root, name), { recursive: true });
    else writeFileSync(join(root, name), name);
  }
}

describe("walkTree()", () => {
  test("gives a directory before what is in it, and names in the order of their bytes", () => {
    const root = tempFolder();
    fill(root, ["b/", "a/", "a/z/", "a/z/deep", "a-file", "a/b", "a/B", "A", "ä", "b/x"]);
    expect(paths(walk(root))).toEqual([
      "",
      "A",
      "a",
      "a-file",
      "b",
      Buffer.from("ä").toString("latin1"),
      "a/B",
      "a/b",
      "a/z",
      "a/z/deep",
      "b/x",
    ]);
  });

  test("gives names of any bytes and of 255 bytes as they are", () => {
    const root = tempFolder();
    const names = [
      Buffer.from([0x01]),
      Buffer.from([0xc3]),
      Buffer.from([0xff, 0x0a]),
      Buffer.alloc(255, 0xfe),
      Buffer.from("n".repeat(255)),
    ];
    for (const name of names) writeFileSync(Buffer.concat([Buffer.from(`${root}/`), name]), "");
    const found = walk(root)
      .entries.slice(1)
      .map(({ name }) => Buffer.from(name));
    expect(found).toEqual(names.toSorted(Buffer.compare));
  });

  test("gives modes, times before and after 1970, sizes and link targets", () => {
    const root = tempFolder();
    fill(root, ["file", "dir/"]);
    symlinkSync("/some where/../else", join(root, "link"));
    chmodSync(join(root, "file"), 0o6751);
    chmodSync(join(root, "dir"), 0o2711);
    utimesSync(join(root, "file"), "-1.5", "-1.5");
    const [, dir, file, link] = walk(root).entries;
    expect(dir).toMatchObject({ kind: "directory", mode: 0o2711 });
    expect(file).toMatchObject({
      kind: "file",
      mode: 0o6751,
      size: 4,
      mtime: { seconds: -2, nanoseconds: 500_000_000 },
    });
    expect(link).toMatchObject({ kind: "symlink", target: Buffer.from("/some where/../else") });
  });

  test("tells further names, holes and FIFOs, counts sockets, and opens none of them", async () => {
    const root = tempFolder();
    fill(root, ["one", "sparse"]);
    linkSync(join(root, "one"), join(root, "two"));
    truncateSync(join(root, "sparse"), 2 ** 20);
    makeFifo(join(root, "fifo"));
    const server = createServer().listen(join(root, "socket"));
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const walked = walk(root);
    const counted = walked.notices
      .map((notice) => (notice.type === "not-carried" ? notice.what : notice.type))
      .toSorted();
    expect(counted).toEqual(["socket"]);
    const kinds = walked.entries.map((entry) => [Buffer.from(entry.name).toString(), entry.kind]);
    expect(kinds).toEqual([
      ["", "directory"],
      ["fifo", "fifo"],
      ["one", "file"],
      ["sparse", "file"],
      ["two", "hardlink"],
    ]);
    expect(walked.entries[4]).toMatchObject({ to: 2 });
    expect(walked.entries.map((entry) => entry.kind === "file" && entry.roomBytes)).toEqual([
      ...[false, false, undefined, 4096, false],
    ]);
  });

  test("makes further names of links, FIFOs and devices hard links, as those of files", () => {
    const root = tempFolder();
    symlinkSync("nowhere", join(root, "link"));
    linkSync(join(root, "link"), join(root, "other link"));
    makeFifo(join(root, "pipe"));
    linkSync(join(root, "pipe"), join(root, "a pipe"));
    const kinds = new Map<string, Entry["kind"]>([
      ["link", "symlink"],
      ["other link", "hardlink"],
      ["a pipe", "fifo"],
      ["pipe", "hardlink"],
    ]);
    if (process.getuid?.() === 0) {
      needNative().makeNode(Buffer.from(join(root, "null")), 0o020600, { major: 1, minor: 3 });
      linkSync(join(root, "null"), join(root, "same null"));
      kinds.set("null", "device").set("same null", "hardlink");
    }
    const { entries, notices } = walk(root);
    const found = new Map(entries.slice(1).map(({ kind, name }) => [Buffer.from(name).toString(), kind]));
    expect(found).toEqual(kinds);
    for (const entry of entries) {
      if (entry.kind !== "hardlink") continue;
      const first = Buffer.from(entries[entry.to]?.name ?? "").toString();
      expect(lstatSync(join(root, first)).ino).toBe(lstatSync(join(root, Buffer.from(entry.name).toString())).ino);
    }
    expect(notices).toEqual([]);
  });

  test("skips its own folder and what is in the folder of a sink, and says so", () => {
    const root = tempFolder();
    fill(root, [
      ".fanfold/",
      ".fanfold/secret",
      "sink/",
      "sink/.fanfold/",
      "sink/.fanfold/sink.db",
      "sink/copy",
      "sink/dir/",
      "sink/dir/file",
      "other",
    ]);
    const walked = walk(root);
    expect(paths(walked)).toEqual(["", "other", "sink"]);
    expect(walked.notices.map((notice) => (notice.type === "warning" ? notice.code : notice.type))).toEqual([
      "own-folder-skipped",
      "sink-folder-skipped",
    ]);
  });

  test("gives 70,000 files of one directory once each, in full pages; and none of them when it is a sink's folder", () => {
    const root = memoryFolder();
    mkdirSync(join(root, "many/.fanfold"), { recursive: true });
    const names = Array.from({ length: 70_000 }, (_, index) => `file-${index}`);
    for (const name of names) writeFileSync(join(root, "many", name), "");
    const walked = walk(join(root, "many"));
    expect(new Set(paths(walked))).toEqual(new Set(["", ...names]));
    expect(walked.entries).toHaveLength(70_001);
    expect(walked.pages.slice(0, -1).every((entries) => entries === PAGE_ENTRIES_MAX)).toBe(true);
    expect(paths(walk(root))).toEqual(["", "many"]);
  });

  test("takes a file named like the folder of a sink for a file", () => {
    const root = tempFolder();
    fill(root, ["dir/", "dir/.fanfold", "dir/file"]);
    expect(paths(walk(root))).toEqual(["", "dir", "dir/.fanfold", "dir/file"]);
  });

  test("cuts a page by its bytes when names are long", () => {
    const root = tempFolder();
    for (let index = 0; index < 600; index += 1) writeFileSync(join(root, `${index}-`.padEnd(255, "n")), "");
    const walked = walk(root);
    expect(walked.entries).toHaveLength(601);
    expect(walked.pages[0]).toBeLessThan(PAGE_ENTRIES_MAX);
    expect(walked.pages[0]).toBeGreaterThan(150);
  });

  test("gives what vanishes, or turns into something else, while it walks as problems of those entries", () => {
    const root = memoryFolder();
    fill(root, ["a/", "b/", "c/", "d/"]);
    for (let index = 0; index < 3000; index += 1) writeFileSync(join(root, `a/${index}`), "");
    fill(root, ["b/x", "c/x", "d/x"]);
    const walked = walk(root, (page) => {
      if (page !== 0) return;
      rmSync(join(root, "b"), { recursive: true });
      renameSync(join(root, "c"), join(root, "moved"));
      writeFileSync(join(root, "c"), "a file now");
      unlinkSync(join(root, "a/999"));
    });
    const problems = walked.notices.flatMap((notice) =>
      notice.type === "problem" ? [`${notice.problem.path} ${notice.problem.kind}`] : [],
    );
    expect(problems).toEqual(expect.arrayContaining(["b vanished", "c vanished"]));
    expect(paths(walked)).toContain("d/x");
  });

  test("gives a directory that may not be read as a problem, and all the rest", () => {
    const root = tempFolder();
    fill(root, ["closed/", "closed/file", "listed/", "listed/file", "open/", "open/file"]);
    giveToOrdinaryUser(join(root, "closed"), join(root, "listed"));
    chmodSync(join(root, "closed"), 0o000);
    chmodSync(join(root, "listed"), 0o400);
    const result = runAsOrdinaryUser("./walk-program.ts", [root]);
    expect(result).toEqual({
      entries: 5,
      notices: ["closed", "listed"].map((path) => ({
        type: "problem",
        problem: { path, kind: "unreadable", message: "unreadable: permission denied" },
      })),
    });
  });

  test("throws only when the root itself cannot be looked at", () => {
    expect(() => walk(join(tempFolder(), "missing"))).toThrow(/it is gone \(no such file or directory\)/);
  });
});

test.each([
  [0n, 0, 0],
  [1n, 0, 1],
  [-1n, -1, 999_999_999],
  [-1_000_000_000n, -1, 0],
  [1_500_000_000n, 1, 500_000_000],
  [-1_500_000_000n, -2, 500_000_000],
])("timestampOf(%s) never has negative nanoseconds", (ns, seconds, nanoseconds) => {
  expect(timestampOf(ns)).toEqual({ seconds, nanoseconds });
});

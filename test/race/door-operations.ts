import { closeSync, ftruncateSync, lchownSync, lstatSync, readFileSync, writeSync } from "node:fs";
import { pathKey } from "../../src/lib/disk/directories.ts";
import { loadNative } from "../../src/lib/disk/native.ts";
import { FanfoldError, systemCode } from "../../src/lib/errors.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { findEntry, linkTarget, namesIn } from "../../src/sink/disk/folder-reader.ts";
import { linkFile, linkLeaf, ownFile } from "../../src/sink/disk/link-file.ts";
import { placeLeaf } from "../../src/sink/disk/place-entry.ts";
import { isSinkFolder, openForRemoval, removeOne } from "../../src/sink/disk/removal.ts";
import type { Root } from "../../src/sink/disk/root.ts";
import { type MetadataEntry, metadataEntryOf } from "../../src/sink/metadata/metadata.ts";
import { commitOwnFile, createOwnFile, openOwnFile, removeOwnFile } from "../../src/sink/own/own-files.ts";
import { openSinkFolder } from "../../src/sink/own/sink-folder.ts";
import { CANARY, CANARY_ONLY } from "./race-lab.ts";

/** One operation of the door to the disk, in the directory `a/b/c`. */
export interface DoorOperation {
  readonly name: string;
  /** Throws what the system says; a Leak when it gave what is not in the folder. */
  readonly run: (root: Root, round: number, folder: string) => void;
}

/** What is elsewhere was read through a link. */
export class Leak extends Error {}

const bytes = (text: string): Buffer => Buffer.from(text);
const C = bytes("a/b/c");
const FILE = bytes("file");
const LONG = "f".repeat(64);

/** Directories that are swapped: every one on the way, those of our own, and one in a tree that is removed. */
export const SWAPPED = [
  "a",
  "a/b",
  "a/b/c",
  ".fanfold",
  ".fanfold/partial",
  "a/b/c/tree/inner",
  ".fanfold/partial/tree/inner",
];

/** Of `.fanfold`, with what SQLite would remove beside its database: without native calls the lock is its (docs/threat-model.md). */
export const OWN_FILES = [
  ...["lock-1", "facts", "manifest", "traits", "partial/x"],
  ...(loadNative() === undefined ? [] : ["lock-1-journal", "lock-1-wal"]),
].map((name) => `.fanfold/${name}`);

/** Where an operation that goes astray would find something. */
export const CANARY_FILES = [
  ...["a/x", "a/b/x", "a/b/c/file", "a/b/c/link", "a/b/c/made/x", "a/b/c/tree/inner/x", "a/b/c/second"],
  ...["a/b/c/extra", "a/b/c/.fanfold/x"],
  ...OWN_FILES,
  ...[".fanfold/own", ".fanfold/own.new", `.fanfold/partial/${LONG}`, ".fanfold/partial/tree/inner/x"],
];

/** What every entry has, and in each round another time. */
function named(name: string, round: number) {
  return { entry: round, directory: C, name: bytes(name), mode: 0o700, mtime: { seconds: round, nanoseconds: 0 } };
}

/** With another mode, owner and attribute in each round, too. */
function subject(kind: "file" | "directory", round: number): MetadataEntry {
  const attributes = [{ name: bytes("user.round"), value: bytes(`${round % 2}`) }];
  const mode = 0o700 + (round % 2) * 0o55;
  const owner = { uid: round % 2, gid: round % 2 };
  const entry = { ...named("file", round), mode, owner, attributes };
  return metadataEntryOf(kind === "directory" ? { ...entry, kind } : { ...entry, kind, size: 5 });
}

function put(root: Root, name: Buffer, round: number): void {
  const partial = root.partials.create(C, `${round}`);
  try {
    writeSync(partial.fd, "hello");
  } finally {
    closeSync(partial.fd);
  }
  root.commit(partial, C, name);
}

/** As a sink does at its start, and at its first success. */
function takeFolder(folder: string, round: number): void {
  try {
    using opened = openSinkFolder(folder, systemRandom);
    opened.pinSource(`${round}`);
  } catch (thrown) {
    if (!(thrown instanceof FanfoldError)) throw thrown;
    // What the system said; else it is about facts that are damaged: those of elsewhere.
    throw thrown.cause ?? new Leak(thrown.message);
  }
}

/** Reads what an open file has, and closes it. */
function checkContent(fd: number): void {
  try {
    if (readFileSync(fd, "utf8") === CANARY) throw new Leak("a file of elsewhere was read");
  } finally {
    closeSync(fd);
  }
}

function makeTree(root: Root, home: string): void {
  root.ensureDirectory(bytes(home), bytes("tree"));
  root.ensureDirectory(bytes(`${home}/tree`), bytes("inner"));
  root.ensureDirectory(bytes(`${home}/tree/inner`), bytes("deep"));
}

const DOOR: readonly DoorOperation[] = [
  { name: "open, write, rename: a file", run: (root, round) => put(root, FILE, round) },
  {
    name: "rmdir, rename: a file in the place of a directory",
    run: (root, round) => {
      root.ensureDirectory(C, bytes("made"));
      put(root, bytes("made"), round);
    },
  },
  {
    name: "unlink, mkdir: a directory in the place of a file",
    run: (root) => root.ensureDirectory(C, bytes("made")),
  },
  {
    name: "symlink, readlink, rename, utimensat: a link",
    run: (root, round) => {
      const link = { ...named("link", round), kind: "symlink", target: bytes(`t${round % 3}`) } as const;
      placeLeaf(root, link, { specials: false });
    },
  },
  {
    name: "mknod, rename, lchown, utimensat: a FIFO",
    run: (root, round) => {
      placeLeaf(root, { ...named("fifo", round), kind: "fifo" }, { specials: false });
    },
  },
  {
    name: "link, rename: a further name",
    run: (root, round) => {
      linkFile(
        root,
        { directory: C, name: FILE },
        { ...named("second", round), kind: "hardlink", to: 1 },
        () => undefined,
      );
    },
  },
  {
    name: "link, lstat, rename: a further name of a FIFO",
    run: (root, round) => {
      const to = { ...named("second fifo", round), kind: "hardlink", to: 1 } as const;
      linkLeaf(root, { ...named("fifo", round), kind: "fifo" }, to, { specials: false });
    },
  },
  {
    name: "open, rename: a file of its own",
    run: (root, round) => {
      const seen = root.look(C, FILE);
      if (seen !== undefined)
        ownFile(root, { directory: C, name: FILE }, { subject: subject("file", round), seen, id: round });
    },
  },
  {
    name: "fchown, fsetxattr, fchmod, futimens: a file",
    run: (root, round) => {
      const seen = root.look(C, FILE);
      if (seen !== undefined) root.settleFile(C, FILE, subject("file", round), seen);
    },
  },
  {
    name: "fchown, fsetxattr, fchmod, futimens: a directory",
    run: (root, round) => root.finishDirectory(C, subject("directory", round)),
  },
  {
    name: "lstat: a file",
    run: (root) => {
      if (root.look(C, FILE)?.size === CANARY.length) throw new Leak("lstat");
    },
  },
  { name: "open: a file", run: (root) => checkContent(root.openFile(C, FILE).fd) },
  {
    name: "unlink, rmdir, readdir: a tree",
    run: (root) => {
      makeTree(root, "a/b/c");
      root.remove(C, bytes("tree"));
    },
  },
  {
    name: "deletion: lstat, fchmod, unlink, rmdir, futimes",
    run: (root, round) => {
      root.forgetDirectories();
      const before = openForRemoval(root, C);
      if (isSinkFolder(root, C)) throw new Leak("lstat");
      put(root, bytes("extra"), round);
      removeOne(root, { directory: C, name: bytes("extra"), isDirectory: false });
      root.ensureDirectory(C, bytes("extra"));
      removeOne(root, { directory: C, name: bytes("extra"), isDirectory: true });
      root.setDirectory(C, before);
    },
  },
];

const OWN: readonly DoorOperation[] = [
  {
    name: ".fanfold: open, rename, unlink",
    run: (root) => {
      commitOwnFile(root, createOwnFile(root, "own.new"), { from: "own.new", to: "own" });
      const fd = openOwnFile(root, "own");
      if (fd !== undefined) checkContent(fd);
      removeOwnFile(root, "own");
    },
  },
  {
    name: ".fanfold: lock, facts, fchmod",
    run: (_root, round, folder) => takeFolder(folder, round),
  },
  {
    name: ".fanfold/partial: open, ftruncate",
    run: (root) => {
      const found = root.partials.reopen(C, LONG)?.partial ?? root.partials.create(C, LONG);
      ftruncateSync(found.fd, 200_000);
      closeSync(found.fd);
    },
  },
  {
    name: ".fanfold/partial: mkdir, readdir, unlink, rmdir",
    run: (root) => {
      // First, too: what the swapping took away for good is made again.
      root.partials.prepare(1e12, () => false);
      makeTree(root, ".fanfold/partial");
      root.partials.prepare(1e12, () => false);
    },
  },
];

const READING: readonly DoorOperation[] = [
  {
    name: "verify: lstat",
    run: (root) => {
      const found = findEntry(root, C, FILE);
      if (found?.size === CANARY.length) throw new Leak("lstat");
      // Nothing is found behind a link.
      if (found === undefined) throw Object.assign(new Error("nothing there"), { code: "ENOTDIR" });
    },
  },
  { name: "verify: open, read", run: (root) => checkContent(root.openFile(C, FILE).fd) },
  { name: "verify: readlink", run: (root) => void linkTarget(root, C, bytes("link")) },
  {
    name: "verify: readdir",
    run: (root) => {
      for (const name of namesIn(root, C)) if (pathKey(name) === CANARY_ONLY) throw new Leak("readdir");
    },
  },
];

/** Calls that take a path and follow no link at its end, where a directory of the door stands before the name. */
function callsByPath(): DoorOperation[] {
  const native = loadNative();
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  const calls: DoorOperation[] = [{ name: "lchown", run: (root) => lchownSync(root.at(C, FILE), uid, gid) }];
  if (native === undefined) return calls;
  return [
    ...calls,
    { name: "utimensat", run: (root, round) => native.setTimes(root.at(C, FILE), { seconds: round, nanoseconds: 1 }) },
    {
      name: "mknod",
      run: (root, round) => {
        root.remove(C, bytes(`fifo${round % 2}`));
        native.makeNode(root.at(C, bytes(`fifo${round % 2}`)), 0o010600);
      },
    },
    {
      name: "setxattr, removexattr",
      run: (root) => {
        try {
          native.setAttribute(root.at(C, FILE), bytes("user.a"), bytes("b"));
          native.removeAttribute(root.at(C, FILE), bytes("user.a"));
        } catch (thrown) {
          // A file system without attributes says so of every file, wherever it is.
          if (systemCode(thrown) !== "ENOTSUP" && systemCode(thrown) !== "EOPNOTSUPP") throw thrown;
        }
      },
    },
    {
      name: "lstat by path",
      run: (root) => {
        if (lstatSync(root.at(C, FILE)).size === CANARY.length) throw new Leak("lstat");
      },
    },
  ];
}

export const DOOR_OPERATIONS: readonly DoorOperation[] = [...DOOR, ...OWN, ...READING, ...callsByPath()];

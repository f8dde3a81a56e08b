import { type BigIntStats, lstatSync, opendirSync, readlinkSync } from "node:fs";
import { FanfoldError, systemCode } from "../lib/errors.ts";
import { escapeName } from "../lib/escape-name.ts";
import { LINK_TARGET_BYTES_MAX, PAGE_BYTES_MAX, PAGE_ENTRIES_MAX, PATH_BYTES_MAX } from "../protocol/limits.ts";
import { type Entry, encodePage, entryBytesBound, type Timestamp } from "../protocol/page.ts";
import type { Problem } from "../protocol/progress.ts";
import { isOwnFolder, joinPath, OWN_FOLDER } from "../protocol/relative-path.ts";

import { PathStack } from "./path-stack.ts";

/*
 * The walk, depth first:
 *
 *   emit the root; push it on the stack
 *   while the stack is not empty: pop a directory
 *     read its names in runs of at most NAMES_SORTED_MAX, sort each run by bytes
 *     lstat each name; emit its entry; remember it when it is a directory
 *     push the run's directories in reverse order
 *
 * So a directory stands before what is in it, the entries of one directory stand together, and nothing holds more than the
 * names of one run and the directories still to come. The calls are synchronous: the walk has a thread of its own.
 */

/** Names of one directory that are held and sorted at once; a larger directory is sorted in runs of this many. */
const NAMES_SORTED_MAX = 65_536;

export interface WalkedPage {
  readonly type: "page";
  readonly page: number;
  readonly first: number;
  readonly entries: number;
  readonly files: number;
  readonly directories: number;
  readonly symlinks: number;
  /** Sum of the sizes of its files, in bytes. */
  readonly bytes: number;
  readonly body: Uint8Array;
}
export type WalkOutput =
  | WalkedPage
  | { readonly type: "problem"; readonly problem: Problem }
  /** An entry of a kind that is skipped, or carried as something simpler. */
  | { readonly type: "not-carried"; readonly what: string }
  | { readonly type: "warning"; readonly code: string; readonly message: string };

/** Walks `root` (absolute path, bytes). Problems of single entries are part of the output; it throws only for the root. */
export function* walkTree(root: Buffer): Generator<WalkOutput, void, undefined> {
  const walk = new Walk(root);
  yield* walk.run();
}

class Walk {
  readonly #root: Buffer;
  #entries: Entry[] = [];
  #bytesBound = 0;
  #page = 0;
  #first = 0;

  constructor(root: Buffer) {
    this.#root = root;
  }

  *run(): Generator<WalkOutput, void, undefined> {
    const stats = lstatSync(this.#root, { bigint: true });
    const empty = Buffer.alloc(0);
    yield* this.#add({ kind: "directory", entry: 0, directory: empty, name: empty, ...modeAndTime(stats) });
    using stack = new PathStack();
    stack.push(empty);
    for (let directory = stack.pop(); directory !== undefined; directory = stack.pop())
      yield* this.#directory(directory, stack);
    yield* this.#flush();
  }

  *#directory(directory: Buffer, stack: PathStack): Generator<WalkOutput, void, undefined> {
    try {
      // Asked before any name is given: in a large directory it might turn up only in a later run.
      if (directory.length > 0 && isDirectory(this.#absolute(joinPath(directory, Buffer.from(OWN_FOLDER))))) {
        const what = escapeName(directory);
        yield {
          type: "warning",
          code: "sink-folder-skipped",
          message: `Skipped what is in "${what}": it is a folder of a sink (it holds .fanfold)`,
        };
        return;
      }
      for (const names of readNames(this.#absolute(directory))) {
        const inner: Buffer[] = [];
        for (const name of names) yield* this.#name(directory, name, inner);
        for (const path of inner.reverse()) stack.push(path);
      }
    } catch (thrown) {
      // Ours is the temporary file of the stack: without it directories would be left out.
      if (thrown instanceof FanfoldError) throw thrown;
      yield problem(directory, thrown);
    }
  }

  *#name(directory: Buffer, name: Buffer, inner: Buffer[]): Generator<WalkOutput, void, undefined> {
    if (directory.length === 0 && isOwnFolder(name)) {
      yield {
        type: "warning",
        code: "own-folder-skipped",
        message: "Skipped .fanfold in the source's root: it belongs to fanfold",
      };
      return;
    }
    const path = joinPath(directory, name);
    try {
      if (path.length > PATH_BYTES_MAX)
        throw Object.assign(new Error("the path is too long"), { code: "ENAMETOOLONG" });
      const stats = lstatSync(this.#absolute(path), { bigint: true });
      const base = { entry: this.#first + this.#entries.length, directory, name, ...modeAndTime(stats) };
      if (stats.isFile()) {
        yield* simplified(stats);
        yield* this.#add({ ...base, kind: "file", mode: base.mode & 0o1777, size: Number(stats.size) });
      } else if (stats.isDirectory()) {
        yield* this.#add({ ...base, kind: "directory" });
        inner.push(path);
      } else if (stats.isSymbolicLink()) {
        const target = readlinkSync(this.#absolute(path), { encoding: "buffer" });
        if (target.length > LINK_TARGET_BYTES_MAX)
          throw Object.assign(new Error("the link target is too long"), { code: "ENAMETOOLONG" });
        yield* this.#add({ ...base, kind: "symlink", target });
      } else {
        yield { type: "not-carried", what: specialKind(stats) };
      }
    } catch (thrown) {
      yield problem(path, thrown);
    }
  }

  *#add(entry: Entry): Generator<WalkOutput, void, undefined> {
    const bound = entryBytesBound(entry);
    if (this.#entries.length >= PAGE_ENTRIES_MAX || this.#bytesBound + bound > PAGE_BYTES_MAX) yield* this.#flush();
    this.#entries.push({ ...entry, entry: this.#first + this.#entries.length });
    this.#bytesBound += bound;
  }

  *#flush(): Generator<WalkOutput, void, undefined> {
    if (this.#entries.length === 0) return;
    const page = { page: this.#page, first: this.#first, entries: this.#entries };
    const counts = { files: 0, directories: 0, symlinks: 0, bytes: 0 };
    for (const entry of this.#entries) {
      if (entry.kind === "directory") counts.directories += 1;
      else if (entry.kind === "symlink") counts.symlinks += 1;
      else {
        counts.files += 1;
        counts.bytes += entry.size;
      }
    }
    yield {
      type: "page",
      page: page.page,
      first: page.first,
      entries: page.entries.length,
      ...counts,
      body: encodePage(page),
    };
    this.#page += 1;
    this.#first += this.#entries.length;
    this.#entries = [];
    this.#bytesBound = 32;
  }

  #absolute(path: Buffer): Buffer {
    return joinPath(this.#root, path.length === 0 ? Buffer.from(".") : path);
  }
}

function isDirectory(path: Buffer): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch {
    // What may not be looked at is told when its name comes up.
    return false;
  }
}

/** Names in a directory in sorted runs. */
function* readNames(path: Buffer): Generator<Buffer[], void, undefined> {
  // The types know only the string form of opendir's names; with `encoding: "buffer"` they are Buffers (proven by a test).
  const directory = opendirSync(path as unknown as string, { encoding: "buffer" as BufferEncoding, bufferSize: 1024 });
  try {
    let names: Buffer[] = [];
    for (let dirent = directory.readSync(); dirent !== null; dirent = directory.readSync()) {
      names.push(dirent.name as unknown as Buffer);
      if (names.length === NAMES_SORTED_MAX) {
        yield names.sort(Buffer.compare);
        names = [];
      }
    }
    yield names.sort(Buffer.compare);
  } finally {
    directory.closeSync();
  }
}

function modeAndTime(stats: BigIntStats): { mode: number; mtime: Timestamp } {
  return { mode: Number(stats.mode) & 0o7777, mtime: timestampOf(stats.mtimeNs) };
}

/** Splits nanoseconds since 1970, rounding seconds down, so that nanoseconds are never negative. */
export function timestampOf(ns: bigint): Timestamp {
  const nanoseconds = ((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  return { seconds: Number((ns - nanoseconds) / 1_000_000_000n), nanoseconds: Number(nanoseconds) };
}

/** What of a regular file is not carried as it is, so that it can be counted. */
function* simplified(stats: BigIntStats): Generator<WalkOutput, void, undefined> {
  if (stats.nlink > 1n) yield { type: "not-carried", what: "hard-link-copied" };
  if (stats.size > 0n && stats.blocks * 512n < stats.size) yield { type: "not-carried", what: "sparse-filled" };
  if ((stats.mode & 0o6000n) !== 0n) yield { type: "not-carried", what: "setuid-cleared" };
}

function specialKind(stats: BigIntStats): string {
  if (stats.isFIFO()) return "fifo";
  if (stats.isSocket()) return "socket";
  return "device";
}

function problem(path: Uint8Array, thrown: unknown): WalkOutput {
  return { type: "problem", problem: problemOf(path, thrown) };
}

/** Says why one entry could not be read. */
export function problemOf(path: Uint8Array, thrown: unknown): Problem {
  const code = systemCode(thrown) ?? "";
  const kind = KINDS[code] ?? "unreadable";
  const words = REASONS[code] ?? FanfoldError.from(thrown).message;
  return { path: path.length === 0 ? "." : escapeName(path), kind, message: `${kind}: ${words}` };
}

/** Code of what is a file in its page, and something else when it is read. */
export const REPLACED = "REPLACED";

const KINDS: Readonly<Record<string, string>> = {
  ENOENT: "vanished",
  ENOTDIR: "vanished",
  ENAMETOOLONG: "name-too-long",
  ELOOP: "changed",
  [REPLACED]: "changed",
};
const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  ENOENT: "no such file or directory",
  ENOTDIR: "a parent is no directory any more",
  ELOOP: "a symbolic link took its place",
  [REPLACED]: "something else took its place",
  EIO: "input/output error",
  ENAMETOOLONG: "path or link target too long",
};

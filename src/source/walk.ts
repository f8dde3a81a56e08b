import { type BigIntStats, lstatSync, readlinkSync } from "node:fs";
import { splitDevice } from "../lib/device-numbers.ts";
import { FanfoldError } from "../lib/errors.ts";
import { escapeName } from "../lib/escape-name.ts";
import { isSparse } from "../lib/file-pieces.ts";
import { loadNative } from "../lib/native.ts";
import { PathStack } from "../lib/path-stack.ts";
import { LINK_TARGET_BYTES_MAX, PATH_BYTES_MAX } from "../protocol/limits.ts";
import type { Entry, FileEntry, Timestamp } from "../protocol/page.ts";
import type { Problem } from "../protocol/progress.ts";
import { isOwnFolder, joinPath, OWN_FOLDER } from "../protocol/relative-path.ts";
import { EntryOwners } from "./entry-owners.ts";
import { HardLinks } from "./hard-links.ts";
import { hashFile } from "./hash-file.ts";
import { IGNORE_FILE } from "./ignore-file.ts";
import { leadsOut } from "./link-policy.ts";
import { PageMaker, type WalkedPage } from "./page-maker.ts";
import { readAttributes } from "./read-attributes.ts";
import { readNames } from "./read-names.ts";
import { RootGuard } from "./root-guard.ts";
import { checkSize, problemOf, replaced, tooLong } from "./source-problem.ts";
import type { TreeScope } from "./tree-scope.ts";
import { type WalkedScope, WalkScope } from "./walk-scope.ts";

/*
 * The walk, depth first:
 *
 *   emit the root; push it on the stack
 *   while the stack is not empty: pop a directory
 *     read its names in runs of at most NAMES_SORTED_MAX, sort each run by bytes
 *     lstat each name; emit its entry; remember it when it is a directory
 *     push its directories, the last one first
 *
 * So a directory stands before what is in it, the entries of one directory stand together, and those of its directories follow
 * in their order, each with all that is below it: sinks rely on it [P-4.3]. Nothing holds more than the names of one run and the
 * directories still to come. The calls are synchronous: the walk has a thread of its own.
 */

const SLASH = 0x2f;
const EMPTY = Buffer.alloc(0);

type Place = Pick<FileEntry, "directory" | "name">;
type Base = Omit<FileEntry, "kind" | "size" | "hash" | "sparse">;
/** Unit of `st_blocks`, on every system. */
const BLOCK_BYTES = 512n;

export type { WalkedPage };
export type WalkOutput =
  | WalkedPage
  | WalkedScope
  | { readonly type: "problem"; readonly problem: Problem }
  /** Entries of a kind that is skipped, or carried as something simpler; one when there is no count. */
  | { readonly type: "not-carried"; readonly what: string; readonly count?: number }
  | { readonly type: "warning"; readonly code: string; readonly message: string };

/** All of `root` (absolute path, bytes), walked once. */
export function* walkTree(root: Buffer, options: TreeScope = {}): Generator<WalkOutput, void, undefined> {
  yield* new TreeWalk(root, options).run();
}

/**
 * Gives the pages of a tree, and afterwards those of files to be read again. Problems of single entries are part of the output.
 *
 * @throws FanfoldError when the root itself cannot be looked at, or is not the same any more
 */
export class TreeWalk {
  readonly #root: Buffer;
  readonly #options: TreeScope;
  readonly #guard: RootGuard;
  readonly #pages: PageMaker;
  readonly #links = new HardLinks();
  readonly #owners = new EntryOwners();
  readonly #native = loadNative();
  readonly #scope: WalkScope;
  /** The file system of the root, when others are not to be looked into. */
  #device: bigint | undefined;

  constructor(root: Buffer, options: TreeScope = {}) {
    this.#root = root;
    this.#options = options;
    this.#pages = new PageMaker(options.keeps);
    this.#guard = new RootGuard(root, options.identity);
    this.#scope = new WalkScope(options.filters ?? [], options.deletes === true);
  }

  *run(): Generator<WalkOutput, void, undefined> {
    const stats = this.#guard.check();
    if (this.#options.oneFileSystem === true) this.#device = stats.dev;
    const base = yield* this.#base(EMPTY, stats, { directory: EMPTY, name: EMPTY });
    yield* this.#add({ kind: "directory", ...base });
    using stack = new PathStack();
    stack.push(EMPTY);
    for (let directory = stack.pop(); directory !== undefined; directory = stack.pop())
      yield* this.#directory(directory, stack);
    yield* this.#flush();
    yield* this.#scope.take(true);
    // An unmounted directory reads as an empty one: what was found is all there is only if it is still there.
    this.#guard.check();
  }

  /** Files that changed while they were read, as they are now: in pages of their own, behind those of the walk. */
  *again(paths: PathStack): Generator<WalkOutput, void, undefined> {
    for (let path = paths.pop(); path !== undefined; path = paths.pop()) {
      try {
        const stats = lstatSync(this.#absolute(path), { bigint: true });
        if (!stats.isFile()) throw replaced();
        const slash = path.lastIndexOf(SLASH);
        const place = { directory: path.subarray(0, Math.max(0, slash)), name: path.subarray(slash + 1) };
        yield* this.#add(this.#file(path, stats, yield* this.#base(path, stats, place)));
      } catch (thrown) {
        yield this.#problem(path, thrown);
      }
    }
    yield* this.#flush();
  }

  *#directory(directory: Buffer, stack: PathStack): Generator<WalkOutput, void, undefined> {
    using inner = new PathStack();
    try {
      // Asked before any name is given: in a large directory it might turn up only in a later run.
      if (directory.length > 0 && isDirectory(this.#absolute(joinPath(directory, Buffer.from(OWN_FOLDER))))) {
        const message = `Skipped what is in "${escapeName(directory)}": it is a folder of a sink (it holds .fanfold)`;
        yield { type: "warning", code: "sink-folder-skipped", message };
        this.#scope.spare(directory);
        return;
      }
      if (!(yield* this.#enter(directory))) return;
      for (const names of readNames(this.#absolute(directory)))
        for (const name of names) yield* this.#name(directory, name, inner);
    } catch (thrown) {
      yield this.#problem(directory, thrown);
    }
    // However far it was read.
    for (let path = inner.pop(); path !== undefined; path = inner.pop()) stack.push(path);
  }

  /** False when its own rules cannot be used: rather nothing of it is carried than what they were to leave out. */
  *#enter(directory: Buffer): Generator<WalkOutput, boolean, undefined> {
    try {
      this.#scope.enter(directory, this.#absolute(directory));
      yield* this.#scope.take();
      return true;
    } catch (thrown) {
      if (!(thrown instanceof FanfoldError) || thrown.code !== "usage") throw thrown;
      const path = escapeName(joinPath(directory, Buffer.from(IGNORE_FILE)));
      const message = `ignore-file: ${thrown.message}; nothing in its directory is carried`;
      yield { type: "problem", problem: { path, kind: "ignore-file", message } };
      return false;
    }
  }

  *#name(directory: Buffer, name: Buffer, inner: PathStack): Generator<WalkOutput, void, undefined> {
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
      if (path.length > PATH_BYTES_MAX) throw tooLong("path");
      const stats = lstatSync(this.#absolute(path), { bigint: true });
      if (this.#scope.excludes(path, stats.isDirectory())) return;
      if (stats.isSocket()) {
        yield this.#spared(path, "socket");
        return;
      }
      const { links = "keep" } = this.#options;
      if (stats.isSymbolicLink() && links === "skip") {
        yield this.#spared(path, "link-skipped");
        return;
      }
      const base = yield* this.#base(path, stats, { directory, name });
      if (stats.isFile()) {
        yield* this.#fileOrLink(path, stats, base);
      } else if (stats.isDirectory()) {
        yield* this.#add({ ...base, kind: "directory" });
        if (this.#device === undefined || stats.dev === this.#device) inner.push(path);
        else yield this.#spared(path, "other-file-system");
      } else if (stats.isSymbolicLink()) {
        const target = readlinkSync(this.#absolute(path), { encoding: "buffer" });
        if (target.length > LINK_TARGET_BYTES_MAX) throw tooLong("link target");
        if (links === "safe" && leadsOut(directory, target)) yield this.#spared(path, "link-leads-out");
        else yield* this.#leaf(stats, { ...base, kind: "symlink", target });
      } else if (stats.isFIFO()) {
        yield* this.#leaf(stats, { ...base, kind: "fifo" });
      } else {
        yield* this.#leaf(stats, {
          ...base,
          kind: "device",
          character: stats.isCharacterDevice(),
          ...splitDevice(stats.rdev),
        });
      }
    } catch (thrown) {
      yield this.#problem(path, thrown);
    }
  }

  /** Counted as not carried; a sink keeps what it has there. */
  #spared(path: Buffer, what: string): WalkOutput {
    this.#scope.spare(path);
    return { type: "not-carried", what };
  }

  /** What every entry has; its number is given when it gets into a page. */
  *#base(path: Buffer, stats: BigIntStats, place: Place): Generator<WalkOutput, Base, undefined> {
    const { attributes, problem } = readAttributes(this.#native, this.#absolute(path));
    if (problem !== undefined) yield { type: "not-carried", what: problem };
    const owner = this.#options.owner === false ? undefined : this.#owners.ownerOf(stats);
    return { entry: 0, ...place, ...modeAndTime(stats), owner, attributes };
  }

  *#fileOrLink(path: Buffer, stats: BigIntStats, base: Base): Generator<WalkOutput, void, undefined> {
    checkSize(stats.size);
    const first = this.#links.firstOf(stats);
    if (first !== undefined) {
      yield* this.#add({ ...base, kind: "hardlink", to: first });
      return;
    }
    if (!this.#links.hold(stats, this.#pages.nextEntry)) yield { type: "not-carried", what: "hard-link-copied" };
    yield* this.#add(this.#file(path, stats, base));
  }

  /** What is no file, and whose further names therefore become entries of their own. */
  *#leaf(stats: BigIntStats, entry: Entry): Generator<WalkOutput, void, undefined> {
    if (stats.nlink > 1n) yield { type: "not-carried", what: "hard-link-copied" };
    yield* this.#add(entry);
  }

  #file(path: Buffer, stats: BigIntStats, base: Base): FileEntry {
    const hash = this.#options.checksum === true ? hashFile(this.#absolute(path), stats) : undefined;
    return {
      ...{ kind: "file", ...base, size: Number(stats.size) },
      ...(isSparse(stats) ? { roomBytes: Number(stats.blocks * BLOCK_BYTES) } : {}),
      ...(hash === undefined ? {} : { hash }),
    };
  }

  *#add(entry: Entry): Generator<WalkOutput, void, undefined> {
    const full = this.#pages.add(entry);
    if (full !== undefined) yield full;
  }

  *#flush(): Generator<WalkOutput, void, undefined> {
    const last = this.#pages.flush();
    if (last !== undefined) yield last;
    const excluded = this.#scope.takeExcluded();
    if (excluded > 0) yield { type: "not-carried", what: "excluded", count: excluded };
  }

  /** @throws FanfoldError when it is not the entry's own: the root is gone, or the temporary file of the stack failed */
  #problem(path: Buffer, thrown: unknown): WalkOutput {
    if (thrown instanceof FanfoldError) throw thrown;
    this.#guard.check();
    return { type: "problem", problem: problemOf(path, thrown) };
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

function modeAndTime(stats: BigIntStats): { mode: number; mtime: Timestamp } {
  return { mode: Number(stats.mode) & 0o7777, mtime: timestampOf(stats.mtimeNs) };
}

/** Splits nanoseconds since 1970, rounding seconds down, so that nanoseconds are never negative. */
export function timestampOf(ns: bigint): Timestamp {
  const nanoseconds = ((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  return { seconds: Number((ns - nanoseconds) / 1_000_000_000n), nanoseconds: Number(nanoseconds) };
}

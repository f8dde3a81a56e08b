import { PathStack } from "../../lib/disk/path-stack.ts";
import { FanfoldError, systemCode } from "../../lib/errors.ts";
import { PATH_BYTES_MAX } from "../../protocol/limits.ts";
import { TreeFilter } from "../../protocol/names/filter.ts";
import { isOwnFolder, joinPath, nameOf, parentOf } from "../../protocol/names/relative-path.ts";
import { isFatal } from "../disk/entry-problem.ts";
import { findEntry, namesIn } from "../disk/folder-reader.ts";
import { type DirectoryState, hasOtherSpelling, isMountPoint, isSinkFolder, openToLook } from "../disk/removal.ts";
import type { Root } from "../disk/root.ts";
import type { ScopeStore } from "../stream/scope-store.ts";
import { LISTED, type PathSet, SPARED } from "./path-set.ts";

/*
 * What a sink's folder holds and its source has not. The folder is gone through as by the source's walk: with a stack
 * of directories, and each one's names as the system gives them. Only the top of the stack and the directories around
 * the present one are in memory.
 *
 *   a name that stands in a page        stays; a directory whose entries all do is looked into
 *   one that rules of the source name   stays, with all that is in it
 *   any other                           is extra, and so is all that is in it, but for what rules name
 */

/** An entry of the folder that is in no page. A directory comes after what is in it, and only if all of that may go. */
export interface ExtraEntry {
  readonly directory: Buffer;
  readonly name: Buffer;
  readonly isDirectory: boolean;
}

export interface ExtraVisitor {
  /** False when it stays: then the directories around it do, too. */
  extra(entry: ExtraEntry): boolean;
  /** Nothing more comes of this directory. `stays`: it was not given as an extra entry that went. */
  left?(directory: Buffer): void;
  /** A directory could not be looked into. */
  unreadable?(directory: Buffer, thrown: unknown): void;
}

/** What a deletion leaves alone, and how much it may take. */
export type DeletionScope = Pick<ScopeStore, "limit" | "groups" | "sparedPaths" | "rulesOf"> & {
  spared(): Iterable<Uint8Array>;
};

interface ExtraOptions {
  readonly root: Root;
  readonly known: PathSet;
  readonly scope: DeletionScope;
  /** Whether directories that their owner may not look into are opened to him meanwhile. */
  readonly opens: boolean;
  /** Called now and then. */
  readonly onBusy: () => void;
}

interface Level {
  readonly path: Buffer;
  readonly isExtra: boolean;
  /** Something in it stays. */
  isKept: boolean;
  /** Names in it that differ in case were seen to be two. */
  isExact: boolean;
  /** What it was before it was opened to its owner. */
  before?: DirectoryState | undefined;
}

/** What matching may cost: a fixed part, and a part for each name. A source may have written slow patterns on purpose. */
const EFFORT = 50_000_000;
const EFFORT_EACH = 1_000_000;
const BUSY_EACH = 4096;
const SLASH = 0x2f;
const OF_PAGES = Buffer.from([0]);
const EXTRA = Buffer.from([1]);

/**
 * Goes through the whole folder once. Returns how many of its names are in no page, those included that stay.
 *
 * @throws FanfoldError `damaged` for rules that no source needs; system errors that concern more than one entry
 */
export function visitExtras(options: ExtraOptions, visitor: ExtraVisitor): number {
  return new ExtraVisit(options, visitor).run();
}

class ExtraVisit {
  readonly #options: ExtraOptions;
  readonly #visitor: ExtraVisitor;
  readonly #effort = { left: EFFORT };
  readonly #filter: TreeFilter;
  /** The directories around what is looked at, the root first. */
  readonly #levels: Level[] = [];
  #unknown = 0;

  constructor(options: ExtraOptions, visitor: ExtraVisitor) {
    this.#options = options;
    this.#visitor = visitor;
    this.#filter = new TreeFilter(options.scope.groups, this.#effort);
  }

  run(): number {
    // What is opened may have been moved out of the folder since: nothing is deleted there.
    this.#options.root.forgetDirectories();
    using pending = new PathStack();
    pending.push(OF_PAGES);
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const path = next.subarray(1);
      while (!isAround(this.#levels.at(-1)?.path, path)) this.#leave();
      this.#directory({ path, isExtra: next[0] === EXTRA[0], isKept: false, isExact: false }, pending);
    }
    while (this.#levels.length > 0) this.#leave();
    return this.#unknown;
  }

  #directory(level: Level, pending: PathStack): void {
    const { root, scope, opens } = this.#options;
    const { path } = level;
    this.#levels.push(level);
    try {
      if (opens) level.before = openToLook(root, path);
      if (path.length > 0 && (isSinkFolder(root, path) || (level.isExtra && isMountPoint(root, path)))) {
        level.isKept = true;
        return;
      }
      this.#enter(path, scope);
      for (const name of namesIn(root, path)) this.#name(level, name, pending);
    } catch (thrown) {
      if (isFatal(thrown)) throw thrown;
      level.isKept = true;
      if (!GONE.has(systemCode(thrown) ?? "")) this.#visitor.unreadable?.(path, thrown);
    }
  }

  /** Gives it back the mode that keeps its owner out. */
  #shut({ path, before }: Level): void {
    if (before === undefined) return;
    try {
      this.#options.root.setDirectory(path, before);
    } catch (thrown) {
      if (isFatal(thrown)) throw thrown;
      if (!GONE.has(systemCode(thrown) ?? "")) this.#visitor.unreadable?.(path, thrown);
    }
  }

  #enter(path: Buffer, scope: DeletionScope): void {
    try {
      this.#filter.enter(path, scope.rulesOf(path));
    } catch (thrown) {
      throw new FanfoldError("damaged", `cannot take the source's rules: ${FanfoldError.from(thrown).message}`);
    }
  }

  #name(level: Level, name: Buffer, pending: PathStack): void {
    const { root, known, onBusy } = this.#options;
    const { path: directory } = level;
    if (directory.length === 0 && isOwnFolder(name)) return;
    const path = joinPath(directory, name);
    const flags = known.flagsOf(path);
    if (flags !== 0) {
      // An entry that is in a page stays. When it stands in a directory that is in no page, that directory stays, too.
      level.isKept = true;
      if ((flags & LISTED) !== 0 && (flags & SPARED) === 0) pending.push(Buffer.concat([OF_PAGES, path]));
      return;
    }
    this.#unknown += 1;
    if (this.#unknown % BUSY_EACH === 0) onBusy();
    this.#effort.left += EFFORT_EACH;
    const found = findEntry(root, directory, name);
    if (found === undefined) return;
    const isDirectory = found.kind === "directory";
    const stays =
      path.length > PATH_BYTES_MAX || this.#filter.excludes(path, isDirectory) || this.#hasOtherName(level, name);
    if (!stays && isDirectory) pending.push(Buffer.concat([EXTRA, path]));
    else if (stays || !this.#visitor.extra({ directory, name, isDirectory })) level.isKept = true;
  }

  /** Asks for each name only where names may be one. A directory says so, or not, for all in ASCII at once. */
  #hasOtherName(level: Level, name: Buffer): boolean {
    if (level.isExact && name.every((byte) => byte < 0x80)) return false;
    const has = hasOtherSpelling(this.#options.root, level.path, name);
    if (has === false) level.isExact = true;
    return has === true;
  }

  /** The innermost directory was gone through, with all that is below it. */
  #leave(): void {
    const level = this.#levels.pop();
    if (level === undefined) return;
    const { path, isExtra } = level;
    this.#visitor.left?.(path);
    this.#shut(level);
    const [directory, name] = [Buffer.from(parentOf(path)), Buffer.from(nameOf(path))];
    const goes = isExtra && !level.isKept && this.#visitor.extra({ directory, name, isDirectory: true });
    const around = this.#levels.at(-1);
    if (!goes && around !== undefined) around.isKept = true;
  }
}

/** What a system call says of a directory that is none any more. */
const GONE: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "ELOOP"]);

/** Whether a path is below this directory. The root is below nothing. */
function isAround(directory: Buffer | undefined, path: Buffer): boolean {
  if (directory === undefined || directory.length === 0) return true;
  return path[directory.length] === SLASH && path.subarray(0, directory.length).equals(directory);
}

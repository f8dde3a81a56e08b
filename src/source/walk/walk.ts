import { splitDevice } from "../../lib/disk/device-numbers.ts";
import { type Directory, joined } from "../../lib/disk/directories.ts";
import { type EntryStats, STAT_BLOCK_BYTES } from "../../lib/disk/entry-stats.ts";
import { isSparse } from "../../lib/disk/file-pieces.ts";
import type { TraitSource } from "../../lib/disk/file-traits.ts";
import { NameList } from "../../lib/disk/name-list.ts";
import { PathStack } from "../../lib/disk/path-stack.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { escapeName } from "../../lib/escape-name.ts";
import type { Entry, FileEntry } from "../../protocol/frame/page.ts";
import { isTellable, timestampOf } from "../../protocol/frame/timestamp.ts";
import { LINK_TARGET_BYTES_MAX, NAME_BYTES_MAX, PATH_BYTES_MAX } from "../../protocol/limits.ts";
import { isOwnFolder, joinPath, OWN_FOLDER } from "../../protocol/names/relative-path.ts";
import { checkSize, problemOf, replaced, tooLong } from "../disk/source-problem.ts";
import { TreeFolder } from "../disk/tree-folder.ts";
import { hashFile } from "../read/hash-file.ts";
import { EntryOwners } from "./entry-owners.ts";
import { FoundFile } from "./found-file.ts";
import { HardLinks } from "./hard-links.ts";
import { IGNORE_FILE } from "./ignore-file.ts";
import { leadsOut } from "./link-policy.ts";
import { PageMaker } from "./page-maker.ts";
import { sortedNames } from "./read-names.ts";
import type { TreeScope } from "./tree-scope.ts";
import { notCarried, type WalkOutput } from "./walk-output.ts";
import { WalkScope } from "./walk-scope.ts";

/*
 * The walk, depth first:
 *
 *   emit the root; push it on the stack
 *   while the stack is not empty: pop a directory, and open it
 *     read its names, and sort them by bytes
 *     lstat each name; emit its entry; remember it when it is a directory
 *     push its directories, the last one first
 *
 * So a directory stands before its entries, and the entries of one directory stand together. Its directories follow in
 * their order, each with everything below it. Sinks rely on it [P-4.3]. Nothing holds more than NAMES_SORTED_MAX names and
 * the directories still to come. The calls are synchronous: the walk has a thread of its own.
 */

const SLASH = 0x2f;
const EMPTY = Buffer.alloc(0);
const OWN_NAME = Buffer.from(OWN_FOLDER);
const IGNORE_NAME = Buffer.from(IGNORE_FILE);

type EntryLocation = Pick<FileEntry, "directory" | "name">;
type Base = Omit<FileEntry, "kind" | "size" | "hash" | "sparse">;
type MetadataStats = Pick<EntryStats, "mode" | "mtimeNs" | "uid" | "gid">;

/**
 * Gives the pages of a tree, and afterwards those of files to be read again. Problems of single entries are part of the output.
 *
 * @throws FanfoldError when the root itself cannot be looked at, or is not the same any more
 */
export class TreeWalk implements Disposable {
  readonly #options: TreeScope;
  readonly #folder: TreeFolder;
  readonly #pages: PageMaker;
  readonly #links = new HardLinks();
  readonly #owners = new EntryOwners();
  readonly #scope: WalkScope;
  /** Of the directory that is gone through. */
  readonly #names = new NameList();
  readonly #plainFile = new FoundFile(this.#names.taken);
  /** What there is to give that was not given yet. */
  #outputs: WalkOutput[] = [];
  /** The file system of the root, when others are not to be looked into. */
  #device: bigint | undefined;

  /** Closes `folder` in the end. */
  constructor(root: Buffer, options: TreeScope = {}, folder = TreeFolder.open(root, { identity: options.identity })) {
    this.#options = options;
    this.#pages = new PageMaker(options.keeps);
    this.#folder = folder;
    this.#scope = new WalkScope(options.filters ?? [], options.deletes === true);
  }

  *run(): Generator<WalkOutput, void, undefined> {
    const stats = this.#folder.check();
    if (this.#options.oneFileSystem === true) this.#device = stats.dev;
    const base = this.#base(this.#folder.directory(EMPTY), stats, { directory: EMPTY, name: EMPTY });
    this.#add({ kind: "directory", ...base });
    yield* this.#take();
    using stack = new PathStack();
    stack.push(EMPTY);
    for (let directory = stack.pop(); directory !== undefined; directory = stack.pop())
      yield* this.#directory(directory, stack);
    this.#flush();
    yield* this.#take();
    yield* this.#scope.take(true);
    // An unmounted directory reads as an empty one: what was found is all there is only if it is still there.
    this.#folder.check();
  }

  /** Files that changed while they were read, as they are now: in pages of their own, behind those of the walk. */
  *again(paths: PathStack): Generator<WalkOutput, void, undefined> {
    for (let path = paths.pop(); path !== undefined; path = paths.pop()) {
      try {
        const slash = path.lastIndexOf(SLASH);
        const place = { directory: path.subarray(0, Math.max(0, slash)), name: path.subarray(slash + 1) };
        this.#folder.lookAnew();
        const directory = this.#folder.directory(place.directory);
        const stats = this.#folder.look(directory, place.name);
        if (!stats.isFile()) throw replaced();
        this.#add(this.#file(directory, stats, this.#base(directory, stats, place)), stats);
      } catch (thrown) {
        this.#problem(path, thrown);
      }
      yield* this.#take();
    }
    this.#flush();
    yield* this.#take();
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }

  *#directory(path: Buffer, stack: PathStack): Generator<WalkOutput, void, undefined> {
    using inner = new PathStack();
    try {
      const directory = this.#folder.directory(path);
      let isEntered = false;
      for (const { names, isAll } of sortedNames(this.#folder.names(directory, this.#names), this.#names)) {
        // In a large directory it may be among the names that come later.
        const mayBeSink = path.length > 0 && (!isAll || names.has(OWN_NAME));
        // Asked before any name is given.
        isEntered ||= yield* this.#enter(path, directory, mayBeSink);
        if (!isEntered) return;
        yield* this.#listed(path, directory, inner);
      }
    } catch (thrown) {
      this.#problem(path, thrown);
      yield* this.#take();
    }
    // However far it was read.
    for (let each = inner.pop(); each !== undefined; each = inner.pop()) stack.push(each);
  }

  /** All that stands under the names that are held. */
  *#listed(path: Buffer, directory: Directory, inner: PathStack): Generator<WalkOutput, void, undefined> {
    const names = this.#names;
    for (let index = 0; index < names.count; index += 1) {
      if (!this.#plain(directory, path, index))
        this.#name(directory, { directory: path, name: names.name(index) }, inner);
      if (this.#outputs.length > 0) yield* this.#take();
    }
  }

  /** False when nothing in the directory is carried. */
  *#enter(path: Buffer, directory: Directory, mayBeSink: boolean): Generator<WalkOutput, boolean, undefined> {
    if (!mayBeSink || !this.#isSinkFolder(directory)) return yield* this.#takeRules(path, directory);
    const message = `Skipped the contents of "${escapeName(path)}": it is a sink's folder (it holds .fanfold)`;
    yield { type: "warning", code: "sink-folder-skipped", message };
    this.#scope.spare(path);
    return false;
  }

  #isSinkFolder(directory: Directory): boolean {
    try {
      return this.#folder.find(directory, OWN_NAME)?.isDirectory() === true;
    } catch {
      // What may not be looked at is told when its name comes up.
      return false;
    }
  }

  /** False when its own rules cannot be used: rather nothing of it is carried than what they were to leave out. */
  *#takeRules(path: Buffer, directory: Directory): Generator<WalkOutput, boolean, undefined> {
    try {
      const hasRules = this.#folder.find(directory, IGNORE_NAME) !== undefined;
      this.#scope.enter(path, hasRules ? joined(directory, IGNORE_NAME) : undefined);
      yield* this.#scope.take();
      return true;
    } catch (thrown) {
      if (!(thrown instanceof FanfoldError) || thrown.code !== "usage") throw thrown;
      const message = `ignore-file: ${thrown.message}; nothing in its directory is carried`;
      const file = escapeName(joinPath(path, IGNORE_NAME));
      yield { type: "problem", problem: { path: file, kind: "ignore-file", message } };
      return false;
    }
  }

  #name(directory: Directory, place: EntryLocation, inner: PathStack): void {
    const { name } = place;
    if (place.directory.length === 0 && isOwnFolder(name)) {
      const message = "Skipped .fanfold in the source's root: it belongs to fanfold";
      this.#outputs.push({ type: "warning", code: "own-folder-skipped", message });
      return;
    }
    try {
      this.#any(directory, place, inner);
    } catch (thrown) {
      this.#problem(joinPath(place.directory, name), thrown);
    }
  }

  /**
   * Adds a file that is nothing special, in the least calls and without an object for it. False, and nothing is done, when it has
   * to be looked at closer.
   */
  #plain(directory: Directory, path: Buffer, index: number): boolean {
    const names = this.#names;
    const plain = this.#plainFile;
    const { found } = plain;
    if (this.#options.checksum === true || !this.#scope.isOpen || !names.take(index)) return false;
    if (!this.#folder.lookPlain(directory, names, found)) return false;
    const { attributes, problem } = this.#folder.attributesTaken(directory, names, index);
    if (problem !== undefined) return false;
    plain.directory = path;
    plain.attributes = attributes;
    plain.owner = this.#options.owner === false ? undefined : this.#owners.ownerOf(found);
    if (!this.#pages.takesPlain(plain)) return false;
    const full = this.#pages.addPlain(plain, found);
    if (full !== undefined) this.#outputs.push(full);
    return true;
  }

  #any(directory: Directory, place: EntryLocation, inner: PathStack): void {
    const { name } = place;
    const path = joinPath(place.directory, name);
    const stats = this.#folder.look(directory, name);
    if (this.#scope.excludes(path, stats.isDirectory())) return;
    if (name.length > NAME_BYTES_MAX) throw tooLong("name");
    if (path.length > PATH_BYTES_MAX) throw tooLong("path");
    const skipped = this.#skipped(stats);
    if (skipped !== undefined) this.#spared(path, skipped);
    else if (stats.isDirectory()) {
      this.#add({ ...this.#base(directory, stats, place), kind: "directory" });
      if (this.#device === undefined || stats.dev === this.#device) inner.push(path);
      else this.#spared(path, "other-file-system");
    } else this.#leaf(directory, stats, place);
  }

  /** Why something of its kind is not carried; undefined when it is. */
  #skipped(stats: EntryStats): string | undefined {
    if (stats.isSocket()) return "socket";
    return stats.isSymbolicLink() && this.#options.links === "skip" ? "link-skipped" : undefined;
  }

  /** All that is not a directory. */
  #leaf(directory: Directory, stats: EntryStats, place: EntryLocation): void {
    const target = stats.isSymbolicLink() ? this.#folder.linkTarget(directory, place.name) : undefined;
    if (target !== undefined && target.length > LINK_TARGET_BYTES_MAX) throw tooLong("link target");
    if (target !== undefined && this.#options.links === "safe" && leadsOut(place.directory, target)) {
      this.#spared(joinPath(place.directory, place.name), "link-leads-out");
      return;
    }
    const base = this.#base(directory, stats, place);
    this.#named(stats, base, (): Entry => {
      if (target !== undefined) return { ...base, kind: "symlink", target };
      if (stats.isFile()) return this.#file(directory, stats, base);
      if (stats.isFIFO()) return { ...base, kind: "fifo" };
      return { ...base, kind: "device", character: stats.isCharacterDevice(), ...splitDevice(stats.rdev) };
    });
  }

  /** Counted as not carried; a sink keeps what it has there. */
  #spared(path: Buffer, what: string): void {
    this.#scope.spare(path);
    this.#outputs.push(notCarried(path, what));
  }

  /** What every entry has; its number is given when it gets into a page. */
  #base(directory: Directory, stats: MetadataStats, place: EntryLocation): Base {
    const { attributes, problem } = this.#folder.attributes(
      directory,
      place.name.length === 0 ? undefined : place.name,
    );
    if (problem !== undefined) this.#outputs.push(notCarried(joinPath(place.directory, place.name), problem));
    const { mtimeNs } = stats;
    if (!isTellable(mtimeNs))
      this.#outputs.push(notCarried(joinPath(place.directory, place.name), "time-out-of-range"));
    const owner = this.#options.owner === false ? undefined : this.#owners.ownerOf(stats);
    return { entry: 0, ...place, mode: stats.mode & 0o7777, mtime: timestampOf(mtimeNs), owner, attributes };
  }

  /** The entry itself for the first name of what has several; the others are links to it. */
  #named(stats: EntryStats, base: Base, make: () => Entry): void {
    const first = this.#links.firstOf(stats);
    if (first !== undefined) {
      this.#add({ ...base, kind: "hardlink", to: first });
      return;
    }
    const number = this.#pages.nextEntry;
    this.#add(make(), stats.isFile() ? stats : undefined);
    // Last: when it cannot be made or added, its number is another entry's.
    if (!this.#links.hold(stats, number))
      this.#outputs.push(notCarried(joinPath(base.directory, base.name), "hard-link-copied"));
  }

  #file(directory: Directory, stats: EntryStats, base: Base): FileEntry {
    checkSize(stats.size);
    const isHashed = this.#options.checksum === true;
    const hash = isHashed ? hashFile(joined(directory, base.name), stats) : undefined;
    return {
      kind: "file",
      ...base,
      size: stats.size,
      ...(isSparse(stats) ? { roomBytes: stats.blocks * STAT_BLOCK_BYTES } : {}),
      ...(hash === undefined ? {} : { hash }),
    };
  }

  #add(entry: Entry, stats?: TraitSource): void {
    const full = this.#pages.add(entry, stats);
    if (full !== undefined) this.#outputs.push(full);
  }

  #flush(): void {
    const last = this.#pages.flush();
    if (last !== undefined) this.#outputs.push(last);
    const count = this.#scope.takeExcluded();
    if (count > 0) this.#outputs.push({ type: "not-carried", what: "excluded", count });
  }

  *#take(): Generator<WalkOutput, void, undefined> {
    const outputs = this.#outputs;
    this.#outputs = [];
    for (const output of outputs) {
      yield output;
      // It may be long until the next one is asked for.
      if (output.type === "page") this.#folder.lookAnew();
    }
  }

  /** @throws FanfoldError when it is not the entry's own: the root is gone, or the temporary file of the stack failed */
  #problem(path: Buffer, thrown: unknown): void {
    if (thrown instanceof FanfoldError) throw thrown;
    this.#folder.check();
    this.#outputs.push({ type: "problem", problem: problemOf(path, thrown) });
  }
}

import { constants, copyFileSync, linkSync } from "node:fs";
import { type Directory, joined } from "../../lib/disk/directories.ts";
import { type EntryStats, statPath } from "../../lib/disk/entry-stats.ts";
import { systemCode } from "../../lib/errors.ts";
import { sumBytes } from "../../lib/memory/sum-bytes.ts";
import { ENTRY_KINDS, type FileEntry, type HardLinkEntry } from "../../protocol/frame/page.ts";
import type { PageRows } from "../../protocol/frame/page-rows.ts";
import { spared } from "../disk/entry-problem.ts";
import { copyContent } from "../disk/link-file.ts";
import { openRegular } from "../disk/regular-file.ts";
import type { Root } from "../disk/root.ts";
import type { Basis } from "../disk/root-options.ts";
import { metadataEntryOf } from "../metadata/metadata.ts";
import { isSameTime } from "../metadata/time-scale.ts";
import type { IsDoubted, PartialFile } from "../own/partial-files.ts";
import type { PageStore } from "../stream/page-store.ts";
import { InodeSet } from "./inode-set.ts";

/** Gives what stands under a name a further one. Undefined when it has it, else the code of the error. */
export type LinkName = (from: NameToLink, to: NameToLink) => string | undefined;

/** A name in an open directory. */
interface NameToLink {
  readonly directory: Directory;
  readonly name: Uint8Array;
}

interface TakeOverOptions {
  readonly root: Root;
  readonly basis: Basis;
  readonly pageStore: Pick<PageStore, "entry">;
  readonly isDoubted: IsDoubted;
  /** The tree holds what an earlier session put there. */
  readonly isResumed: boolean;
  /** Files can share content without sharing anything else. */
  readonly clones: boolean;
  /** @default what the system does */
  readonly link?: LinkName | undefined;
}

/** What says that something cannot have a further name here, or no further one. */
const NO_LINK: ReadonlySet<string> = new Set(["EXDEV", "EMLINK", "EPERM", "EACCES", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"]);
/** What says so of the sharing of content. */
const NO_CLONE: ReadonlySet<string> = new Set([
  "EXDEV",
  "EINVAL",
  "ENOTSUP",
  "EOPNOTSUPP",
  "ENOSYS",
  "ENOTTY",
  "EPERM",
]);

/**
 * Takes over into a tree what stays as it is in the newest snapshot, entry by entry as pages come, before it is judged what
 * is there. A file gets a further name; where files can share content alone, it gets an inode of its own. What is left out
 * here is wanted, or made anew. Part of the door to the disk (D11).
 */
export class TakeOver {
  readonly #options: TakeOverOptions;
  readonly #link: LinkName;
  /** Of files and leaves of this tree: two entries that are not names of one thing must not share one. */
  readonly #inodes = new InodeSet();
  readonly #clones: boolean;
  #onMade: (entry: number) => void = () => undefined;
  #differs = false;
  #copied = 0;
  #bytesShared = 0;

  constructor(options: TakeOverOptions) {
    this.#options = options;
    this.#link = options.link ?? linkBy(options.root);
    this.#clones = options.clones;
  }

  /** Is called with the number of each entry that is given its name here. */
  onMade(made: (entry: number) => void): void {
    this.#onMade = made;
  }

  /** An earlier session left something here that is not as in the snapshot. */
  get differs(): boolean {
    return this.#differs;
  }

  /** Files that were copied because they cannot have one more name. */
  get copied(): number {
    return this.#copied;
  }

  /** Of files whose content lies on the disk once for both. */
  get bytesShared(): number {
    return this.#bytesShared;
  }

  /** The next entry of the walk. Its directory stands. */
  take(rows: PageRows, index: number): void {
    const kind = rows.kind(index);
    const path = rows.directory(index);
    if (kind === ENTRY_KINDS.directory || this.#options.root.isFresh(path)) return;
    spared(() => {
      if (kind === ENTRY_KINDS.hardlink) this.#further(rows, index);
      else this.#take(rows, index);
    });
  }

  #take(rows: PageRows, index: number): void {
    const { root, basis } = this.#options;
    const [path, name] = [rows.directory(index), rows.name(index)];
    const before = this.#found(basis.directory(path), name);
    if (this.#stands(rows, index, before)) return;
    const from = basis.directory(path);
    if (before === undefined || from === undefined || !this.#stays(rows, index, before)) return;
    const isFile = rows.isFile(index);
    const isAlone = this.#inodes.add(before.ino);
    // Another name of one thing that is two by now. A leaf is made anew, and a file has its content from there.
    if (!isAlone && !isFile) return;
    root.fill(path);
    if (isFile && (this.#clones || !isAlone)) {
      this.#copy(rows, index, joined(from, name));
      return;
    }
    const code = this.#link({ directory: from, name }, { directory: root.directory(path), name });
    if (code === undefined) this.#shared(rows, index);
    else if (isFile && NO_LINK.has(code)) {
      this.#copied += 1;
      this.#copy(rows, index, joined(from, name));
    } else if (code !== "EEXIST" && !NO_LINK.has(code)) throw failure(code);
  }

  /** Whether an earlier session, or an entry before it whose name is one with this here, has put something there. */
  #stands(rows: PageRows, index: number, before: EntryStats | undefined): boolean {
    const { root, isResumed } = this.#options;
    if (!isResumed) return false;
    const [path, name] = [rows.directory(index), rows.name(index)];
    const own = root.find(path, name);
    if (own === undefined) return false;
    if (own.isDirectory()) return true;
    if (!this.#inodes.add(own.ino)) {
      root.remove(path, name);
      return false;
    }
    if (before === undefined || !this.#isSame(own, before)) this.#differs = true;
    else if (rows.isFile(index)) this.#bytesShared = sumBytes(this.#bytesShared, own.size);
    return true;
  }

  #isSame(own: EntryStats, before: EntryStats): boolean {
    if (own.ino === before.ino) return true;
    return this.#clones && FACTS.every((fact) => own[fact] === before[fact]);
  }

  /** Whether what stands in the snapshot seems to be what the row says, but for owner, mode and attributes. */
  #stays(rows: PageRows, index: number, before: EntryStats): boolean {
    const { root, isDoubted } = this.#options;
    if (before.dev !== BigInt(root.device)) return false;
    if (!rows.isFile(index)) return isLeaf(before) && before.isSymbolicLink() === isLink(rows, index);
    if (!before.isFile() || before.size !== rows.size(index) || isDoubted(before.ctimeMs)) return false;
    // By its content it is judged later.
    if (rows.hash(index) !== undefined || !root.keeps.times) return true;
    const mtime = { seconds: rows.seconds(index), nanoseconds: rows.nanoseconds(index) };
    return isSameTime(root.metadata.traits.scale, before.mtimeNs, mtime);
  }

  #shared(rows: PageRows, index: number): void {
    this.#options.root.sync?.named(rows.directory(index));
    this.#onMade(rows.first + index);
    if (rows.isFile(index)) this.#bytesShared = sumBytes(this.#bytesShared, rows.size(index));
  }

  /** A file with the content of one in the snapshot. It gets at once what it shall have besides. */
  #copy(rows: PageRows, index: number, path: Buffer): void {
    const { root } = this.#options;
    const entry = rows.file(index);
    if (entry === undefined) return;
    const subject = { ...metadataEntryOf(entry), shown: undefined };
    using from = openRegular(path);
    let isShared = false;
    const clone = (into: PartialFile): boolean => {
      try {
        copyFileSync(path, root.at(into.home, into.name), constants.COPYFILE_FICLONE_FORCE);
        isShared = true;
        return true;
      } catch (thrown) {
        if (!NO_CLONE.has(systemCode(thrown) ?? "")) throw thrown;
        return false;
      }
    };
    const fill = this.#clones ? clone : undefined;
    const partial = copyContent(root, from, { to: entry, subject, id: entry.entry, fill });
    if (root.metadata.wouldChange(from.fd, from.facts, subject)) root.countChanged();
    this.#name(partial, entry);
    if (isShared) this.#bytesShared = sumBytes(this.#bytesShared, entry.size);
  }

  #name(partial: PartialFile, entry: FileEntry): void {
    const { root } = this.#options;
    try {
      root.takeOver(partial, entry.directory, entry.name);
    } catch (thrown) {
      root.partials.discard(partial);
      throw thrown;
    }
    this.#onMade(entry.entry);
  }

  /** A further name, which the snapshot has of the same thing. Whatever becomes of that thing, its names are looked at in the end. */
  #further(rows: PageRows, index: number): void {
    const { root, basis, pageStore } = this.#options;
    const link = rows.entry(index);
    if (link.kind !== "hardlink" || link.to >= link.entry) return;
    const first = pageStore.entry(link.to);
    if (!this.#wereOne(first, link) || basis.directory(link.directory) === undefined) return;
    if (root.find(first.directory, first.name)?.isDirectory() !== false) return;
    root.fill(link.directory);
    // In this order: a deep directory opens many others, and would close the first if that came first.
    const to = { directory: root.directory(link.directory), name: link.name };
    const code = this.#link({ directory: root.directory(first.directory), name: first.name }, to);
    if (code === undefined) {
      root.sync?.named(link.directory);
      this.#onMade(link.entry);
    }
  }

  #wereOne(first: { readonly directory: Uint8Array; readonly name: Uint8Array }, link: HardLinkEntry): boolean {
    const { basis } = this.#options;
    const one = this.#found(basis.directory(first.directory), first.name);
    const other = this.#found(basis.directory(link.directory), link.name);
    return one !== undefined && other !== undefined && one.ino === other.ino && one.dev === other.dev;
  }

  #found(directory: Directory | undefined, name: Uint8Array): EntryStats | undefined {
    const { native } = this.#options.root;
    if (directory === undefined) return undefined;
    if (native !== undefined && directory.isPinned) return native.statName({ directory: directory.fd, name });
    return statPath(joined(directory, name));
  }
}

const FACTS = ["size", "mode", "uid", "gid", "mtimeNs"] as const;

function isLeaf(stats: EntryStats): boolean {
  return !stats.isFile() && !stats.isDirectory();
}

function isLink(rows: PageRows, index: number): boolean {
  return rows.kind(index) === ENTRY_KINDS.symlink;
}

function linkBy({ native }: Root): LinkName {
  return (from, to) => {
    if (native !== undefined && from.directory.isPinned && to.directory.isPinned)
      return native.linkName(
        { directory: from.directory.fd, name: from.name },
        { directory: to.directory.fd, name: to.name },
      );
    try {
      linkSync(joined(from.directory, from.name), joined(to.directory, to.name));
      return undefined;
    } catch (thrown) {
      return systemCode(thrown) ?? "EIO";
    }
  };
}

function failure(code: string): Error {
  return Object.assign(new Error("cannot give it a further name"), { code, syscall: "link" });
}

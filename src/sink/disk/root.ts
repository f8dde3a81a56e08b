import { fstatSync, statfsSync } from "node:fs";
import { Directories, type Directory, joined } from "../../lib/disk/directories.ts";
import { namesInDirectory } from "../../lib/disk/directory-names.ts";
import { type EntryStats, statPath } from "../../lib/disk/entry-stats.ts";
import { loadNative } from "../../lib/disk/native.ts";
import type { Native, NativeName } from "../../lib/disk/native-calls.ts";
import type { Keeps } from "../../protocol/frame/page.ts";
import type { Timestamp } from "../../protocol/frame/timestamp.ts";
import { FidelityTally } from "../../protocol/messages/fidelity.ts";
import { joinPath, OWN_FOLDER, parentOf } from "../../protocol/names/relative-path.ts";
import { Metadata, type MetadataEntry } from "../metadata/metadata.ts";
import { openTarget } from "../metadata/metadata-target.ts";
import { OwnerMap, processRights } from "../metadata/owner-map.ts";
import { type UnkeptMode, unkeptAs, unkeptIn } from "../metadata/unkept-mode.ts";
import { USUAL_TRAITS } from "../own/folder-traits.ts";
import { KnownDamage } from "../own/known-damage.ts";
import { PARTIAL_FOLDER, type PartialFile, PartialFiles } from "../own/partial-files.ts";
import { EntrySync } from "./entry-sync.ts";
import { type FileFacts, factsOf, factsOfOpen, isAsSeen } from "./file-facts.ts";
import { holdsNothing, makeDirectory, makeFillable } from "./fillable.ts";
import { KnownDirectories } from "./known-directories.ts";
import { type OpenFile, openRegular, withRegular } from "./regular-file.ts";
import { removeTree } from "./remove-tree.ts";
import { replaceName } from "./replace-name.ts";
import type { Basis, RootOptions } from "./root-options.ts";
import { spaceOf } from "./space.ts";

const ITSELF = Buffer.from(".");
const OWN = Buffer.from(OWN_FOLDER);

/**
 * The only door to the sink's disk (D11): no operation leads out of the folder, or through a link. System errors pass.
 */
export class Root implements Disposable {
  readonly #directories: Directories;
  readonly #known = new KnownDirectories();
  readonly #basis: Basis | undefined;
  readonly partials: PartialFiles;
  readonly native: Native | undefined;
  /** Sets what entries have besides their content. */
  readonly metadata: Metadata;
  /** There when each file is to be on the disk before it is called stored. */
  readonly sync: EntrySync | undefined;
  /** Files that a check found damaged: no size and time speaks for them. */
  damage = KnownDamage.none();
  /** Called before something takes the place of what stands under a name. */
  onReplace: (directory: Uint8Array, name: Uint8Array) => void = () => undefined;
  #entriesChanged = 0;

  private constructor(directories: Directories, options: RootOptions) {
    const { native, numericIds = false, tally, openFiles, fsync, basis } = options;
    this.#directories = directories;
    this.#basis = basis;
    this.sync = fsync && new EntrySync({ fdOf: (path) => directories.get(path).fd, fsync });
    this.native = native;
    this.partials = new PartialFiles(directories, native, openFiles);
    const owners = new OwnerMap(numericIds);
    const shared = { native, rights: processRights(), owners, tally: tally ?? new FidelityTally() };
    this.metadata = new Metadata(shared, USUAL_TRAITS);
  }

  /** What is carried besides content: as the pages say. */
  get keeps(): Keeps {
    return this.metadata.keeps;
  }

  set keeps(keeps: Keeps) {
    this.metadata.keeps = keeps;
  }

  /** Entries that were made, replaced, or given other metadata; what a system silently refuses to a file is no change. */
  get entriesChanged(): number {
    return this.#entriesChanged;
  }

  /** For the other files of the door: an entry is not any more what it was. */
  countChanged(): void {
    this.#entriesChanged += 1;
  }

  /** The same of one that was given its name in this directory just now. */
  countNamed(directory: Uint8Array): void {
    this.countChanged();
    this.sync?.named(directory);
  }

  /** Whether our own folder lies elsewhere. */
  get isApart(): boolean {
    return this.#directories.isElsewhere(OWN);
  }

  /** Opens an existing folder; it may be reached through links, what is below it may not. Throws system errors. */
  static open(folder: Buffer, options: RootOptions = {}): Root {
    const native = "native" in options ? options.native : loadNative();
    const { openFiles, own, basis } = options;
    const opening = native === undefined || openFiles === undefined ? undefined : { native, openFiles };
    const elsewhere = own === undefined ? undefined : { name: OWN, path: own };
    const directories = Directories.open(folder, options.platform ?? process.platform, { opening, elsewhere });
    const root = new Root(directories, { ...options, native });
    if (basis === undefined && holdsNothing(root.names(Buffer.alloc(0)))) root.#known.made(Buffer.alloc(0));
    return root;
  }

  /** Where an entry is reached now, for the other files of the door: to be used at once, before any other call. */
  at(directory: Uint8Array, name: Uint8Array): Buffer {
    return joined(this.#directories.get(directory), name);
  }

  /** The same for native calls, which reach a name in an open directory twice as fast as by a path. */
  place(directory: Uint8Array, name: Uint8Array): Uint8Array | NativeName {
    const opened = this.#directories.get(directory);
    const isReached = this.native !== undefined && opened.isPinned;
    return isReached ? { directory: opened.fd, name: name.length === 0 ? ITSELF : name } : joined(opened, name);
  }

  /** What stands under a name, whatever it is; undefined when nothing does. Never follows a link. */
  find(directory: Uint8Array, name: Uint8Array): EntryStats | undefined {
    const place = this.place(directory, name);
    if ("directory" in place && this.native !== undefined) return this.native.statName(place);
    return statPath(this.at(directory, name));
  }

  /** The same of a directory. */
  directory(path: Uint8Array): Directory {
    return this.#directories.get(path);
  }

  /** Names in a directory, some at a time, in no order. */
  names(path: Uint8Array): Generator<Buffer[], void, undefined> {
    return namesInDirectory(this.#directories.get(path), this.native);
  }

  /** Number of the device that the folder itself lies on. */
  get device(): number {
    return this.#directories.root.device;
  }

  /** Looks all directories up anew. */
  forgetDirectories(): void {
    this.#directories.forget();
  }

  /** Gives a partial file its final name, in the place of a file, a link or an empty directory. */
  commit(partial: PartialFile, directory: Uint8Array, name: Uint8Array): void {
    this.replaceBy(partial, { directory, name });
  }

  /** Puts what lies under a name of our own in the place of a file, a link or an empty directory. */
  replaceBy(
    draft: Omit<PartialFile, "fd">,
    { directory, name }: { readonly directory: Uint8Array; readonly name: Uint8Array },
  ): void {
    this.#replaceBy(draft, directory, name);
    this.countNamed(directory);
  }

  /** The same of what stays as it was in the newest snapshot: that is no change. */
  takeOver(partial: PartialFile, directory: Uint8Array, name: Uint8Array): void {
    this.#replaceBy(partial, directory, name);
    this.sync?.named(directory);
  }

  #replaceBy(draft: Omit<PartialFile, "fd">, directory: Uint8Array, name: Uint8Array): void {
    this.onReplace(directory, name);
    this.fill(directory);
    // In this order: a deep directory opens many others, and would close the draft's if that came first.
    const to = { directory: this.#directories.get(directory), name };
    replaceName({ directory: this.#directories.get(draft.home), name: draft.name }, to, this.native);
  }

  /** Whether the directory was empty, or not there, when this process began to fill it. */
  isFresh(directory: Uint8Array): boolean {
    return this.#known.isMade(directory);
  }

  /** Whether the folder still is there, under its path. */
  isThere(): boolean {
    return this.#directories.isWhole();
  }

  /** Whether it is, and what is needed to write into it. */
  isWhole(): boolean {
    if (!this.isThere()) return false;
    try {
      return fstatSync(this.#directories.get(PARTIAL_FOLDER).fd).nlink > 0;
    } catch {
      return false;
    }
  }

  /** Bytes that may still be written, or undefined when the file system does not tell. */
  freeBytes(): number | undefined {
    return spaceOf(statfsSync(this.#directories.root.base))?.freeBytes;
  }

  /** Whether files of the directory take their space from where the folder itself lies. */
  isOnOwnMount(directory: Uint8Array): boolean {
    return this.#directories.get(directory).device === this.device;
  }

  /** The regular file under a name, or undefined when there is none. Never follows a link. */
  look(directory: Uint8Array, name: Uint8Array): FileFacts | undefined {
    const stats = this.find(directory, name);
    return stats?.isFile() === true ? factsOf(stats) : undefined;
  }

  /** Opens the regular file under a name for reading. */
  openFile(directory: Uint8Array, name: Uint8Array): OpenFile {
    return openRegular(this.at(directory, name));
  }

  /** Whether a file that looks like `facts` would be given something. Changes nothing. */
  wouldChange(
    { directory, name }: { readonly directory: Uint8Array; readonly name: Uint8Array },
    facts: FileFacts,
    subject: MetadataEntry,
  ): boolean {
    return this.metadata.wouldChange(this.place(directory, name), facts, subject);
  }

  /**
   * Gives a file that stays its metadata. False when it is no longer what was `seen`: a new time would hide later writes.
   * Also false when its owner does not let us.
   */
  settleFile(directory: Uint8Array, name: Uint8Array, subject: MetadataEntry, seen: FileFacts): boolean {
    const { differs, lacks } = this.metadata.compare(this.place(directory, name), seen, subject);
    if (!differs) {
      this.metadata.tell(seen, subject, lacks);
      return true;
    }
    if (this.metadata.isForeign(seen, subject)) return false;
    return withRegular(this.at(directory, name), (target) => {
      if (!isAsSeen(target.facts(), seen)) return false;
      this.metadata.apply(target, subject);
      if (!isAsSeen(target.facts(), seen)) this.countChanged();
      return true;
    });
  }

  /** The content of a file is not its source's: it is wanted the next time. Its other names may be a snapshot's, and keep its time. */
  distrust(directory: Uint8Array, name: Uint8Array): void {
    if (this.#basis === undefined) this.#spoilTime(directory, name);
    else this.damage.add({ directory, name });
  }

  #spoilTime(directory: Uint8Array, name: Uint8Array): void {
    withRegular(this.at(directory, name), (target) => this.metadata.spoilTime(target));
  }

  /** Lets the owner fill the root itself, whatever mode an earlier copy gave it. `subject`: what it shall have in the end. */
  prepareRoot(subject: MetadataEntry): void {
    const { fd } = this.#directories.root;
    const before = this.#basis?.directory(Buffer.alloc(0))?.fd ?? fd;
    if (this.metadata.wouldAlter(before, factsOfOpen(before), subject)) this.countChanged();
    makeFillable(fd);
  }

  /**
   * Makes a directory, in the place of a file or link if need be, that its owner can fill; for others with this mode.
   * `subject`: what it shall have in the end. It is compared now, since to fill it changes it.
   */
  ensureDirectory(
    directory: Uint8Array,
    name: Uint8Array,
    { mode, subject }: { readonly mode?: number | undefined; readonly subject?: MetadataEntry } = {},
  ): void {
    const before = this.isFresh(directory) ? undefined : this.find(directory, name);
    const differs = (): boolean =>
      before?.isDirectory() === true &&
      this.#basis === undefined &&
      subject !== undefined &&
      this.metadata.wouldAlter(this.place(directory, name), factsOf(before), subject);
    // Twice: shut, it may hide its attributes; opened, its access control list is another.
    const differed = differs();
    const path = joinPath(directory, name);
    const isReady = before?.isDirectory() === true && this.#isReady(path, factsOf(before));
    if (before?.isFile() === true) this.onReplace(directory, name);
    if (!isReady) this.fill(directory);
    const isMade = !isReady && makeDirectory(this.at(directory, name), mode);
    const isAltered = differed && !isMade && differs();
    if (this.#takesOver(path, isMade, subject)) this.sync?.named(directory);
    else if (isMade) this.countNamed(directory);
    else if (isAltered) this.countChanged();
  }

  /**
   * What the newest snapshot has under this path is taken over by the directory; only what differs from there is a change.
   * False when it has no such directory.
   */
  #takesOver(path: Uint8Array, isMade: boolean, subject: MetadataEntry | undefined): boolean {
    const before = this.#basis?.directory(path);
    if (before === undefined) {
      if (isMade) this.#known.made(path);
      return false;
    }
    const place = { place: before.fd, facts: factsOfOpen(before.fd) };
    if (isMade) this.metadata.inherit(openTarget(this.#directories.get(path).fd, this.native), place, subject?.wanted);
    if (subject !== undefined && this.metadata.wouldAlter(place.place, place.facts, subject)) this.countChanged();
    return true;
  }

  /** Something is about to be put into a directory, which may have been left shut until then. */
  fill(directory: Uint8Array): void {
    if (this.#known.takeShut(directory)) makeFillable(this.#directories.get(directory).fd);
  }

  /** Removes what stands under a name, with all that is in it; nothing when there is nothing. */
  remove(directory: Uint8Array, name: Uint8Array): void {
    removeTree(this.#directories.get(directory), name);
  }

  /** What a file gets that is about to be made, where modes are not carried: what the one has that it replaces, if any. */
  unkept(directory: Uint8Array, name: Uint8Array, mode: number): UnkeptMode | undefined {
    const own = this.keeps.perms ? undefined : this.look(directory, name);
    if (own === undefined) return this.unkeptIn(directory, mode);
    return unkeptAs(own, this.place(directory, name), this.native);
  }

  /** The same of anything in a directory that replaces nothing. */
  unkeptIn(directory: Uint8Array, mode: number): UnkeptMode | undefined {
    return this.keeps.perms ? undefined : unkeptIn(this.#directories.get(directory).fd, mode, this.native);
  }

  /** Sets what a complete directory shall have; the empty path is the root itself. */
  finishDirectory(path: Uint8Array, subject: MetadataEntry): void {
    this.partials.clearBeside(path);
    const isNew = this.isFresh(path) && path.length > 0;
    const unkept = isNew ? this.unkeptIn(parentOf(path), subject.wanted.mode) : undefined;
    this.metadata.apply(openTarget(this.#directories.get(path).fd, this.native), subject, { unkept });
  }

  /** Gives a directory the mode and time that it had before something in it was deleted. */
  setDirectory(path: Uint8Array, before: { readonly mode: number; readonly mtime: Timestamp }): void {
    this.metadata.restore(openTarget(this.#directories.get(path).fd), before);
  }

  [Symbol.dispose](): void {
    this.#directories[Symbol.dispose]();
  }

  /** A directory is opened only when something is put into it: to change its mode and back changes what stays. */
  #isReady(path: Uint8Array, facts: FileFacts): boolean {
    if (this.metadata.isFillable(facts)) return true;
    // On another mount there may lie what a session that was killed has left beside the files.
    const isHere = Number(facts.device) === this.device;
    return isHere && this.metadata.isLookedInto(facts) && this.#known.shut(path);
  }
}

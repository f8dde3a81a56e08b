import { closeSync, ftruncateSync, linkSync, lstatSync } from "node:fs";
import { systemCode } from "../../lib/errors.ts";
import type { HardLinkEntry } from "../../protocol/frame/page.ts";
import { timestampOf } from "../../protocol/frame/timestamp.ts";
import { type MetadataEntry, metadataEntryOf } from "../metadata/metadata.ts";
import { openTarget } from "../metadata/metadata-target.ts";
import { unkeptAs } from "../metadata/unkept-mode.ts";
import { PARTIAL_FOLDER, type PartialFile } from "../own/partial-files.ts";
import { spared } from "./entry-problem.ts";
import { type FileFacts, factsOfOpen, isAsSeen } from "./file-facts.ts";
import { isLeaf, type LeafEntry, type PlaceOptions, placeLeaf } from "./place-entry.ts";
import { hashBeginning, writeFully } from "./read-content.ts";
import type { Root } from "./root.ts";

/*
 * Further names: part of the door to the disk (D11). A name is made in our own folder and takes its place by a rename. So
 * the old entry is gone only when the new one is there.
 */

/** A name in a directory of the folder. */
interface NameInFolder {
  readonly directory: Uint8Array;
  readonly name: Uint8Array;
}

/** What says that something can have no further name here, or no further one. */
const NO_LINK: ReadonlySet<string> = new Set(["EXDEV", "EMLINK", "EPERM", "EACCES", "ENOTSUP", "ENOSYS"]);

/** Whether two names are of one thing; directories have no further names. */
export function isOneEntry(root: Root, one: NameInFolder, other: NameInFolder): boolean {
  const [first, second] = [one, other].map(({ directory, name }) => root.find(directory, name));
  if (first === undefined || second === undefined || first.isDirectory()) return false;
  return first.dev === second.dev && first.ino === second.ino;
}

/**
 * Gives what stands under `from` a further name, in the place of a file, a link or an empty directory. False: the file
 * system allows none. `isIt` looks at the entry that was linked, and not at the one that was there before. It may be
 * something else now.
 */
function makeLink(root: Root, from: NameInFolder, to: HardLinkEntry, isIt: (path: Buffer) => boolean): boolean {
  const draft = { home: PARTIAL_FOLDER, name: Buffer.from(`link-${to.entry}`) };
  root.partials.discard(draft);
  try {
    // In this order: a deep directory opens many others, and would close our own folder if that came first.
    const source = root.at(from.directory, from.name);
    linkSync(source, root.at(draft.home, draft.name));
  } catch (thrown) {
    if (!NO_LINK.has(systemCode(thrown) ?? "")) throw thrown;
    return false;
  }
  try {
    if (!isIt(root.at(draft.home, draft.name)))
      throw Object.assign(new Error("something else took its place"), { code: "EINVAL", syscall: "link" });
    root.replaceBy(draft, to);
    return true;
  } catch (thrown) {
    if (systemCode(thrown) !== "EXDEV") throw thrown;
    return false;
  } finally {
    // Still there when the rename failed, or found that both names are of one file already.
    root.partials.discard(draft);
  }
}

/**
 * Gives a regular file a further name. "copied": the name is a file of its own with the same content. The content of
 * one that stands there is compared, whatever its size and time: no manifest has the hash of a further name. `onBusy` is called now and
 * then while much is read.
 */
export function linkFile(root: Root, from: NameInFolder, to: HardLinkEntry, onBusy: () => void): "linked" | "copied" {
  return makeLink(root, from, to, (path) => lstatSync(path).isFile()) ? "linked" : copyFile(root, from, to, onBusy);
}

/** The same for a link, a FIFO or a device. "left-out": it is one that cannot be made here, which was counted. */
export function linkLeaf(
  root: Root,
  from: LeafEntry,
  to: HardLinkEntry,
  options: PlaceOptions,
): "linked" | "copied" | "left-out" {
  // Other systems give what a symbolic link leads to a further name, wherever that is.
  const hasFurther = from.kind !== "symlink" || process.platform === "linux";
  if (hasFurther && makeLink(root, from, to, (path) => isLeaf(path, from))) return "linked";
  const { entry, directory, name } = to;
  return placeLeaf(root, { ...from, entry, directory, name }, options) ? "copied" : "left-out";
}

/**
 * Makes the file under a name one of its own, with what `subject` says besides its content: its other names keep theirs. False when it is
 * not any more what was `seen`. `id` is the number of the entry.
 */
export function ownFile(
  root: Root,
  place: NameInFolder,
  { subject, seen, id }: { readonly subject: MetadataEntry; readonly seen: FileFacts; readonly id: number },
): boolean {
  const { fd, facts } = root.openFile(place.directory, place.name);
  try {
    if (!isAsSeen(facts, seen)) return false;
    const partial = copyContent(root, { fd, facts }, { to: place, subject, id });
    if (isAsSeen(factsOfOpen(fd), seen)) {
      root.commit(partial, place.directory, place.name);
      return true;
    }
    root.partials.discard(partial);
    return false;
  } finally {
    closeSync(fd);
  }
}

function copyFile(root: Root, from: NameInFolder, to: HardLinkEntry, onBusy: () => void): "copied" {
  const { fd, facts } = root.openFile(from.directory, from.name);
  try {
    const own = root.look(to.directory, to.name);
    // The file may have got a later time than was listed: its source looked at it twice.
    const listed = metadataEntryOf(to);
    const subject = { ...listed, wanted: { ...listed.wanted, mtime: timestampOf(facts.mtimeNs) } };
    const isCopy = own?.size === facts.size && hasContentOf(root, to, { fd, size: facts.size, onBusy });
    if (isCopy && (own.links === 1 || !root.wouldChange(to, own, subject)))
      if (root.settleFile(to.directory, to.name, subject, own)) return "copied";
    const partial = copyContent(root, { fd, facts }, { to, subject, id: to.entry, onBusy });
    root.commit(partial, to.directory, to.name);
    return "copied";
  } finally {
    closeSync(fd);
  }
}

/** Whether the file under a name can be read, and has the content of an open one of the same size. */
function hasContentOf(
  root: Root,
  { directory, name }: NameInFolder,
  { fd, size, onBusy }: { readonly fd: number; readonly size: number; readonly onBusy: () => void },
): boolean {
  using own = spared(() => root.openFile(directory, name));
  if (own === undefined) return false;
  const hashOf = (each: number) => hashBeginning(each, size, { onBusy })?.digest();
  const [found, wanted] = [hashOf(own.fd), hashOf(fd)];
  return found !== undefined && wanted !== undefined && Buffer.compare(found, wanted) === 0;
}

interface CopyTarget {
  readonly to: NameInFolder;
  readonly subject: MetadataEntry;
  /** Number of the entry. */
  readonly id: number;
  /** Puts the content into the new file, if it can; else it is read and written. */
  readonly fill?: ((into: PartialFile) => boolean) | undefined;
  /** Called now and then while much is read. */
  readonly onBusy?: () => void;
}

/** A partial file, closed, with the content of an open one. */
export function copyContent(
  root: Root,
  { fd, facts }: { readonly fd: number; readonly facts: FileFacts },
  { to, subject, id, fill, onBusy = () => undefined }: CopyTarget,
): PartialFile {
  root.fill(to.directory);
  const partial = root.partials.create(to.directory, `${id}`);
  try {
    if (fill?.(partial) !== true) copyBytes({ fd, size: facts.size }, partial.fd, onBusy);
    root.metadata.apply(openTarget(partial.fd), subject, { unkept: unkeptAs(facts, fd, root.native) });
    root.sync?.content(partial.fd);
    return partial;
  } catch (thrown) {
    root.partials.discard(partial);
    throw thrown;
  } finally {
    root.partials.close(partial);
  }
}

/** Holes stay holes. */
function copyBytes({ fd, size }: { readonly fd: number; readonly size: number }, to: number, onBusy: () => void): void {
  const copyTo = (bytes: Buffer, offset: number): void => writeFully(to, bytes, offset);
  ftruncateSync(to, size);
  if (hashBeginning(fd, size, { onBusy, copyTo }) === undefined)
    throw Object.assign(new Error("it became shorter"), { code: "EINVAL", syscall: "read" });
}

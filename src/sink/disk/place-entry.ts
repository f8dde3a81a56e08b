import { closeSync, constants, fstatSync, lstatSync, readlinkSync, type Stats, symlinkSync } from "node:fs";
import { splitDevice } from "../../lib/disk/device-numbers.ts";
import { systemCode } from "../../lib/errors.ts";
import type { DeviceEntry, Entry, FifoEntry, FileEntry, SymlinkEntry } from "../../protocol/frame/page.ts";
import { type MetadataEntry, type MetadataKind, metadataEntryOf } from "../metadata/metadata.ts";
import { type MetadataTarget, namedTarget, reach, reachedTarget } from "../metadata/metadata-target.ts";
import { type FileFacts, factsOf, isAsSeen } from "./file-facts.ts";
import type { Root } from "./root.ts";

/*
 * Links, FIFOs and devices: what has a name and no content. Part of the door to the disk (D11). Each entry is made under a
 * name of our own, gets its metadata, and is renamed. None is ever opened but with O_PATH, which does not touch it.
 */

export interface PlaceOptions {
  /** Whether devices are made. */
  readonly specials: boolean;
  /** Where entries with several names here wait. Without it they are made again. */
  readonly shared?: SharedEntryKeeper;
}

export interface SharedEntryKeeper {
  /** Takes what has several names here and is to be settled at the end; false when it does not. */
  hold(entry: Entry, seen: FileFacts): boolean;
}

/**
 * Makes an entry without content when its page comes. A directory gets its metadata at the end, and hard links are made
 * there, too. False when it could not be made, which is counted.
 */
export function placeEntry(root: Root, entry: Exclude<Entry, FileEntry>, options: PlaceOptions): boolean {
  if (entry.kind === "hardlink") return true;
  if (entry.kind !== "directory") return placeLeaf(root, entry, options);
  const subject = metadataEntryOf(entry);
  const mode = root.keeps.perms ? undefined : entry.mode;
  if (entry.entry === 0) root.prepareRoot(subject);
  else root.ensureDirectory(entry.directory, entry.name, { mode, subject });
  return true;
}

/** What has a name and no content, and is one thing with that name. */
export type LeafEntry = SymlinkEntry | FifoEntry | DeviceEntry;

/**
 * Places a link, a FIFO or a device, in the place of a file, a link or an empty directory. False when it could not be made,
 * which is counted: a device without `specials`, or what the system refuses.
 */
export function placeLeaf(root: Root, entry: LeafEntry, options: PlaceOptions): boolean {
  const subject = metadataEntryOf(entry);
  const { native, metadata } = root;
  const canBeMade =
    entry.kind === "symlink" ||
    (native !== undefined && (entry.kind === "fifo" || (options.specials && metadata.isRoot)));
  if (!canBeMade) {
    metadata.tellMissing(entry.kind, subject);
    return false;
  }
  // In a directory that was just made there is nothing yet.
  const facts = root.isFresh(entry.directory) ? undefined : factsOfLeaf(root, entry);
  if (facts !== undefined) {
    const settled = settle(root, entry, { facts });
    if (settled === "done" || (settled === "shared" && options.shared?.hold(entry, facts) === true)) return true;
  }
  return makeLeaf(root, entry);
}

/**
 * The same for an entry that has several names here, when it is known how many of them are the entry's. Unless all are, it
 * becomes a separate entry. False when it is not there any more, or could not be made.
 */
export function settleSharedLeaf(root: Root, entry: LeafEntry, names: number): boolean {
  const facts = factsOfLeaf(root, entry);
  if (facts === undefined) return false;
  return settle(root, entry, { facts, names }) === "done" || makeLeaf(root, entry);
}

function makeLeaf(root: Root, entry: LeafEntry): boolean {
  const subject = metadataEntryOf(entry);
  const { native, metadata } = root;
  if (entry.kind === "symlink") {
    make(root, entry, (draft) => symlinkSync(Buffer.from(entry.target), draft), subject);
    return true;
  }
  if (native === undefined) return false;
  const device = entry.kind === "device" ? entry : undefined;
  const type = device === undefined ? constants.S_IFIFO : device.character ? constants.S_IFCHR : constants.S_IFBLK;
  try {
    make(root, entry, (draft) => native.makeNode(draft, type | 0o600, device), subject);
    return true;
  } catch (thrown) {
    if (!NO_NODES.has(systemCode(thrown) ?? "")) throw thrown;
    metadata.tellMissing(entry.kind, subject);
    return false;
  }
}

/** What `mknod` says where there are no such things, or not for us. */
const NO_NODES: ReadonlySet<string> = new Set(["EPERM", "EACCES", "EINVAL", "ENOSYS", "ENOTSUP"]);

function make(root: Root, entry: LeafEntry, work: (draft: Buffer) => void, subject: MetadataEntry): void {
  root.fill(entry.directory);
  const draft = root.partials.draft(entry.directory, `leaf-${entry.entry}`, work);
  try {
    const unkept = root.unkeptIn(entry.directory, entry.mode);
    withTarget(draft.path(), subject.kind, (target) => root.metadata.apply(target, subject, { unkept }));
    root.replaceBy(draft, entry);
  } catch (thrown) {
    root.partials.discard(draft);
    throw thrown;
  }
}

/**
 * Gives an existing entry the metadata that it should have. "shared": it has more names than these. "not-ours": it cannot
 * get them, or it is something else now.
 */
function settle(
  root: Root,
  entry: LeafEntry,
  { facts, names = 1 }: { readonly facts: FileFacts; readonly names?: number },
): "done" | "shared" | "not-ours" {
  const { metadata } = root;
  const subject = metadataEntryOf(entry);
  const { differs, lacks } = metadata.compare(root.place(entry.directory, entry.name), facts, subject);
  if (!differs) {
    metadata.tell(facts, subject, lacks);
    return "done";
  }
  if (metadata.isForeign(facts, subject)) return "not-ours";
  if (facts.links !== names) return "shared";
  const isSet = withTarget(root.at(entry.directory, entry.name), subject.kind, (target) => {
    metadata.apply(target, subject);
    if (!isAsSeen(target.facts(), facts)) root.countChanged();
  });
  return isSet ? "done" : "not-ours";
}

/** Of the link, FIFO or device, when it stands there. */
function factsOfLeaf(root: Root, entry: LeafEntry): FileFacts | undefined {
  if (!isLeaf(root.at(entry.directory, entry.name), entry)) return undefined;
  const found = root.find(entry.directory, entry.name);
  return found === undefined ? undefined : factsOf(found);
}

/** False when something else stands there by now. */
function withTarget(path: Buffer, kind: MetadataKind, work: (target: MetadataTarget) => void): boolean {
  if (process.platform !== "linux") {
    work(namedTarget(path));
    return true;
  }
  const fd = reach(path);
  try {
    if (!isOfKind(fstatSync(fd), kind)) return false;
    work(reachedTarget(fd));
    return true;
  } finally {
    closeSync(fd);
  }
}

function isOfKind(stats: Stats, kind: MetadataKind): boolean {
  if (kind === "symlink") return stats.isSymbolicLink();
  return stats.isFIFO() || stats.isCharacterDevice() || stats.isBlockDevice();
}

/** Whether the link, FIFO or device stands under a path: what it is, whatever owner, mode and time it has. */
export function isLeaf(path: Buffer, entry: LeafEntry): boolean {
  return entry.kind === "symlink" ? hasTarget(path, entry.target) : isSameNode(path, entry);
}

function hasTarget(path: Buffer, target: Uint8Array): boolean {
  try {
    return readlinkSync(path, { encoding: "buffer" }).equals(target);
  } catch {
    return false;
  }
}

function isSameNode(path: Buffer, entry: FifoEntry | DeviceEntry): boolean {
  const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (stats === undefined || entry.kind === "fifo") return stats?.isFIFO() === true;
  const isType = entry.character ? stats.isCharacterDevice() : stats.isBlockDevice();
  const { major, minor } = splitDevice(stats.rdev);
  return isType && major === entry.major && minor === entry.minor;
}

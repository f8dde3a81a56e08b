import { closeSync, ftruncateSync, linkSync, lstatSync } from "node:fs";
import { systemCode } from "../lib/errors.ts";
import type { Timestamp } from "../protocol/page.ts";
import type { KeptAttributes } from "./kept-attributes.ts";
import { PARTIAL_FOLDER, type PartialFile } from "./partial-files.ts";
import { hashBeginning, writeFully } from "./read-content.ts";
import { type FileFacts, factsOfOpen, isAsSeen, type Root, setAttributes } from "./root.ts";

/*
 * Further names of files: part of the door to the disk (D11). A name is made in our own folder and takes its place by a
 * rename, so that what stood there before is gone only when the new name is there.
 */

/** A name in a directory of the folder. */
export interface Place {
  readonly directory: Uint8Array;
  readonly name: Uint8Array;
}

/** What says that a file can have no further name here, or no further one. */
const NO_LINK: ReadonlySet<string> = new Set(["EXDEV", "EMLINK", "EPERM", "EACCES", "ENOTSUP", "ENOSYS"]);

/** Whether two names are of one regular file. */
export function isOneFile(root: Root, one: Place, other: Place): boolean {
  const [first, second] = [one, other].map(({ directory, name }) =>
    lstatSync(root.at(directory, name), { bigint: true, throwIfNoEntry: false }),
  );
  if (first?.isFile() !== true || second?.isFile() !== true) return false;
  return first.dev === second.dev && first.ino === second.ino;
}

/**
 * Gives the regular file `from` a further name, in the place of a file, a link or an empty directory; `id` is the number of
 * the entry. "copied": the file system allows none, and the name is a file of its own with the same content.
 */
export function linkFile(root: Root, from: Place, to: Place, id: number): "linked" | "copied" {
  const draft = { home: PARTIAL_FOLDER, name: Buffer.from(`link-${id}`) };
  root.partials.discard(draft);
  try {
    // In this order: a deep directory opens many others, and would close our own folder if that came first.
    const source = root.at(from.directory, from.name);
    linkSync(source, root.at(draft.home, draft.name));
  } catch (thrown) {
    if (!NO_LINK.has(systemCode(thrown) ?? "")) throw thrown;
    return copyFile(root, from, to, id);
  }
  try {
    // What was linked is looked at, and not what was there before: a link or device never gets a name from us.
    if (!lstatSync(root.at(draft.home, draft.name)).isFile())
      throw Object.assign(new Error("something else took the file's place"), { code: "EINVAL" });
    root.replaceBy(draft, to);
    return "linked";
  } catch (thrown) {
    if (systemCode(thrown) !== "EXDEV") throw thrown;
    return copyFile(root, from, to, id);
  } finally {
    // Still there when the rename failed, or found that both names are of one file already.
    root.partials.discard(draft);
  }
}

/**
 * Makes the file under a name one of its own, with mode and time as given: those of its other names stay. False when it is
 * not any more what was `seen`. `id` is the number of the entry.
 */
export function ownFile(
  root: Root,
  place: Place,
  { shall, seen, id }: { readonly shall: KeptAttributes; readonly seen: FileFacts; readonly id: number },
): boolean {
  const { fd, facts } = root.openFile(place.directory, place.name);
  try {
    if (!isAsSeen(facts, seen)) return false;
    const partial = copyContent(root, { fd, facts }, { to: place, shall, id });
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

function copyFile(root: Root, from: Place, to: Place, id: number): "copied" {
  const { fd, facts } = root.openFile(from.directory, from.name);
  try {
    const own = root.look(to.directory, to.name);
    if (own?.size === facts.size && own.mtimeMicroseconds === facts.mtimeMicroseconds) return "copied";
    const shall = { mode: facts.mode, mtime: timeOf(facts.mtimeMicroseconds) };
    root.commit(copyContent(root, { fd, facts }, { to, shall, id }), to.directory, to.name);
    return "copied";
  } finally {
    closeSync(fd);
  }
}

/** A partial file, closed, with the content of an open one. */
function copyContent(
  root: Root,
  { fd, facts }: { readonly fd: number; readonly facts: FileFacts },
  { to, shall, id }: { readonly to: Place; readonly shall: KeptAttributes; readonly id: number },
): PartialFile {
  const partial = root.partials.create(to.directory, `${id}`);
  try {
    const copyTo = (bytes: Buffer, offset: number): void => writeFully(partial.fd, bytes, offset);
    ftruncateSync(partial.fd, facts.size);
    if (hashBeginning(fd, facts.size, { onBusy: () => undefined, copyTo }) === undefined)
      throw Object.assign(new Error("it became shorter"), { code: "EINVAL" });
    setAttributes(partial.fd, factsOfOpen(partial.fd), { ...shall, mode: shall.mode ?? facts.mode });
    return partial;
  } catch (thrown) {
    root.partials.discard(partial);
    throw thrown;
  } finally {
    closeSync(partial.fd);
  }
}

function timeOf(microseconds: bigint): Timestamp {
  const fraction = ((microseconds % 1_000_000n) + 1_000_000n) % 1_000_000n;
  return { seconds: Number((microseconds - fraction) / 1_000_000n), nanoseconds: Number(fraction) * 1000 };
}

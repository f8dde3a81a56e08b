import { fchmodSync, fchownSync } from "node:fs";
import type { FileFinal } from "../../protocol/frame/data-table.ts";
import type { FileEntry } from "../../protocol/frame/page.ts";
import type { Ids } from "../metadata/owner-map.ts";
import { keepsTime, nanosecondsOf } from "../metadata/time-scale.ts";
import { type PartialFile, partialName, RESUMABLE_BYTES_MIN } from "../own/partial-files.ts";
import { isInTheWay } from "./entry-problem.ts";
import { type FileFacts, factsOfOpen } from "./file-facts.ts";
import { writeFully } from "./read-content.ts";
import type { Root } from "./root.ts";

/** Set-user-id, set-group-id and sticky bits are not for the short way. */
const PLAIN_MODE_MAX = 0o777;

/** What a file has to be given besides content and times. */
interface Steps {
  /** Undefined: it is made with the right owner. */
  readonly ids: Ids | undefined;
  /** False: it is made with the right mode. */
  readonly setsMode: boolean;
}

/**
 * The short way of whole small files to their names: open with the final mode, write, times, close, rename. Part of the
 * door to the disk (D11). The first file of each mode in a directory is looked at when all of that is done. What looks as
 * it should shows what the next ones need. All that is odd is left to IncomingFile, which looks at each file.
 */
export class SmallFiles {
  readonly #root: Root;
  /** By mode, for files of one owner in one directory; undefined: they are left to IncomingFile. */
  readonly #steps = new Map<number, Steps | undefined>();
  #directory: Uint8Array | undefined;
  #owner: FileEntry["owner"];

  constructor(root: Root) {
    this.#root = root;
  }

  /**
   * Gives a wanted file its content and its name. The file without its name, which is the caller's then, when a directory
   * that is not empty stands in its place. Undefined when nothing was done: IncomingFile knows how, or says why not.
   * `bytes` are the whole content, whose hash was checked. Throws system errors.
   */
  place(entry: FileEntry, bytes: Uint8Array, final: FileFinal): "named" | PartialFile | undefined {
    if (!this.#isUsual(entry, final)) return undefined;
    if (entry.directory !== this.#directory || entry.owner !== this.#owner) {
      this.#directory = entry.directory;
      this.#owner = entry.owner;
      this.#steps.clear();
    }
    const isKnown = this.#steps.has(final.mode);
    const steps = this.#steps.get(final.mode);
    if (isKnown && steps === undefined) return undefined;
    const partial = this.#make(entry, final, (made) => {
      // Beside its target others may open it by its mode, before it has its owner: no content goes into it there.
      if (made.isBare !== true) {
        this.#steps.set(final.mode, undefined);
        return false;
      }
      const needed = steps ?? this.#stepsOf(made, entry, final);
      this.#fill(made, { bytes, final, steps: needed });
      if (isKnown) return true;
      const isRight = this.#isRight(made, entry, final);
      this.#steps.set(final.mode, isRight ? needed : undefined);
      return isRight;
    });
    return partial && this.#name(partial, entry);
  }

  #isUsual({ size, attributes, roomBytes }: FileEntry, final: FileFinal): boolean {
    const { native, sync, keeps, metadata } = this.#root;
    return (
      native !== undefined &&
      sync === undefined &&
      keeps.perms &&
      keeps.times &&
      (attributes === undefined || attributes.length === 0) &&
      roomBytes === undefined &&
      Math.max(size, final.size) < RESUMABLE_BYTES_MIN &&
      final.mode <= PLAIN_MODE_MAX &&
      keepsTime(metadata.traits.scale, final.mtime)
    );
  }

  /** Makes the file by `work`. Undefined when that fails, or says that the file is not right: then nothing is left of it. */
  #make(entry: FileEntry, { mode }: FileFinal, work: (made: PartialFile) => boolean): PartialFile | undefined {
    const { partials } = this.#root;
    let made: PartialFile | undefined;
    let isRight = false;
    try {
      made = partials.create(entry.directory, partialName(entry), mode);
      isRight = work(made);
    } catch {
      // IncomingFile meets the same, and tells it.
    }
    if (made !== undefined) partials.close(made);
    if (isRight) return made;
    if (made !== undefined) partials.discard(made);
    return undefined;
  }

  #stepsOf({ fd }: PartialFile, entry: FileEntry, { mode }: FileFinal): Steps {
    const { metadata, native } = this.#root;
    const facts = factsOfOpen(fd, native);
    const ids = metadata.attainableIds(facts, entry);
    const isOwned = ids.uid === facts.uid && ids.gid === facts.gid;
    return { ids: isOwned ? undefined : ids, setsMode: facts.mode !== mode };
  }

  #fill(
    { fd }: PartialFile,
    { bytes, final, steps }: { readonly bytes: Uint8Array; readonly final: FileFinal; readonly steps: Steps },
  ): void {
    const { native, metadata } = this.#root;
    writeFully(fd, bytes, 0);
    if (steps.ids !== undefined) fchownSync(fd, steps.ids.uid, steps.ids.gid);
    if (steps.setsMode) fchmodSync(fd, final.mode);
    native?.setTimes(fd, final.mtime, metadata.traits.setsTimesTogether ? final.mtime : undefined);
  }

  /** Whether IncomingFile would have nothing to add, and nothing to tell. */
  #isRight({ fd }: PartialFile, entry: FileEntry, final: FileFinal): boolean {
    const { metadata, native } = this.#root;
    const facts: FileFacts = factsOfOpen(fd, native);
    return (
      facts.mode === final.mode &&
      facts.mtimeNs === nanosecondsOf(final.mtime) &&
      facts.size === final.size &&
      (entry.owner === undefined || metadata.isOwnerRight(facts, entry))
    );
  }

  #name(partial: PartialFile, { directory, name }: FileEntry): "named" | PartialFile {
    try {
      this.#root.commit(partial, directory, name);
      return "named";
    } catch (thrown) {
      if (isInTheWay(thrown)) return partial;
      this.#root.partials.discard(partial);
      throw thrown;
    }
  }
}

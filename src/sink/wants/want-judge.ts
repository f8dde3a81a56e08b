import type { FileEntry } from "../../protocol/frame/page.ts";
import { roomOf } from "../../protocol/frame/page-file.ts";
import type { PageRows } from "../../protocol/frame/page-rows.ts";
import { HELD_FILES_MAX, LEAF_BYTES } from "../../protocol/limits.ts";
import type { OlderFiles } from "../delta/older-files.ts";
import type { SameContent } from "../delta/same-content.ts";
import { spared } from "../disk/entry-problem.ts";
import type { FileFacts } from "../disk/file-facts.ts";
import { ownFile } from "../disk/link-file.ts";
import { PlainLook } from "../disk/plain-look.ts";
import { hashBeginning } from "../disk/read-content.ts";
import type { FreeSpace } from "../engine/free-space.ts";
import type { SharedEntries } from "../engine/shared-entries.ts";
import { metadataEntryOf } from "../metadata/metadata.ts";
import { partialName, RESUMABLE_BYTES_MIN } from "../own/partial-files.ts";
import {
  type CompareOptions,
  isUnchanged,
  type Judgement,
  judgePage,
  lookFor,
  type WantMessage,
} from "./page-wants.ts";

type HeldBeginning = NonNullable<WantMessage["held"]>[number];
type OlderVersion = NonNullable<WantMessage["older"]>[number];

interface Beginning {
  readonly bytes: number;
  /** What it takes on the disk. */
  readonly roomBytes: number;
  readonly hash: string;
}

interface WantJudgeOptions extends CompareOptions {
  readonly space: FreeSpace;
  /** Where waits what has several names here. */
  readonly shared: SharedEntries;
  /** Whether what is held of a file is told with its hash. @default true */
  readonly hashesHeld?: boolean | undefined;
  /** What recipes may be made of. */
  readonly older: Pick<OlderFiles, "bytesOf">;
  /** Where small files may be found under other names; undefined: nowhere. */
  readonly same?: SameContent | undefined;
}

/** What an answer says besides of what is here of wanted files. */
interface Remains {
  readonly held: HeldBeginning[];
  readonly older: OlderVersion[];
  /** Those whose whole content may be here. */
  readonly sought: { readonly index: number; readonly isNew: boolean }[];
}

interface JudgeOptions {
  readonly goesOn?: boolean;
  readonly isLost?: (entry: number) => boolean;
}

/**
 * Says which files of a page a sink wants [P-9.1]: those that are not here with equal size and time. When the page has
 * their hash, the content must be equal. What differs in mode or time alone is set here, or at the end when it has other
 * names.
 */
export class WantJudge {
  readonly #options: WantJudgeOptions;
  readonly #plain: PlainLook;

  constructor(options: WantJudgeOptions) {
    this.#options = options;
    this.#plain = new PlainLook(options.root);
  }

  /**
   * `goesOn` false: of its files nothing is said to be held, because the content of others under their names still comes.
   * `isLost`: a file, by its number, that cannot be carried, and is neither looked at nor wanted.
   */
  judge(rows: PageRows, { goesOn = true, isLost }: JudgeOptions = {}): Judgement {
    const { root, space, same } = this.#options;
    const remains: Remains = { held: [], older: [], sought: [] };
    let [group, isFresh] = [-1, false];
    const judgement = judgePage(rows, (index) => {
      if (isLost?.(rows.first + index) === true) return undefined;
      if (rows.group(index) !== group) {
        group = rows.group(index);
        isFresh = root.isFresh(rows.directory(index));
      }
      if (!isFresh && this.#isPlain(rows, index)) return true;
      if (isFresh && rows.size(index) < RESUMABLE_BYTES_MIN) {
        space.need(rows.page, rows.room(index));
        if (same !== undefined) remains.sought.push({ index, isNew: true });
        return false;
      }
      return this.#look(rows, index, goesOn, remains);
    });
    const { held, older, sought } = remains;
    const offer = goesOn && sought.length > 0 ? same?.offer(rows, sought) : undefined;
    const want = {
      ...judgement.want,
      ...(held.length === 0 ? {} : { held }),
      ...(older.length === 0 ? {} : { older }),
      ...(offer === undefined ? {} : { same: offer }),
    };
    return { ...judgement, want };
  }

  /** Whether it is here, and nothing is odd with it: nearly always when nothing has changed. */
  #isPlain(rows: PageRows, index: number): boolean {
    const { root, isDoubted } = this.#options;
    return root.damage.isEmpty && rows.hash(index) === undefined && this.#plain.isCompleteFile(rows, index, isDoubted);
  }

  /** The same of any file, at length. */
  #look(rows: PageRows, index: number, goesOn: boolean, { held, older, sought }: Remains): boolean {
    const { root, space, same } = this.#options;
    const entry = rows.file(index);
    if (entry === undefined) return false;
    const own = lookFor(root, entry);
    if (own !== undefined && this.#isEqual(entry, own, goesOn)) return true;
    const beginning = goesOn && held.length < HELD_FILES_MAX ? this.#held(entry) : undefined;
    // Also of a file whose beginning is held: the rest of it may be here, too.
    const olderBytes = this.#options.older.bytesOf(entry, own);
    if (beginning !== undefined) held.push([index, beginning.bytes, beginning.hash]);
    else if (same !== undefined) sought.push({ index, isNew: own === undefined });
    if (olderBytes !== undefined) older.push([index, olderBytes]);
    if (this.#isHere(entry)) space.need(rows.page, roomOf(entry) - freedBy(own) - (beginning?.roomBytes ?? 0));
    return false;
  }

  #isEqual(entry: FileEntry, own: FileFacts, mayWait: boolean): boolean {
    if (!isUnchanged(entry, own, this.#options)) return false;
    const { root } = this.#options;
    const subject = metadataEntryOf(entry);
    const settle = (): boolean => {
      // What is set is set under all of its names, some of which may be a snapshot's, or another entry's.
      const isShared = own.links > 1 && root.wouldChange(entry, own, subject);
      if (!isShared) return root.settleFile(entry.directory, entry.name, subject, own);
      if (mayWait && this.#waits(entry, own)) return true;
      return ownFile(root, entry, { subject, seen: own, id: entry.entry });
    };
    // Who may not set them can still put a file of his own in its place.
    return spared(settle) ?? false;
  }

  /** Left open until all names are known; only of what can be copied then, if need be. */
  #waits(entry: FileEntry, own: FileFacts): boolean {
    const { root, shared } = this.#options;
    if (root.metadata.isForeign(own, metadataEntryOf(entry))) return false;
    root.openFile(entry.directory, entry.name)[Symbol.dispose]();
    return shared.hold(entry, own);
  }

  /** The beginning of the file that an earlier session stored, less than all of it: whole leaves, and their hash. */
  #held(entry: FileEntry): Beginning | undefined {
    if (entry.size < RESUMABLE_BYTES_MIN) return undefined;
    const found = spared(() => this.#options.root.partials.reopen(entry.directory, partialName(entry)));
    if (found === undefined) return undefined;
    try {
      const bytes = Math.floor(Math.min(found.bytes, entry.size - 1) / LEAF_BYTES) * LEAF_BYTES;
      if (bytes === 0) return undefined;
      const roomBytes = Math.min(bytes, found.roomBytes);
      if (this.#options.hashesHeld === false) return { bytes, roomBytes, hash: "" };
      const hash = hashBeginning(found.partial.fd, bytes, this.#options)?.digest();
      return hash === undefined ? undefined : { bytes, roomBytes, hash: Buffer.from(hash).toString("hex") };
    } finally {
      this.#options.root.partials.close(found.partial);
    }
  }

  /** Whether it takes its space from where the folder itself lies. */
  #isHere({ directory }: FileEntry): boolean {
    const { root } = this.#options;
    return root.isFresh(directory) || spared(() => root.isOnOwnMount(directory)) === true;
  }
}

/** Bytes that get free when a file is replaced: none while it has other names. */
function freedBy(own: FileFacts | undefined): number {
  return own === undefined || own.links > 1 ? 0 : Math.min(own.size, own.roomBytes);
}

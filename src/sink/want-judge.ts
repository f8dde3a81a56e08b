import { closeSync } from "node:fs";
import { HELD_FILES_MAX, LEAF_BYTES } from "../protocol/limits.ts";
import type { FileEntry, Page } from "../protocol/page.ts";
import type { UpMessage } from "../protocol/report.ts";
import { isFatal } from "./entry-problem.ts";
import { storedMicroseconds } from "./file-time.ts";
import type { FreeSpace } from "./free-space.ts";
import { type IsDoubted, partialName, RESUMABLE_BYTES_MIN } from "./partial-files.ts";
import { hashBeginning } from "./read-content.ts";
import type { FileFacts, Root } from "./root.ts";

export type Want = Extract<UpMessage, { type: "want" }>;
type Held = NonNullable<Want["held"]>[number];

export interface WantJudgeOptions {
  readonly root: Root;
  readonly space: FreeSpace;
  readonly isDoubted: IsDoubted;
  /** Called now and then while much is read. */
  readonly onBusy: () => void;
}

export interface Judgement {
  readonly want: Want;
  /** Files that are wanted: one bit an entry, least significant bit first; undefined: all. */
  readonly bits: Uint8Array | undefined;
  readonly filesUnchanged: number;
  readonly bytesUnchanged: number;
}

/**
 * Says which files of a page a sink wants [P-9.1]: those that do not stand there with equal size and time; or, when the
 * page has their hash, with equal content. What differs in mode or time alone is set here.
 */
export class WantJudge {
  readonly #options: WantJudgeOptions;

  constructor(options: WantJudgeOptions) {
    this.#options = options;
  }

  /** `goesOn` false: of its files nothing is said to be held, because the content of others under their names still comes. */
  judge(page: Page, { goesOn = true }: { readonly goesOn?: boolean } = {}): Judgement {
    const bits = new Uint8Array(Math.ceil(page.entries.length / 8));
    const held: Held[] = [];
    let [wanted, filesUnchanged, bytesUnchanged] = [0, 0, 0];
    for (const [index, entry] of page.entries.entries()) {
      if (entry.kind !== "file") continue;
      const own = this.#look(entry);
      if (own !== undefined && this.#isEqual(entry, own)) {
        filesUnchanged += 1;
        bytesUnchanged += entry.size;
        continue;
      }
      wanted += 1;
      setBit(bits, index);
      const beginning = goesOn && held.length < HELD_FILES_MAX ? this.#held(entry) : undefined;
      if (beginning !== undefined) held.push([index, beginning.bytes, beginning.hash]);
      this.#need(entry, own, beginning?.bytes ?? 0);
    }
    const want = {
      type: "want" as const,
      page: page.page,
      want: wanted === 0 ? ("none" as const) : filesUnchanged === 0 ? ("all" as const) : { bits: base64(bits) },
      ...(held.length > 0 ? { held } : {}),
    };
    return { want, bits: filesUnchanged === 0 ? undefined : bits, filesUnchanged, bytesUnchanged };
  }

  /** The regular file under the entry's name. What cannot be looked at is wanted, and will say why when it is written. */
  #look(entry: FileEntry): FileFacts | undefined {
    const { root } = this.#options;
    if (root.isFresh(entry.directory)) return undefined;
    return spared(() => root.look(entry.directory, entry.name));
  }

  #isEqual(entry: FileEntry, own: FileFacts): boolean {
    if (own.size !== entry.size) return false;
    const sameTime = own.mtimeMicroseconds === storedMicroseconds(entry.mtime);
    if (entry.hash === undefined) {
      if (!sameTime || this.#options.isDoubted(own.ctimeMs)) return false;
    } else if (!this.#hasContent(entry, entry.hash)) return false;
    if (sameTime && own.mode === entry.mode) return true;
    // Mode and time are those of all its names, some of which may be a snapshot's, or another entry's: it gets a file of its own.
    if (own.links > 1) return false;
    // Who may not set them can still put a file of his own in its place.
    return spared(() => this.#options.root.setFile(entry.directory, entry.name, entry, own)) ?? false;
  }

  #hasContent(entry: FileEntry, hash: Uint8Array): boolean {
    const { root } = this.#options;
    const file = spared(() => root.openFile(entry.directory, entry.name));
    if (file === undefined) return false;
    try {
      const found = hashBeginning(file.fd, entry.size, this.#options)?.digest();
      return found !== undefined && Buffer.compare(found, hash) === 0;
    } finally {
      closeSync(file.fd);
    }
  }

  /** The beginning of the file that an earlier session stored, less than all of it: whole leaves, and their hash. */
  #held(entry: FileEntry): { readonly bytes: number; readonly hash: string } | undefined {
    if (entry.size < RESUMABLE_BYTES_MIN) return undefined;
    const found = spared(() => this.#options.root.partials.reopen(entry.directory, partialName(entry)));
    if (found === undefined) return undefined;
    try {
      const bytes = Math.floor(Math.min(found.bytes, entry.size - 1) / LEAF_BYTES) * LEAF_BYTES;
      if (bytes === 0) return undefined;
      const hash = hashBeginning(found.partial.fd, bytes, this.#options)?.digest();
      return hash === undefined ? undefined : { bytes, hash: Buffer.from(hash).toString("hex") };
    } finally {
      closeSync(found.partial.fd);
    }
  }

  #need(entry: FileEntry, own: FileFacts | undefined, heldBytes: number): void {
    const { root, space } = this.#options;
    const isHere = root.isFresh(entry.directory) || spared(() => root.isOnOwnMount(entry.directory)) === true;
    if (isHere) space.need(entry.size - (own?.size ?? 0) - heldBytes);
  }
}

/** Undefined when it fails for a reason that concerns one entry. */
function spared<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (thrown) {
    if (isFatal(thrown)) throw thrown;
    return undefined;
  }
}

function setBit(bits: Uint8Array, index: number): void {
  bits[index >> 3] = (bits[index >> 3] ?? 0) | (1 << (index & 7));
}

export function hasBit(bits: Uint8Array, index: number): boolean {
  return ((bits[index >> 3] ?? 0) & (1 << (index & 7))) !== 0;
}

function base64(bits: Uint8Array): string {
  return Buffer.from(bits.buffer, bits.byteOffset, bits.byteLength).toString("base64");
}

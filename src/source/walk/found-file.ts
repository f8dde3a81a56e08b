import { StatxBuffer } from "../../lib/disk/statx-stats.ts";
import type { TakenName } from "../../lib/disk/taken-name.ts";
import type { Attribute } from "../../protocol/frame/attribute-names.ts";
import type { Owner } from "../../protocol/frame/page-tables.ts";
import type { PlainFile } from "../../protocol/frame/plain-file.ts";

const NOWHERE = new Uint8Array(0);

/** The plain file that a walk has found last, in memory that serves for all of them. */
export class FoundFile implements PlainFile {
  /** Where a call puts what the file is. */
  readonly found = new StatxBuffer();
  readonly #taken: TakenName;
  directory: Uint8Array = NOWHERE;
  owner: Owner | undefined;
  attributes: readonly Attribute[] | undefined;

  /** Its name is the one that was taken last. */
  constructor(taken: TakenName) {
    this.#taken = taken;
  }

  get name(): Uint8Array {
    return this.#taken.bytes;
  }

  get nameBytes(): number {
    return this.#taken.length;
  }

  get mode(): number {
    return this.found.mode & 0o7777;
  }

  get mtimeSeconds(): number {
    return this.found.mtimeSeconds;
  }

  get mtimeNanoseconds(): number {
    return this.found.mtimeNanoseconds;
  }

  get size(): number {
    return this.found.size;
  }
}

import { HASH_KEY_BYTES } from "../../lib/crypto/keyed-hash.ts";
import { NameTable } from "../../lib/disk/name-table.ts";
import { PathStack } from "../../lib/disk/path-stack.ts";
import { FanfoldError } from "../../lib/errors.ts";
import type { Random } from "../../lib/random.ts";
import { type Entry, entryDisplay, entryPath } from "../../protocol/frame/page.ts";
import type { PageRows } from "../../protocol/frame/page-rows.ts";
import { DIRECTORY_ENTRIES_MAX } from "../../protocol/limits.ts";
import type { PageStore } from "./page-store.ts";

/*
 * The order of a walk [P-4.3], kept up with entry by entry:
 *
 *   the root comes first; its entries are to come
 *   an entry of the present directory: its name is new there; a directory is remembered
 *   an entry of another one: the directories of the present one go on the stack, the first of them on top;
 *     then directories are popped until it is that one; those before it had no entries
 *   an entry behind the walk: withdrawn files are popped, the latest first, until it is that one
 *
 * So no path can come twice. Memory holds only the hashed names of one directory, and the stack rests on the disk.
 */

interface TreeOrderOptions {
  /** The entries that have come. */
  readonly pageStore: Pick<PageStore, "entry">;
  readonly random: Random;
}

const KEPT = Buffer.from([0]);
const LOST = Buffer.from([1]);

/** Refuses what no walk of a tree gives. */
export class TreeOrder implements Disposable {
  readonly #pageStore: Pick<PageStore, "entry">;
  readonly #names: NameTable;
  /** Directories whose entries are to come, and those of the present one; each path behind a byte that says whether it is lost. */
  readonly #pending = new PathStack();
  readonly #inner = new PathStack();
  readonly #withdrawn = new PathStack();
  #directory: Uint8Array | undefined;
  /** The run of entries that was taken last: all of it is in that directory. */
  #rows: PageRows | undefined;
  #group = 0;
  #isLost = false;
  /** Number of its first entry. */
  #first = 0;
  #met: number[] = [];
  readonly #meet = (index: number): void => void this.#met.push(this.#first + index);

  constructor({ pageStore, random }: TreeOrderOptions) {
    this.#pageStore = pageStore;
    this.#names = new NameTable(Buffer.from(random.hex(HASH_KEY_BYTES), "hex"));
  }

  /** Number of the first entry of the directory that the entry taken last is in. */
  get first(): number {
    return this.#first;
  }

  /** Whether the directory of the entry taken last is lost. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /**
   * Takes the next entry of the walk.
   *
   * @throws FanfoldError `damaged` for one that cannot come here
   */
  take(rows: PageRows, index: number): void {
    if (rows.first + index === 0) {
      this.#pending.push(KEPT);
      return;
    }
    const group = rows.group(index);
    if (rows !== this.#rows || group !== this.#group) {
      if (!isSame(this.#directory, rows.directory(index))) this.#enter(rows, index);
      this.#rows = rows;
      this.#group = group;
    }
    if (this.#names.count === DIRECTORY_ENTRIES_MAX)
      throw refused(rows.entry(index), `its directory has more than ${DIRECTORY_ENTRIES_MAX} entries`);
    if (this.#met.length > 0) this.#met = [];
    const name = rows.name(index);
    this.#names.add(name, name.length, this.#meet);
    if (this.#met.length > 0 && this.#met.some((number) => isSame(this.#pageStore.entry(number).name, name)))
      throw refused(rows.entry(index), "this path has come before");
  }

  /** Whether an entry of this name has come in the directory of the entry taken last. */
  has(name: Uint8Array): boolean {
    return this.#names.has(name);
  }

  /** The entry taken last is a directory, and its entries may come. `isLost`: they cannot be carried, as it cannot. */
  opens(rows: PageRows, index: number, isLost: boolean): void {
    this.#inner.push(Buffer.concat([isLost ? LOST : KEPT, rows.path(index)]));
  }

  /** A file of the walk was withdrawn, and may come once more. `mark`: what is to be known of it then, a number of 8 bits. */
  withdrawn(entry: Entry, mark: number): void {
    this.#withdrawn.push(Buffer.concat([Buffer.of(mark), entryPath(entry)]));
  }

  /**
   * Takes the next entry behind the walk; the mark that it was withdrawn with.
   *
   * @throws FanfoldError `damaged` unless it is a file that was withdrawn
   */
  again(entry: Entry): number {
    const path = entryPath(entry);
    for (let next = this.#withdrawn.pop(); next !== undefined; next = this.#withdrawn.pop())
      if (entry.kind === "file" && isSame(next.subarray(1), path)) return next[0] ?? 0;
    throw refused(entry, "behind the walk each withdrawn file comes once, the latest first, and nothing else");
  }

  [Symbol.dispose](): void {
    for (const stack of [this.#pending, this.#inner, this.#withdrawn]) stack[Symbol.dispose]();
  }

  #enter(rows: PageRows, index: number): void {
    for (let path = this.#inner.pop(); path !== undefined; path = this.#inner.pop()) this.#pending.push(path);
    for (let next = this.#pending.pop(); next !== undefined; next = this.#pending.pop()) {
      if (!isSame(next.subarray(1), rows.directory(index))) continue;
      // Not the page's own bytes: they would keep the page.
      this.#directory = next.subarray(1);
      this.#isLost = next[0] === LOST[0];
      this.#first = rows.first + index;
      this.#names.clear();
      return;
    }
    throw refused(rows.entry(index), "its directory did not come as a directory, or its turn is over");
  }
}

function isSame(one: Uint8Array | undefined, other: Uint8Array): boolean {
  return one !== undefined && Buffer.compare(one, other) === 0;
}

function refused(entry: Entry, why: string): FanfoldError {
  return new FanfoldError("damaged", `cannot take entry ${entry.entry}, "${entryDisplay(entry)}": ${why}`);
}

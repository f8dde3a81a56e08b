import { escapeName } from "../../lib/escape-name.ts";
import { ENTRY_KINDS, type Entry, entryDisplay } from "../../protocol/frame/page.ts";
import type { PageRows } from "../../protocol/frame/page-rows.ts";
import type { FidelityTally } from "../../protocol/messages/fidelity.ts";
import type { Problem } from "../../protocol/messages/progress.ts";
import { isOwnFolder, nameOf, parentOf } from "../../protocol/names/relative-path.ts";
import type { Root } from "../disk/root.ts";
import {
  ListedNames,
  newTable,
  reached,
  rootTellsCaseApart,
  tellsCaseApart,
  tellsFormsApart,
} from "../disk/same-name.ts";
import type { TreeOrder } from "../stream/tree-order.ts";

/*
 * The folder's file system may take two names for one. Then the first name is carried. The second one is not, nor is
 * anything below it. The file system is asked of each name, when it comes and when something is made under it:
 *
 *   when it comes   nothing stands there: what is made must be new
 *                   it is listed: it is itself, unless an entry before it has taken that place
 *                   it is not listed: it is another name of what is; refused when that is an entry's, or our own folder
 *   when it is made nothing may stand there that did not when it came
 *
 * A directory that tells case apart is not asked again. Names with letters beyond ASCII are the exception, where the file
 * system may take forms of Unicode for one.
 */
const NAME_TAKEN = "the sink's file system cannot tell its name from another one; rename one of them:";
/** What is remembered of a withdrawn file (TreeOrder.withdrawn). */
const IS_LOST = 1;
const MUST_BE_NEW = 2;

interface NameKeeperOptions {
  readonly root: Root;
  readonly order: TreeOrder;
  readonly fidelity: FidelityTally;
}

/** Keeps entries from taking each other's place. */
export class NameKeeper {
  readonly #options: NameKeeperOptions;
  /** Files that are not carried for their names; they may be withdrawn and come once more. */
  readonly #lost = new Set<number>();
  readonly #mustBeNew = new EntrySet();
  /** Number of the first entry of the present directory. */
  #first = 0;
  /** Its names that differ in case were seen to be two. */
  #isExact = false;
  /** Its names, as listed before any of its entries was made. */
  #listed: ListedNames | undefined;
  /** Listed names in it that are other names of its entries. */
  readonly #taken = newTable();
  /** Whether the folder's own file system tells forms of Unicode apart, once that was asked. */
  #keepsForms: boolean | undefined;

  constructor(options: NameKeeperOptions) {
    this.#options = options;
  }

  /**
   * Takes the next entry of the walk, when all entries before it are in their places, except for content. Returns why it
   * cannot be carried, if so.
   *
   * @throws FanfoldError `damaged` for one that cannot come here
   */
  take(rows: PageRows, index: number): Problem | undefined {
    const { order } = this.#options;
    order.take(rows, index);
    if (rows.first + index === 0) return undefined;
    if (this.#first !== order.first) this.#enter(rows.directory(index));
    const why = order.isLost ? "its directory is not carried, because of its name" : this.#whyNot(rows, index);
    if (rows.kind(index) === ENTRY_KINDS.directory) order.opens(rows, index, why !== undefined);
    if (why === undefined) return undefined;
    if (rows.isFile(index)) this.#lost.add(rows.first + index);
    return this.#collision(rows.entry(index), why);
  }

  /** A file of the walk was withdrawn. */
  withdrawn(file: Entry): void {
    const isLost = this.#lost.has(file.entry) ? IS_LOST : 0;
    const mustBeNew = this.#mustBeNew.has(file.entry) ? MUST_BE_NEW : 0;
    this.#options.order.withdrawn(file, isLost | mustBeNew);
  }

  /** Takes the next entry behind the walk; whether it cannot be carried, which was told. */
  again(entry: Entry): boolean {
    const mark = this.#options.order.again(entry);
    if ((mark & MUST_BE_NEW) !== 0) this.#mustBeNew.add(entry.entry);
    return (mark & IS_LOST) !== 0;
  }

  /** To be asked right before something gets the entry's name that did not get it when it came: why it may not, if so. */
  beforeMade(entry: Entry): Problem | undefined {
    const { root } = this.#options;
    const { directory, name } = entry;
    if (!this.#mustBeNew.has(entry.entry) || reached(root, directory, name) === undefined) return undefined;
    // Somebody else has made it meanwhile: it is replaced, like what stood there before.
    if (tellsCaseApart(root, directory, name)) return undefined;
    return this.#collision(entry, `${NAME_TAKEN} something else has taken the name`);
  }

  /** What the entry shall be was given its name just now, where nothing stood. */
  made(entry: number): void {
    this.#mustBeNew.delete(entry);
  }

  #enter(directory: Uint8Array): void {
    this.#first = this.#options.order.first;
    this.#listed = undefined;
    this.#taken.clear();
    this.#isExact = this.#isSeenExact(directory);
  }

  /** What this session has made is as what it was made in. In the root there is always our own folder to ask by. */
  #isSeenExact(directory: Uint8Array): boolean {
    const { root } = this.#options;
    for (let path = directory; ; path = parentOf(path)) {
      if (path.length === 0) return rootTellsCaseApart(root);
      if (!root.isFresh(path)) return false;
      if (tellsCaseApart(root, parentOf(path), nameOf(path))) return true;
    }
  }

  #whyNot(rows: PageRows, index: number): string | undefined {
    if (this.#isAlone(rows, index)) return undefined;
    const { root } = this.#options;
    const [directory, name] = [rows.directory(index), rows.name(index)];
    const stats = reached(root, directory, name);
    if (stats !== undefined && !this.#isExact) {
      this.#isExact = tellsCaseApart(root, directory, name);
      if (this.#isAlone(rows, index)) return undefined;
    }
    this.#listed ??= ListedNames.read(root, directory);
    if (stats === undefined) {
      this.#mustBeNew.add(rows.first + index);
      return undefined;
    }
    if (this.#listed.has(name))
      return this.#taken.has(name) ? `${NAME_TAKEN} an earlier entry has its place` : undefined;
    const others = this.#listed.othersOf(name, stats);
    const other = others.find((each) => this.#isTaken(directory, each));
    if (other !== undefined) return `${NAME_TAKEN} it is the same there as "${escapeName(other)}"`;
    if (others.length === 0) return `${NAME_TAKEN} something that is not listed has the name`;
    for (const each of others) this.#taken.add(each, each.length);
    return undefined;
  }

  /** Whether its directory tells case apart, and its name has one spelling only, but for case. */
  #isAlone(rows: PageRows, index: number): boolean {
    return this.#isExact && (rows.isAscii(index) || this.#keepsFormsIn(rows.directory(index)));
  }

  #keepsFormsIn(directory: Uint8Array): boolean {
    const { root } = this.#options;
    this.#keepsForms ??= tellsFormsApart(root);
    return this.#keepsForms && (root.isFresh(directory) || root.isOnOwnMount(directory));
  }

  /** By an entry before, under that name or another, or by what is our own. */
  #isTaken(directory: Uint8Array, listed: Uint8Array): boolean {
    if (directory.length === 0 && isOwnFolder(listed)) return true;
    return this.#options.order.has(listed) || this.#taken.has(listed);
  }

  #collision(entry: Entry, why: string): Problem {
    this.#options.fidelity.add("name-collision", entryDisplay(entry));
    return { path: entryDisplay(entry), kind: "name-collision", message: `not carried: ${why}` };
  }
}

/** Numbers of entries, of which there may be millions: one bit for each up to the highest. */
class EntrySet {
  #bits = new Uint8Array(0);

  add(entry: number): void {
    const at = entry >> 3;
    if (at >= this.#bits.length) {
      const grown = new Uint8Array(Math.max(1024, at + 1, this.#bits.length * 2));
      grown.set(this.#bits);
      this.#bits = grown;
    }
    this.#bits[at] = (this.#bits[at] ?? 0) | (1 << (entry & 7));
  }

  delete(entry: number): void {
    const bits = this.#bits[entry >> 3];
    if (bits !== undefined) this.#bits[entry >> 3] = bits & ~(1 << (entry & 7));
  }

  has(entry: number): boolean {
    return ((this.#bits[entry >> 3] ?? 0) & (1 << (entry & 7))) !== 0;
  }
}

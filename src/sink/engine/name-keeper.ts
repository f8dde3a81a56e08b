import { type Entry, entryDisplay } from "../../protocol/frame/page.ts";
import { SPELLINGS_MAX } from "../../protocol/limits.ts";
import type { FidelityTally } from "../../protocol/messages/fidelity.ts";
import type { Problem } from "../../protocol/messages/progress.ts";
import { foldedName } from "../../protocol/names/folded-name.ts";
import { OWN_FOLDER } from "../../protocol/names/relative-path.ts";
import type { Root } from "../disk/root.ts";
import { isOneName } from "../disk/same-name.ts";
import type { TreeOrder } from "../stream/tree-order.ts";

const OWN_NAME = Buffer.from(OWN_FOLDER);

interface NameKeeperOptions {
  readonly root: Root;
  readonly order: TreeOrder;
  readonly fidelity: FidelityTally;
  /** Whether an earlier entry could not be carried: then its name is free. */
  readonly hasFailed: (entry: number) => boolean;
}

/**
 * Keeps entries from taking each other's place: of two names that are one to the folder's file system the first is carried,
 * and the second is not, with all that is below it.
 */
export class NameKeeper {
  readonly #options: NameKeeperOptions;
  /** Files that are not carried for their names; they may be withdrawn and come once more. */
  readonly #lost = new Set<number>();
  /** Number of the first entry of the present directory. */
  #first = 0;
  /** Names of the present directory that differ in case were seen to be two. */
  #isExact = false;

  constructor(options: NameKeeperOptions) {
    this.#options = options;
  }

  /**
   * Takes the next entry of the walk, when all before it are in their places; why it cannot be carried, if so.
   *
   * @throws FanfoldError `damaged` for one that cannot come here
   */
  take(entry: Entry): Problem | undefined {
    const { order, fidelity } = this.#options;
    const others = order.take(entry);
    if (this.#first !== order.first) this.#isExact = false;
    this.#first = order.first;
    const why = this.#whyNot(entry, others);
    if (entry.kind === "directory" && entry.entry > 0) order.opens(entry, why !== undefined);
    if (why === undefined) return undefined;
    if (entry.kind === "file") this.#lost.add(entry.entry);
    fidelity.add("name-collision", entryDisplay(entry));
    return { path: entryDisplay(entry), kind: "name-collision", message: `not carried: ${why}` };
  }

  /** A file of the walk was withdrawn. */
  withdrawn(entry: Entry): void {
    this.#options.order.withdrawn(entry, this.#lost.has(entry.entry));
  }

  #whyNot(entry: Entry, others: readonly Entry[] | undefined): string | undefined {
    if (this.#options.order.isLost) return "its directory is not carried, because of its name";
    if (others === undefined) return `more than ${SPELLINGS_MAX} names in its directory differ in spelling only`;
    const other = others.find((each) => this.#isTaken(entry, each));
    if (other !== undefined)
      return `its name and that of "${entryDisplay(other)}" are one to the sink's file system; rename one of them`;
    if (entry.directory.length === 0 && isLikeOwn(entry.name) && this.#isOne(entry, OWN_NAME))
      return `its name and "${OWN_FOLDER}" are one to the sink's file system`;
    return undefined;
  }

  #isTaken(entry: Entry, other: Entry): boolean {
    return !this.#options.hasFailed(other.entry) && this.#isOne(entry, other.name);
  }

  #isOne(entry: Entry, one: Uint8Array): boolean {
    const differsInCase = one.length === entry.name.length && isAscii(one) && isAscii(entry.name);
    if (differsInCase && this.#isExact) return false;
    const isOne = isOneName(this.#options.root, entry.directory, { one, other: entry.name });
    if (differsInCase && isOne === false) this.#isExact = true;
    return isOne === true;
  }
}

function isLikeOwn(name: Uint8Array): boolean {
  const { bytes, length } = foldedName(name);
  return length === OWN_NAME.length && OWN_NAME.every((byte, at) => bytes[at] === byte);
}

function isAscii(name: Uint8Array): boolean {
  return name.every((byte) => byte < 0x80);
}

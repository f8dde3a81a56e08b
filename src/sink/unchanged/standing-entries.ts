import { ENTRY_KINDS, type Entry, type HardLinkEntry } from "../../protocol/frame/page.ts";
import type { PageRows } from "../../protocol/frame/page-rows.ts";
import { type FileFacts, factsOf } from "../disk/file-facts.ts";
import { isOneEntry } from "../disk/link-file.ts";
import { isLeaf } from "../disk/place-entry.ts";
import { PlainLook } from "../disk/plain-look.ts";
import { metadataEntryOf } from "../metadata/metadata.ts";
import type { PageStore } from "../stream/page-store.ts";
import { type CompareOptions, isUnchanged } from "../wants/page-wants.ts";

interface StandingOptions extends CompareOptions {
  readonly pageStore: Pick<PageStore, "entry">;
}

/** Whether entries stand in a tree as their pages say, with nothing to be done. Changes nothing. */
export class StandingEntries {
  readonly #options: StandingOptions;
  readonly #plain: PlainLook;

  constructor(options: StandingOptions) {
    this.#options = options;
    this.#plain = new PlainLook(options.root);
  }

  /** Throws system errors. */
  has(rows: PageRows, index: number): boolean {
    return this.#isPlain(rows, index) || this.#isThere(rows.entry(index));
  }

  /** Nearly always, and in the least calls. */
  #isPlain(rows: PageRows, index: number): boolean {
    const { root, isDoubted } = this.#options;
    switch (rows.kind(index)) {
      case ENTRY_KINDS.file:
        return (
          rows.hash(index) === undefined && root.damage.isEmpty && this.#plain.isCompleteFile(rows, index, isDoubted)
        );
      case ENTRY_KINDS.directory:
        return this.#plain.isFinished(rows, index);
      case ENTRY_KINDS.symlink:
        return this.#plain.isPlaced(rows, index);
      default:
        return false;
    }
  }

  #isThere(entry: Entry): boolean {
    if (entry.kind === "hardlink") return this.#isFurtherName(entry);
    const { root } = this.#options;
    const found = root.find(entry.directory, entry.name);
    if (found === undefined) return false;
    const facts = factsOf(found);
    if (!this.#isSame(entry, facts, found.isDirectory())) return false;
    const subject = metadataEntryOf(entry);
    const { differs, lacks } = root.metadata.compare(root.place(entry.directory, entry.name), facts, subject);
    if (!differs) root.metadata.tell(facts, subject, lacks);
    return !differs;
  }

  /** Owner, mode, time and attributes aside. */
  #isSame(entry: Exclude<Entry, HardLinkEntry>, facts: FileFacts, isDirectory: boolean): boolean {
    const { root } = this.#options;
    if (entry.kind === "directory") return isDirectory && Number(facts.device) === root.device;
    if (entry.kind !== "file") return isLeaf(root.at(entry.directory, entry.name), entry);
    const own = root.look(entry.directory, entry.name);
    return own !== undefined && isUnchanged(entry, own, this.#options);
  }

  #isFurtherName(link: HardLinkEntry): boolean {
    const { root, pageStore } = this.#options;
    if (link.to >= link.entry) return false;
    const first = pageStore.entry(link.to);
    return first.kind !== "directory" && first.kind !== "hardlink" && isOneEntry(root, first, link);
  }
}

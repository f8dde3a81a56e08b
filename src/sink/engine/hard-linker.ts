import { pathKey } from "../../lib/disk/directories.ts";
import { FanfoldError } from "../../lib/errors.ts";
import {
  ENTRY_KINDS,
  type Entry,
  entryDisplay,
  entryPath,
  type FileEntry,
  type HardLinkEntry,
} from "../../protocol/frame/page.ts";
import type { PageRows } from "../../protocol/frame/page-rows.ts";
import type { FidelityTally } from "../../protocol/messages/fidelity.ts";
import type { Problem } from "../../protocol/messages/progress.ts";
import { changedHere, spared } from "../disk/entry-problem.ts";
import { isOneEntry, linkFile, linkLeaf } from "../disk/link-file.ts";
import type { Root } from "../disk/root.ts";
import type { ManifestWriter } from "../manifest/manifest-writer.ts";
import { metadataEntryOf } from "../metadata/metadata.ts";
import type { PageStore } from "../stream/page-store.ts";
import { BLOCKED_MAX } from "./blocked-entries.ts";
import { type SharedEntries, settleShared } from "./shared-entries.ts";

interface HardLinkerParts {
  readonly root: Root;
  readonly pageStore: PageStore;
  readonly fidelity: FidelityTally;
  readonly manifest: ManifestWriter;
  readonly shared: SharedEntries;
  /** Whether devices are made. */
  readonly specials: boolean;
  /** Called now and then while much is read. */
  readonly onBusy: () => void;
}

/** How the engine does its work on single entries. */
interface FinishSteps {
  /** Runs it unless the entry has failed; a failure of its own is told. */
  readonly guarded: (entry: Entry, work: () => void) => void;
  /** Whether its name may not be made, which is told. */
  readonly isRefused: (entry: Entry) => boolean;
  /** Whether this sink could not carry an entry. */
  readonly hasFailed: (entry: number) => boolean;
  /** It is not carried; without a problem, that was counted. */
  readonly fail: (entry: Entry, problem: Problem | undefined) => void;
}

/** What became of a further name; "left-out": as its first name it could not be made here, which was counted. */
type PlacedLink = "made" | "left-out" | Problem;

/**
 * Gives files, links, FIFOs and devices their further names when all content is there. A file that changed while it was
 * read comes once more, with another number and the same path.
 */
export class HardLinker {
  readonly #parts: HardLinkerParts;
  /** Pages that hold any. */
  readonly #pages: number[] = [];
  readonly #withdrawn = new Set<number>();
  /** FIFOs and devices that could not be made here, which was counted. */
  readonly #leftOut = new Set<number>();
  /** Paths of withdrawn files that came after all. */
  readonly #cameAgain = new Set<string>();

  constructor(parts: HardLinkerParts) {
    this.#parts = parts;
  }

  page(rows: PageRows): void {
    for (let index = 0; index < rows.count; index += 1) {
      if (rows.kind(index) !== ENTRY_KINDS.hardlink) continue;
      this.#pages.push(rows.page);
      return;
    }
  }

  withdrawn(entry: FileEntry): void {
    this.#withdrawn.add(entry.entry);
  }

  leftOut({ entry }: Entry): void {
    this.#leftOut.add(entry);
  }

  cameAgain(entry: FileEntry): void {
    if (this.#withdrawn.size > 0) this.#cameAgain.add(pathKey(entryPath(entry)));
  }

  /** The end of a copy: settles what waited because it has several names here, and makes all further names. */
  finish(steps: FinishSteps): void {
    const { root, shared } = this.#parts;
    for (const each of shared.counted(this.#carried(steps), this.#parts)) {
      steps.guarded(each.entry, () => {
        if (!settleShared(root, each)) steps.fail(each.entry, changedHere(each.entry));
      });
    }
    for (const link of this.#entries()) {
      steps.guarded(link, () => {
        if (steps.isRefused(link)) return;
        const placed = this.#place(link, (entry) => steps.hasFailed(entry));
        if (placed === "made") root.damage.mend(link);
        else steps.fail(link, placed === "left-out" ? undefined : placed);
      });
    }
  }

  /** Numbers of further names in whose place there is a directory. */
  inTheWay(): number[] {
    const { root } = this.#parts;
    const found: number[] = [];
    for (const { entry, directory, name } of this.#entries())
      if (found.length < BLOCKED_MAX && spared(() => root.find(directory, name))?.isDirectory() === true)
        found.push(entry);
    return found;
  }

  /** A name that its file system takes for another one is none of its own. */
  *#carried({ hasFailed }: FinishSteps): Generator<HardLinkEntry, void, undefined> {
    for (const link of this.#entries()) if (!hasFailed(link.entry)) yield link;
  }

  /** Every entry that is another name, in order. */
  *#entries(): Generator<HardLinkEntry, void, undefined> {
    for (const page of this.#pages) {
      const rows = this.#parts.pageStore.page(page);
      for (let index = 0; index < rows.count; index += 1) {
        const entry = rows.kind(index) === ENTRY_KINDS.hardlink ? rows.entry(index) : undefined;
        if (entry?.kind === "hardlink") yield entry;
      }
    }
  }

  /**
   * Makes one name. `hasFailed` says of an entry whether this sink could not carry it. A problem: that is the fault of what
   * it is a name of.
   *
   * @throws FanfoldError `damaged` when it is to be another name of a directory or a hard link; system errors
   */
  #place(link: HardLinkEntry, hasFailed: (entry: number) => boolean): PlacedLink {
    const { root, pageStore, fidelity, manifest, specials, onBusy } = this.#parts;
    const first: Entry = pageStore.entry(link.to);
    if (first.kind === "directory" || first.kind === "hardlink")
      throw new FanfoldError(
        "damaged",
        `cannot make "${entryDisplay(link)}" another name of "${entryDisplay(first)}": that is a ${first.kind}`,
      );
    if (this.#leftOut.has(link.to) && (first.kind === "fifo" || first.kind === "device")) {
      root.metadata.tellMissing(first.kind, metadataEntryOf(link));
      return "left-out";
    }
    const isMissing = this.#withdrawn.has(link.to) && !this.#cameAgain.has(pathKey(entryPath(first)));
    if (isMissing || hasFailed(link.to)) {
      const message = `not carried: it is a hard link to "${entryDisplay(first)}", which is not in the copy`;
      return { path: entryDisplay(link), kind: "not-carried", message };
    }
    if (isOneEntry(root, first, link)) return "made";
    const placed =
      first.kind === "file" ? linkFile(root, first, link, onBusy) : linkLeaf(root, first, link, { specials });
    if (placed === "left-out") return placed;
    if (placed === "linked") return "made";
    fidelity.add("hard-link", entryDisplay(link));
    manifest.lacks(link.entry, "hard-link");
    return "made";
  }
}

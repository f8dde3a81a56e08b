import { FanfoldError } from "../../lib/errors.ts";
import { sumBytes } from "../../lib/memory/sum-bytes.ts";
import { ENTRY_KINDS } from "../../protocol/frame/page.ts";
import type { UpMessage } from "../../protocol/frame/report.ts";
import { PAGES_UNANSWERED_MAX } from "../../protocol/limits.ts";
import type { Problem } from "../../protocol/messages/progress.ts";
import { type DeletionParts, deleteExtras } from "../deletion/deletion.ts";
import { folderGone } from "../disk/entry-problem.ts";
import type { CheckedFrame } from "../stream/checked-frame.ts";
import { checkWalked } from "../stream/page-store.ts";
import type { ScopeStore } from "../stream/scope-store.ts";
import type { TreeOrder } from "../stream/tree-order.ts";
import { type CompareOptions, isUnchanged, judgePage, lookFor, type WantMessage } from "../wants/page-wants.ts";
import type { Engine } from "./engine.ts";
import { type EngineCounts, emptyCounts } from "./engine-counts.ts";

interface DryEngineParts extends CompareOptions, DeletionParts {
  readonly scope: ScopeStore;
  /** The copy would be a snapshot: nothing that is there would go. */
  readonly isSnapshot?: boolean;
  readonly order: TreeOrder;
}

export interface DryEngineSink {
  want(want: WantMessage): void;
  /** A directory could not be looked into, so what it holds is not in the outlook. */
  problem(problem: Problem): void;
  /** Everything was looked at. */
  outlook(outlook: DryRunOutlook): void;
}

/** What a copy would replace and delete. */
export type DryRunOutlook = Pick<Extract<UpMessage, { type: "outlook" }>, "filesReplaced" | "deletion">;

/** Answers the pages of a dry run [P-9.4], and changes nothing: neither the tree nor what is remembered of it. */
export class DryEngine implements Engine {
  readonly #parts: DryEngineParts;
  readonly #out: DryEngineSink;
  readonly counts: EngineCounts = emptyCounts();
  readonly digest = undefined;
  #filesReplaced = 0;

  constructor(parts: DryEngineParts, out: DryEngineSink) {
    this.#parts = parts;
    this.#out = out;
  }

  /** A dry run has no trailers; but that a page comes means that those so far below it were answered by all. */
  get pages(): number {
    return Math.max(0, this.#parts.pageStore.pages - PAGES_UNANSWERED_MAX);
  }

  accept({ frame }: CheckedFrame): void {
    if (this.counts.discoveryEnded)
      throw new FanfoldError("damaged", `cannot take a frame of type "${frame.type}": the dry run has ended`);
    if (frame.type === "page") this.#page(frame.table);
    else if (frame.type === "scope") this.#parts.scope.add(frame.table);
    else if (frame.type === "walked") this.#walked(frame.table);
    else throw new FanfoldError("damaged", `cannot take a frame of type "${frame.type}": this is a dry run`);
  }

  alteredError(): FanfoldError {
    return new FanfoldError("damaged", "cannot take data: this is a dry run");
  }

  #page(table: Uint8Array): void {
    const { counts } = this;
    const { root, pageStore, order } = this.#parts;
    const rows = pageStore.add(table);
    // Which names are one here is not found out: that would change something.
    for (let index = 0; index < rows.count; index += 1) {
      order.take(rows, index);
      if (rows.kind(index) === ENTRY_KINDS.directory && rows.first + index > 0) order.opens(rows, index, false);
    }
    root.keeps = rows.keeps;
    const { want, filesUnchanged, bytesUnchanged } = judgePage(rows, (index) => {
      const entry = rows.file(index);
      if (entry === undefined) return undefined;
      counts.filesFound += 1;
      counts.bytesFound = sumBytes(counts.bytesFound, entry.size);
      const own = lookFor(root, entry);
      const isHere = own !== undefined && isUnchanged(entry, own, this.#parts);
      if (own !== undefined && !isHere) this.#filesReplaced += 1;
      return isHere;
    });
    // In a folder that is gone nothing is found, and everything would be wanted.
    if (!root.isThere()) throw folderGone();
    counts.filesDone += filesUnchanged;
    counts.bytesDone = sumBytes(counts.bytesDone, bytesUnchanged);
    counts.filesUnchanged += filesUnchanged;
    counts.bytesUnchanged = sumBytes(counts.bytesUnchanged, bytesUnchanged);
    this.#out.want(want);
  }

  #walked(table: Uint8Array): void {
    checkWalked(table, this.#parts.pageStore);
    this.counts.discoveryEnded = true;
    const onProblem = (problem: Problem): void => this.#out.problem(problem);
    const deletion = this.#parts.isSnapshot
      ? undefined
      : deleteExtras(this.#parts, { onDeleted: undefined, onProblem });
    if (!this.#parts.root.isThere()) throw folderGone();
    this.#out.outlook({ filesReplaced: this.#filesReplaced, ...(deletion === undefined ? {} : { deletion }) });
  }
}

import type { FileEntry } from "../../protocol/frame/page.ts";
import type { TreeDigest } from "../../protocol/hash/tree-digest.ts";
import type { FidelityTally } from "../../protocol/messages/fidelity.ts";
import type { Problem } from "../../protocol/messages/progress.ts";
import type { OpenRecipes, RecipeSink } from "../delta/open-recipes.ts";
import type { Root } from "../disk/root.ts";
import type { ManifestWriter } from "../manifest/manifest-writer.ts";
import type { IsDoubted } from "../own/partial-files.ts";
import type { TakeOver } from "../snapshots/take-over.ts";
import type { PageStore } from "../stream/page-store.ts";
import type { ScopeStore } from "../stream/scope-store.ts";
import type { TreeOrder } from "../stream/tree-order.ts";
import type { WantMessage } from "../wants/page-wants.ts";
import type { WantJudge } from "../wants/want-judge.ts";
import type { FileWriter } from "./file-writer.ts";
import type { FreeSpace } from "./free-space.ts";
import type { SharedEntries } from "./shared-entries.ts";

/** What a copy engine is made of. */
export interface EngineParts {
  readonly root: Root;
  readonly pageStore: PageStore;
  readonly order: TreeOrder;
  readonly writer: FileWriter;
  readonly recipes: OpenRecipes;
  readonly judge: WantJudge;
  readonly space: FreeSpace;
  readonly manifest: ManifestWriter;
  readonly tree: TreeDigest;
  readonly fidelity: FidelityTally;
  readonly scope: ScopeStore;
  /** The same as the judge's. */
  readonly shared: SharedEntries;
  /** Where what stays comes from; undefined: it stands there. */
  readonly takeOver: TakeOver | undefined;
  /** Whether devices are made. */
  readonly specials: boolean;
  readonly isDoubted: IsDoubted;
  /** Called now and then while much is read. */
  readonly onBusy: () => void;
  /** Whether anything may go that is in the way. */
  readonly mayClear: () => boolean;
  /** Deletes what is in these directories, in whose place other entries are to stand, if all that is extra may go. */
  readonly clearWay: (paths: readonly Buffer[]) => void;
}

/** What it tells. */
export interface EngineSink extends RecipeSink {
  /** The page is stored and its directories stand: this is what is wanted of it. */
  want(want: WantMessage): void;
  file(entry: FileEntry, bytes: number): void;
  problem(problem: Problem): void;
  /** Escaped path of what stood in the way of an entry. */
  deleted(path: string): void;
}

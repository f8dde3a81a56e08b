import { SpillFile } from "../../lib/disk/spill-file.ts";
import { systemRandom } from "../../lib/random.ts";
import { TreeDigest } from "../../protocol/hash/tree-digest.ts";
import type { Deletion } from "../../protocol/messages/deletion.ts";
import type { FidelityTally } from "../../protocol/messages/fidelity.ts";
import type { TakenAsUnchanged } from "../../protocol/messages/taken.ts";
import { clearExtrasIn, type DeletionOut, type DeletionPolicy, deleteExtras } from "../deletion/deletion.ts";
import { KnownPieces } from "../delta/known-pieces.ts";
import { LookUps } from "../delta/look-ups.ts";
import { OlderFiles } from "../delta/older-files.ts";
import { OpenRecipes } from "../delta/open-recipes.ts";
import { SameContent } from "../delta/same-content.ts";
import { readable } from "../disk/entry-problem.ts";
import type { Root } from "../disk/root.ts";
import { syncFileSystemNow } from "../disk/sync-file-system.ts";
import { openManifestWriter } from "../manifest/manifest-writer.ts";
import { KnownDamage } from "../own/known-damage.ts";
import type { IsDoubted } from "../own/partial-files.ts";
import { prepareFolder, recallTraits } from "../own/probe-folder.ts";
import { type Doubts, isDoubted } from "../own/sync-mark.ts";
import { PageStore } from "../stream/page-store.ts";
import { ScopeStore } from "../stream/scope-store.ts";
import { TreeOrder } from "../stream/tree-order.ts";
import { WantJudge } from "../wants/want-judge.ts";
import { CopyEngine } from "./copy-engine.ts";
import { DryEngine, type DryEngineSink } from "./dry-engine.ts";
import type { Engine } from "./engine.ts";
import type { TreeChanges } from "./engine-messages.ts";
import type { EngineSink } from "./engine-parts.ts";
import { FileWriter } from "./file-writer.ts";
import { FreeSpace } from "./free-space.ts";
import { SharedEntries } from "./shared-entries.ts";
import { EVERYTHING, finishTree, type SnapshotCopy, takeOverFrom } from "./snapshot-copy.ts";

/** Whose copy it is, for the manifest. */
interface CopyOrigin {
  readonly session: string;
  readonly sessionId: string;
  /** Identity of the source. */
  readonly source: string;
  /** Wall clock at the start, in milliseconds since 1970. */
  readonly startedMs: number;
}

export interface CopyOptions {
  readonly origin: CopyOrigin;
  /** Counts what the root could not carry exactly. */
  readonly fidelity: FidelityTally;
  /** Times whose files may have been lost with the power. */
  readonly doubts: Doubts;
  readonly numericIds: boolean;
  /** What this sink's own people allow to be deleted. */
  readonly deletion: DeletionPolicy;
  /** Whether devices are made. */
  readonly specials: boolean;
  /** Whether anything is synced: the manifest before it counts, and the copy before anything is deleted. */
  readonly isSynced: boolean;
  /** Called now and then while much is read. */
  readonly onBusy: () => void;
  /** What the disk has left, in bytes. @default what the root says */
  readonly freeBytes?: () => number;
  /** Whether the source compares what is held of a file with its own. @default true */
  readonly hashesHeld?: boolean;
  /** How many entries with several names may wait for the end. */
  readonly sharedMax?: number;
  /** The copy is to be a snapshot, and is nobody's to look at until then. @default it fills a folder */
  readonly snapshot?: SnapshotCopy | undefined;
}

/** How a copy ended: whether what is left of unfinished files is kept for the next one. */
type CopyEnd = "proven" | "full" | "failed";

/** The copy of one stream into one folder. */
export interface OpenCopy<E extends Engine = Engine> {
  readonly engine: E;
  /** The source asks for a deletion behind the sync. */
  readonly deletes: boolean;
  /** Files so far whose content was not looked at. */
  readonly takenAsUnchanged: TakenAsUnchanged | undefined;
  /** Of a copy that is to be a snapshot, once it is proven: what it is to the newest one. Nothing is in it that is not the source's. */
  finishTree(): TreeChanges | undefined;
  /** Deletes what the source asked for, within the policy of this sink. */
  delete(out: DeletionOut): Deletion | undefined;
  /** Whether the folder is still the one that was opened. */
  isWhole(): boolean;
  /** Lets go of everything, the root included. Idempotent. */
  release(end: CopyEnd): void;
}

/** A copy whose content is looked at while it comes. */
export interface FillingCopy extends OpenCopy<CopyEngine> {
  readonly content: StoredContent;
}

/** What is stored of files that have no name yet. */
export type StoredContent = Pick<FileWriter, "digest" | "discard">;

/** Prepares the folder of an open root, and assembles the engine that fills it. Takes the root over. */
export function openCopy(root: Root, options: CopyOptions, out: EngineSink): FillingCopy {
  const { origin, fidelity, doubts, numericIds, specials, onBusy, snapshot, hashesHeld } = options;
  const doubted = (ctimeMs: number) => isDoubted(doubts, ctimeMs);
  using opening = new DisposableStack();
  opening.use(root);
  opening.use(snapshot?.basis);
  opening.use(snapshot?.all);
  prepareFolder(root, origin.startedMs, doubted);
  const scope = opening.use(new ScopeStore());
  const pageStore = opening.use(new PageStore(SpillFile.open()));
  const order = opening.use(new TreeOrder({ pageStore, random: systemRandom }));
  const tree = opening.use(new TreeDigest(() => SpillFile.open()));
  const { startedMs: timeMs, ...from } = origin;
  const meta = { ...from, timeMs, numericIds, asRoot: root.metadata.isRoot };
  const manifest = openManifestWriter(root, meta, options.isSynced);
  const space = new FreeSpace(options.freeBytes ?? (() => root.freeBytes()));
  const { pieces, lookUps, older, same } = heldContent(root, { ...options, space }, doubted);
  const writer = new FileWriter({ root, onBusy, pieces, same });
  root.metadata.onLack = (entry, what) => manifest.lacks(entry, what);
  // Other names are snapshots': there is nothing to wait for.
  const shared = new SharedEntries(snapshot === undefined ? options.sharedMax : 0);
  const takeOver = snapshot && takeOverFrom(snapshot, { root, pageStore, isDoubted: doubted });
  const recipes = opening.use(new OpenRecipes({ older, lookUps, out }));
  const judge = new WantJudge({ root, space, shared, older, same, isDoubted: doubted, onBusy, hashesHeld });
  const usual = { root, pageStore, scope, policy: options.deletion, onBusy: () => undefined };
  const deletion =
    snapshot === undefined ? usual : { ...usual, scope: EVERYTHING, policy: { forbidden: false }, onBusy };
  /** Entries that went because they stood in the way of others. */
  let cleared = 0;
  const clearWay = (paths: readonly Buffer[]): void => {
    const onDeleted = (path: string): void => out.deleted(path);
    // What goes may have a new name in this very copy: that must be on the disk before.
    if (options.isSynced) syncFileSystemNow(root.directory(Buffer.alloc(0)).fd);
    cleared = clearExtrasIn(deletion, paths, { onDeleted, onProblem: () => undefined });
  };
  const engine = new CopyEngine(
    {
      ...{ root, pageStore, order, writer, recipes, judge, space, shared, takeOver, manifest, tree },
      ...{ fidelity, scope, specials, onBusy, clearWay },
      mayClear: () => deletion.scope.limit !== undefined,
      isDoubted: doubted,
    },
    out,
  );
  const parts = opening.move();
  return {
    engine,
    content: writer,
    get deletes() {
      return snapshot === undefined && scope.limit !== undefined;
    },
    finishTree: () => snapshot && finishTree(deletion, { snapshot, takeOver, out }),
    get takenAsUnchanged() {
      return manifest.takenAsUnchanged;
    },
    delete: (deletionOut) => deleteExtras({ ...deletion, cleared }, deletionOut),
    isWhole: () => root.isWhole(),
    release(end) {
      if (parts.disposed) return;
      writer[Symbol.dispose]();
      manifest.discard();
      if (end === "proven") pieces.save();
      if (end === "proven") root.partials.clear();
      else readable(() => root.partials.clearKept());
      if (end === "full") root.partials.clearUnused();
      parts.dispose();
    },
  };
}

/** Of what is here already a file can be made that comes. */
function heldContent(
  root: Root,
  { snapshot, hashesHeld, onBusy, space }: CopyOptions & { readonly space: FreeSpace },
  doubted: IsDoubted,
) {
  const basis = snapshot?.basis;
  const pieces = new KnownPieces({ root, basis, all: snapshot?.all, isDoubted: doubted });
  const same = new SameContent({ root, basis, space, onBusy });
  const lookUps = new LookUps(onBusy);
  return {
    ...{ pieces, lookUps },
    older: new OlderFiles({ root, basis, pieces, lookUps }),
    same: same.isKnown && hashesHeld !== false ? same : undefined,
  };
}

interface DryRunOptions {
  readonly doubts: Doubts;
  readonly deletion: DeletionPolicy;
  /** The copy would be a snapshot. @default it would fill the folder */
  readonly isSnapshot?: boolean;
  readonly onBusy: () => void;
}

/** The same for a dry run: nothing is prepared, and nothing is there to be cleaned. Takes the root over. */
export function openDryRun(root: Root, options: DryRunOptions, out: DryEngineSink): OpenCopy {
  using opening = new DisposableStack();
  opening.use(root);
  root.metadata.traits = recallTraits(root);
  root.damage = KnownDamage.read(root);
  const { doubts, deletion, isSnapshot = false, onBusy } = options;
  const scope = opening.use(new ScopeStore());
  const pageStore = opening.use(new PageStore(SpillFile.open()));
  const order = opening.use(new TreeOrder({ pageStore, random: systemRandom }));
  const judged = { isDoubted: (ctimeMs: number) => isDoubted(doubts, ctimeMs), onBusy };
  const engine = new DryEngine({ root, pageStore, order, scope, policy: deletion, isSnapshot, ...judged }, out);
  const parts = opening.move();
  return {
    engine,
    deletes: false,
    finishTree: () => undefined,
    takenAsUnchanged: undefined,
    delete: () => undefined,
    isWhole: () => root.isThere(),
    release: () => parts.dispose(),
  };
}

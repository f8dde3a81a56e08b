import { inSlices } from "../../lib/async/in-slices.ts";
import type { Clock } from "../../lib/clock.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { type FilePath, pathIn } from "../../lib/folder/file-path.ts";
import { folderError } from "../../lib/folder/folder-error.ts";
import type { Random } from "../../lib/random.ts";
import { type Entry, entryDisplay, entryPath } from "../../protocol/frame/page.ts";
import { blake3 } from "../../protocol/hash/blake3.ts";
import { type FidelityReport, FidelityTally } from "../../protocol/messages/fidelity.ts";
import type { Problem } from "../../protocol/messages/progress.ts";
import { diskError, entryInTheWay, spared } from "../disk/entry-problem.ts";
import { holdsNothing } from "../disk/fillable.ts";
import { Root } from "../disk/root.ts";
import { openFileSystemSync } from "../disk/sync-file-system.ts";
import { type FillingCopy, openCopy } from "../engine/open-copy.ts";
import { openSinkFolder } from "../own/sink-folder.ts";
import type { SnapshotFolder } from "../snapshots/open-snapshots.ts";
import { checkTarget, clearTarget, markTarget } from "../snapshots/restore-target.ts";
import { type SnapshotEntry, SnapshotTree } from "../snapshots/snapshot-tree.ts";
import type { WantMessage } from "../wants/page-wants.ts";
import { READ_REASONS, RestoreFeed } from "./restore-feed.ts";
import { RestorePages } from "./restore-pages.ts";
import { RestorePart } from "./restore-part.ts";

export interface RestoreOptions {
  readonly folder: SnapshotFolder;
  /** Name of the snapshot. */
  readonly snapshot: string;
  /** Paths in it; none: all of it. */
  readonly paths: readonly Uint8Array[];
  readonly to: FilePath;
  readonly overwrite: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
  readonly onEntry?: ((entry: Entry) => void) | undefined;
  readonly onProblem: (problem: Problem) => void;
}

export interface RestoreCounts {
  readonly entries: number;
  readonly files: number;
  readonly bytes: number;
}

interface RestoreResult extends RestoreCounts {
  /** Of the files: those that were there already, with the same content. */
  readonly filesThere: number;
  /** Of the bytes: those of large files that were begun earlier, and were not copied again. */
  readonly bytesHeld: number;
  /** Files of which no hash was known: they are as they were found in the snapshot. */
  readonly filesUnproven: number;
  readonly problemCount: number;
  readonly fidelity: FidelityReport;
}

/** Lists what a restore would make. Nothing is changed. */
export async function listRestore(options: RestoreOptions): Promise<RestoreCounts> {
  const { folder, snapshot, paths, onEntry } = options;
  using tree = SnapshotTree.open(folder.directories, snapshot);
  const part = new RestorePart(paths);
  checkTarget(options.to, targetOf(options, tree));
  const counts = { entries: 0, files: 0, bytes: 0 };
  await inSlices(
    (function* () {
      yield* tree.index();
      for (const held of tree.entries()) {
        yield;
        if (!part.has(held.entry)) continue;
        counts.entries += 1;
        if (held.entry.kind === "file") counts.files += 1;
        counts.bytes += held.size;
        onEntry?.(held.entry);
      }
    })(),
    options,
  );
  checkFound(part, snapshot);
  return counts;
}

/**
 * Restores a snapshot, or a part of it, into another folder: all that the sink's copy has, checked against the hashes of its
 * manifest. What is not what was proven is left out, and told. A restore that was killed goes on when it is called again.
 *
 * @throws FanfoldError
 */
export async function restoreSnapshot(options: RestoreOptions): Promise<RestoreResult> {
  const { folder, snapshot, paths, to, random, clock } = options;
  using tree = SnapshotTree.open(folder.directories, snapshot);
  const part = new RestorePart(paths);
  const target = targetOf(options, tree);
  try {
    checkTarget(to, target);
  } catch (thrown) {
    throw folderError("cannot restore", thrown);
  }
  await inSlices(tree.index(), options);
  if (!part.isAll) await inSlices(namesOf(tree, part), options);
  checkFound(part, snapshot);
  using place = openSinkFolder(to, random);
  markTarget(place.path, target.work);
  using from = Root.open(pathIn(folder.path, snapshot));
  const result = await new Restore(options, {
    tree,
    part,
    from,
    to: place.path,
    startedMs: clock.date().getTime(),
  }).run();
  clearTarget(place.path);
  return result;
}

interface RestoreWork {
  readonly tree: SnapshotTree;
  readonly part: RestorePart;
  /** The snapshot's tree. */
  readonly from: Root;
  readonly to: Buffer;
  readonly startedMs: number;
}

class Restore {
  readonly #options: RestoreOptions;
  readonly #work: RestoreWork;
  readonly #pages = new RestorePages();
  readonly #fidelity = new FidelityTally();
  #want: WantMessage | undefined;
  #problems = 0;

  constructor(options: RestoreOptions, work: RestoreWork) {
    this.#options = options;
    this.#work = work;
  }

  async run(): Promise<RestoreResult> {
    const { to, tree } = this.#work;
    using sync = openFileSystemSync(to);
    const { numericIds } = tree.manifest.meta;
    const root = Root.open(to, { tally: this.#fidelity, numericIds });
    const copy = this.#open(root);
    let isProven = false;
    try {
      using feed = new RestoreFeed({
        from: this.#work.from,
        engine: copy.engine,
        content: copy.content,
        wanted: () => this.#want,
        onProblem: (problem) => this.#tell(problem),
      });
      await inSlices(this.#steps(feed, root), this.#options);
      await sync.sync(this.#options.signal);
      isProven = true;
      const { counts } = copy.engine;
      return {
        entries: this.#pages.entries,
        files: counts.filesFound,
        bytes: counts.bytesFound,
        filesThere: counts.filesUnchanged,
        bytesHeld: feed.bytesHeld,
        filesUnproven: feed.unproven,
        problemCount: this.#problems,
        fidelity: this.#fidelity.report(),
      };
    } catch (thrown) {
      throw diskError(thrown, to, copy.isWhole());
    } finally {
      copy.release(isProven ? "proven" : "failed");
    }
  }

  *#steps(feed: RestoreFeed, to: Root): Generator<void, void, undefined> {
    const { tree, part } = this.#work;
    for (const held of tree.entries()) {
      if (!part.has(held.entry)) continue;
      if (held.entry.kind === "hardlink" && held.first === undefined) {
        const message = "not restored: it is another name of something that is not in the snapshot";
        this.#tell({ path: entryDisplay(held.entry), kind: "not-carried", message });
        continue;
      }
      const problem = this.#whyNotNamed(held, to);
      if (problem !== undefined) {
        this.#tell(problem);
        continue;
      }
      this.#options.onEntry?.(held.entry);
      const full = this.#pages.add(held, tree.hasFurtherNames(held.number));
      if (full !== undefined) yield* feed.page(full);
      yield;
    }
    const last = this.#pages.end();
    if (last !== undefined) yield* feed.page(last);
    feed.end(this.#pages);
  }

  /**
   * Why one name of something that has several cannot come back. It is left out beforehand, so that another one of them is the
   * first.
   */
  #whyNotNamed({ entry, number }: SnapshotEntry, to: Root): Problem | undefined {
    const { tree, from } = this.#work;
    if (entry.kind === "directory" || (entry.kind !== "hardlink" && !tree.hasFurtherNames(number))) return undefined;
    if (isFilledDirectory(to, entry)) return entryInTheWay(entry);
    if (spared(() => from.find(entry.directory, entry.name)) !== undefined) return undefined;
    return { path: entryDisplay(entry), kind: "unreadable", message: `not restored: ${READ_REASONS.ENOENT}` };
  }

  #open(root: Root): FillingCopy {
    const { tree, startedMs } = this.#work;
    const { session, sessionId, source, numericIds } = tree.manifest.meta;
    const fidelity = this.#fidelity;
    return openCopy(
      root,
      {
        ...{ origin: { session, sessionId, source, startedMs }, fidelity, numericIds, specials: true, isSynced: true },
        ...{ doubts: [], deletion: { forbidden: true }, hashesHeld: false, onBusy: () => undefined },
      },
      {
        want: (want) => {
          this.#want = want;
        },
        // Nobody sends a recipe here.
        lacks: () => undefined,
        settled: () => undefined,
        file: () => undefined,
        problem: (problem) => this.#tell(problem),
        deleted: () => undefined,
      },
    );
  }

  #tell(problem: Problem): void {
    this.#problems += 1;
    this.#options.onProblem(problem);
  }
}

function targetOf({ folder, snapshot, paths, overwrite }: RestoreOptions, { manifest }: SnapshotTree) {
  const digest = Buffer.from(manifest.end.digest).toString("hex");
  const work = JSON.stringify({ snapshot, digest, paths: paths.map((path) => Buffer.from(path).toString("hex")) });
  return { from: folder.path, work: blake3(Buffer.from(work)).toString("hex"), overwrite };
}

/** Whether a directory with something in it stands in the place of an entry. */
function isFilledDirectory(root: Root, entry: Entry): boolean {
  const { directory, name } = entry;
  const isFilled = (): boolean =>
    root.find(directory, name)?.isDirectory() === true && !holdsNothing(root.names(entryPath(entry)));
  return spared(isFilled) ?? false;
}

/** Finds which of the paths there are. */
function* namesOf(tree: SnapshotTree, part: RestorePart): Generator<void, void, undefined> {
  for (const { entry } of tree.entries()) {
    part.has(entry);
    yield;
  }
}

/** @throws FanfoldError `usage` */
function checkFound({ missing }: RestorePart, snapshot: string): void {
  const [first] = missing;
  if (first === undefined) return;
  const text = `cannot restore "${first}": the snapshot ${snapshot} has no such entry; "fanfold find" says which have`;
  throw new FanfoldError("usage", text);
}

/** For people: a directory ends with a slash. */
export function restoredPath(entry: Entry): string {
  const shown = entryDisplay(entry);
  return entry.kind === "directory" && entryPath(entry).length > 0 ? `${shown}/` : shown;
}

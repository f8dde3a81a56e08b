import { fsyncSync, lstatSync, readlinkSync } from "node:fs";
import type { Clock } from "../../lib/clock.ts";
import { Directories, joined } from "../../lib/disk/directories.ts";
import { namesByPath } from "../../lib/disk/directory-names.ts";
import { FanfoldError, systemCode } from "../../lib/errors.ts";
import { shownPath } from "../../lib/folder/file-path.ts";
import type { FidelityReport } from "../../protocol/messages/fidelity.ts";
import type { TakenAsUnchanged } from "../../protocol/messages/taken.ts";
import { OWN_FOLDER } from "../../protocol/names/relative-path.ts";
import { removeTree } from "../disk/remove-tree.ts";
import type { TreeChanges } from "../engine/engine-messages.ts";
import { MANIFEST } from "../manifest/manifest.ts";
import { placeIn, removeOwnFile, writeOwnFile } from "../own/own-files.ts";
import type { SinkFolder } from "../own/sink-folder.ts";
import { latestName, readSnapshotFacts, SNAPSHOTS_FOLDER, snapshotNames, snapshotPlace } from "./catalogue.ts";
import { doomSnapshot } from "./doomed.ts";
import { makeFirst, noteMirror } from "./first-snapshot.ts";
import { endMove } from "./move-entry.ts";
import { linkManifest, makeFactsFolder, placeTree, switchLatest } from "./move-tree.ts";
import { NEXT } from "./next-tree.ts";
import { type PendingCommit, readPending, removePending, writePending } from "./pending-commit.ts";
import { encodeSnapshotFacts, SNAPSHOT_FILES, type SnapshotFacts } from "./snapshot-facts.ts";
import { LATEST, nextSnapshotName, snapshotTimeMs } from "./snapshot-name.ts";

/** A tree that stands in `.fanfold/next`, proven and synced. */
export interface ProvenTree extends Pick<SnapshotFacts, "session" | "sessionId" | "source"> {
  readonly files: number;
  readonly bytes: number;
  readonly digest: string;
  readonly problemCount: number;
  readonly takenAsUnchanged: TakenAsUnchanged | undefined;
  readonly fidelity: FidelityReport;
  readonly changes: TreeChanges;
}

/** On what a tree waits before `latest` leads to it. */
export type CommitTerms = Pick<PendingCommit, "coordinator" | "sessionId" | "epoch" | "otherwise">;

/** What was decided on a snapshot that waited. */
interface SettledSnapshot {
  readonly name: string;
  readonly becomes: "switched" | "dropped" | "kept";
}

/** What became of it. */
export interface KeptTree {
  readonly name: string;
  /** False: that snapshot is the same, and was proven again. The tree is not needed. */
  readonly isNew: boolean;
  /** How many snapshots there are now. */
  readonly kept: number;
}

/** The snapshots of a sink's folder while this process holds its lock. Part of the door to the disk (D11). */
export class SnapshotStore implements Disposable {
  /** The one that was made of a plain mirror just now. */
  first: string | undefined;
  readonly #directories: Directories;
  readonly #clock: Clock;

  private constructor(directories: Directories, clock: Clock) {
    this.#directories = directories;
    this.#clock = clock;
  }

  /**
   * Opens those of a folder, and finishes what a process that was killed has left between two steps. Where it kept none until
   * now, what was copied into it becomes the first one.
   *
   * @throws FanfoldError `folder-denied`, `manifest-damaged`; system errors
   */
  static open(folder: Pick<SinkFolder, "path" | "keepsSnapshots" | "keepSnapshots">, clock: Clock): SnapshotStore {
    const directories = Directories.open(folder.path, process.platform);
    try {
      const store = new SnapshotStore(directories, clock);
      if (!folder.keepsSnapshots) noteMirror(directories);
      // Before anything is moved: nobody takes what is left for a plain mirror.
      folder.keepSnapshots();
      endMove(directories);
      store.first = makeFirst(directories);
      store.#recover(folder.path);
      return store;
    } catch (thrown) {
      directories[Symbol.dispose]();
      throw thrown;
    }
  }

  /** Of the newest one. */
  get newest(): string | undefined {
    return snapshotNames(this.#directories).at(-1);
  }

  /**
   * Makes a snapshot of the tree in work, unless the newest one is the same. With `commit` it waits for what its session decides
   * before `latest` leads to it. Throws system errors.
   */
  keep(tree: ProvenTree, commit?: CommitTerms): KeptTree {
    const { newest } = this;
    const known = newest === undefined ? undefined : readSnapshotFacts(this.#directories, newest);
    if (known === undefined || known instanceof FanfoldError || !isSame(known, tree))
      return this.#add(tree, newest, commit);
    this.#provenAgain(known, tree);
    const { name, digest } = known;
    const before = this.pending;
    const isWaiting = before?.name === name;
    // Made by this very session, before it proved it once more.
    const isNew = isWaiting && before.isNew;
    if (commit !== undefined) writePending(this.#directories, { ...commit, name, digest, isNew });
    else {
      this.#switchTo(name);
      if (isWaiting) removePending(this.#directories);
    }
    return { name, isNew: false, kept: this.#count };
  }

  /** What waits for the decision of its session. Throws system errors. */
  get pending(): PendingCommit | undefined {
    return readPending(this.#directories);
  }

  /**
   * Does what the session of what waits has decided: to switch to the tree of this digest, or to nothing. Gives what became of
   * it; undefined when nothing waits. Throws system errors.
   */
  settle(digest: string | undefined): SettledSnapshot | undefined {
    const { pending } = this;
    if (pending === undefined) return undefined;
    const { name, isNew, otherwise } = pending;
    const isThere = this.#find(name) !== undefined;
    const isSwitched = isThere && pending.digest === digest;
    const isLatest = latestName(this.#directories) === name;
    const isDropped = !isSwitched && !isLatest && (!isThere || (isNew && otherwise === "drop"));
    if (isSwitched) this.#switchTo(name);
    else if (isThere && isDropped) this.#drop(name);
    removePending(this.#directories);
    return { name, becomes: isSwitched ? "switched" : isDropped ? "dropped" : "kept" };
  }

  /** What the sink signed of it. Throws system errors. */
  keepReceipt(name: string, receipt: string): void {
    writeOwnFile(snapshotPlace(this.#directories, name), SNAPSHOT_FILES.receipt, `${receipt}\n`);
  }

  [Symbol.dispose](): void {
    this.#directories[Symbol.dispose]();
  }

  /**
   * With it goes the manifest that its copy left: nothing that this proved of a file holds for those of the snapshots before, which may
   * be damaged where this one was mended. The next copy reads them. In this order, because a kill may come in between.
   */
  #drop(name: string): void {
    removeOwnFile(placeIn(this.#directories), MANIFEST);
    fsyncSync(this.#directories.get(Buffer.from(OWN_FOLDER)).fd);
    doomSnapshot(this.#directories, name);
  }

  get #count(): number {
    return snapshotNames(this.#directories).length;
  }

  /** A later one stays the one that `latest` leads to. */
  #switchTo(name: string): void {
    const latest = latestName(this.#directories);
    if (latest === undefined || latest < name) switchLatest(this.#directories, name);
    this.#takeIn(name);
  }

  #takeIn(name: string): void {
    const facts = readSnapshotFacts(this.#directories, name);
    if (facts instanceof FanfoldError || facts.setAside !== true) return;
    const { setAside: _, version: __, ...rest } = facts;
    this.#writeFacts(rest);
  }

  #add(tree: ProvenTree, newest: string | undefined, commit: CommitTerms | undefined): KeptTree {
    const directories = this.#directories;
    const provenAt = this.#clock.date();
    const name = this.#freeName(provenAt.getTime(), newest);
    const { changes, fidelity, takenAsUnchanged, ...facts } = tree;
    makeFactsFolder(directories, name);
    this.#writeFidelity(name, fidelity);
    this.#writeFacts({
      name,
      ...facts,
      bytesNew: tree.bytes - Math.min(tree.bytes, changes.bytesShared),
      createdAt: provenAt.toISOString(),
      provenAt: provenAt.toISOString(),
      proofs: 1,
      ...(commit === undefined ? {} : { setAside: true }),
      ...(takenAsUnchanged === undefined ? {} : { takenAsUnchanged }),
    });
    if (commit !== undefined) writePending(directories, { ...commit, name, digest: tree.digest, isNew: true });
    placeTree(directories, NEXT, name);
    if (commit === undefined) switchLatest(directories, name);
    return { name, isNew: true, kept: this.#count };
  }

  #provenAgain(known: SnapshotFacts, { takenAsUnchanged, fidelity }: ProvenTree): void {
    const { takenAsUnchanged: _, version: __, ...facts } = known;
    linkManifest(this.#directories, known.name);
    this.#writeFidelity(known.name, fidelity);
    this.#writeFacts({
      ...facts,
      proofs: known.proofs + 1,
      provenAgainAt: this.#clock.date().toISOString(),
      ...(takenAsUnchanged === undefined ? {} : { takenAsUnchanged }),
    });
  }

  #writeFidelity(name: string, fidelity: FidelityReport): void {
    const text = `${JSON.stringify(fidelity)}\n`;
    writeOwnFile(snapshotPlace(this.#directories, name), SNAPSHOT_FILES.fidelity, text);
  }

  #writeFacts(facts: Omit<SnapshotFacts, "version">): void {
    const place = snapshotPlace(this.#directories, facts.name);
    writeOwnFile(place, SNAPSHOT_FILES.facts, encodeSnapshotFacts(facts));
  }

  /** Later than the newest one, and nothing stands there. */
  #freeName(timeMs: number, newest: string | undefined): string {
    let name = nextSnapshotName(timeMs, newest);
    while (this.#find(name) !== undefined) name = nextSnapshotName(timeMs, name);
    return name;
  }

  #find(name: string) {
    return lstatSync(joined(this.#directories.root, Buffer.from(name)), { throwIfNoEntry: false });
  }

  #recover(folder: Buffer): void {
    const names = snapshotNames(this.#directories);
    const latest = this.#find(LATEST);
    if (latest !== undefined && !latest.isSymbolicLink())
      throw new FanfoldError(
        "folder-denied",
        `cannot keep snapshots in "${shownPath(folder)}": "${LATEST}" in it is no symbolic link; move it away`,
      );
    const newest = this.#newestTaken(names);
    const target = this.#target(latest !== undefined);
    const leadsBack = target === undefined || !names.includes(target) || (newest !== undefined && target < newest);
    if (newest !== undefined && leadsBack) switchLatest(this.#directories, newest);
    this.#removeLoneFacts(new Set(names));
  }

  /** The newest one that `latest` is to lead to: none that waits for a decision, or did not get one. */
  #newestTaken(names: readonly string[]): string | undefined {
    return names.findLast((name) => {
      const facts = readSnapshotFacts(this.#directories, name);
      return facts instanceof FanfoldError || facts.setAside !== true;
    });
  }

  #target(isThere: boolean): string | undefined {
    return isThere ? readlinkSync(joined(this.#directories.root, Buffer.from(LATEST)), "latin1") : undefined;
  }

  /** Facts whose tree never got its place, or is gone. */
  #removeLoneFacts(names: ReadonlySet<string>): void {
    const folder = Buffer.from(`${OWN_FOLDER}/${SNAPSHOTS_FOLDER}`);
    for (const name of this.#factsNames(folder))
      if (snapshotTimeMs(name) !== undefined && !names.has(name))
        removeTree(this.#directories.get(folder), Buffer.from(name));
  }

  #factsNames(folder: Buffer): string[] {
    try {
      return [...namesByPath(this.#directories.get(folder).base)].flat().map((name) => name.toString("latin1"));
    } catch (thrown) {
      if (systemCode(thrown) !== "ENOENT") throw thrown;
      return [];
    }
  }
}

/** A tree in which nothing was touched may still lack what the snapshot has: then its digest is another. */
function isSame(known: SnapshotFacts, { digest, problemCount, source, changes }: ProvenTree): boolean {
  if (changes.isChanged || known.digest !== digest) return false;
  return known.problemCount === problemCount && known.source.key === source.key;
}

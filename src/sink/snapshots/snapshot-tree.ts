import type { Directories } from "../../lib/disk/directories.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { type Entry, KEEPS_ALL, type Keeps } from "../../protocol/frame/page.ts";
import { PathTable } from "../deletion/path-table.ts";
import { type ManifestState, manifestStateOf } from "../manifest/manifest.ts";
import { ManifestReader } from "../manifest/manifest-reader.ts";
import { type PromisedEntry, promisedEntry } from "../verify/compare-entry.ts";
import { snapshotPlace } from "./catalogue.ts";
import { SNAPSHOT_FILES } from "./snapshot-facts.ts";

/** An entry that a snapshot holds, as it was proven. */
export interface SnapshotEntry extends PromisedEntry {
  /** By which its further names call it. */
  readonly number: number;
  readonly keeps: Keeps;
  /** Of a further name: the first one, where that is in the snapshot. */
  readonly first?: PromisedEntry | undefined;
}

/**
 * What a snapshot holds, by its manifest: each path once, as it was proven last, in the order of the walk. Directories stand
 * before what is in them, and first names before further ones. A file that had to be read again stands at the end. The manifest is
 * read twice: first for its paths, then entry by entry. Memory holds the table of paths, and one page.
 *
 * Synchronous, in steps: whoever drives it may stop between any two.
 */
export class SnapshotTree implements Disposable {
  readonly manifest: ManifestReader;
  readonly #paths: PathTable;
  /** Entries that turned out not to be carried. */
  readonly #declared = new Set<number>();
  /** Entries that have further names, once they have come up. */
  readonly #firsts = new Map<number, PromisedEntry | undefined>();
  /** Numbers by which further names call files that were read again, by those that these have now. */
  readonly #again = new Map<number, number>();

  private constructor(manifest: ManifestReader) {
    this.manifest = manifest;
    this.#paths = new PathTable(manifest.end.entries);
  }

  /** @throws FanfoldError `manifest-missing`, `manifest-damaged`; system errors */
  static open(directories: Directories, name: string): SnapshotTree {
    const manifest = ManifestReader.open(snapshotPlace(directories, name), SNAPSHOT_FILES.manifest);
    if (manifest !== undefined) return new SnapshotTree(manifest);
    throw new FanfoldError("manifest-missing", `cannot read the snapshot ${name}: it has no manifest`);
  }

  /** Reads the paths; before anything else. @throws FanfoldError `manifest-damaged` */
  *index(): Generator<void, void, undefined> {
    for (const { rows } of this.manifest.pages({ declared: (entry) => this.#declared.add(entry) })) {
      for (const entry of rows.entries()) {
        this.#paths.add(entry.directory, entry.name, entry.entry);
        if (entry.kind === "hardlink") this.#firsts.set(entry.to, undefined);
      }
      yield;
    }
  }

  /** Number of the entry under a path, if the snapshot may hold one. */
  numberOf(directory: Uint8Array, name: Uint8Array): number | undefined {
    return this.#paths.last(directory, name);
  }

  /** Whether other names of it come behind it. */
  hasFurtherNames(entry: number): boolean {
    return this.#firsts.has(entry);
  }

  /** Every entry that the snapshot holds. @throws FanfoldError `manifest-damaged` */
  *entries(): Generator<SnapshotEntry, void, undefined> {
    const late: SnapshotEntry[] = [];
    this.#again.clear();
    for (const { rows, states } of this.manifest.pages()) {
      const keeps = rows.keeps.perms && rows.keeps.times ? KEEPS_ALL : rows.keeps;
      for (const [index, entry] of rows.entries().entries()) {
        const held = this.#take(entry, manifestStateOf(states, index), keeps);
        if (held === undefined) continue;
        if (entry.kind === "hardlink" && this.#firsts.get(entry.to) === undefined) late.push(held);
        else yield this.#withFirst(held);
      }
    }
    // Their first names came behind them, or are not there.
    for (const held of late) yield this.#withFirst(held);
  }

  [Symbol.dispose](): void {
    this.manifest[Symbol.dispose]();
  }

  /** Undefined when it is not the last one of its path, or was not carried. */
  #take(entry: Entry, state: ManifestState, keeps: Keeps): SnapshotEntry | undefined {
    const last = this.#paths.last(entry.directory, entry.name) ?? entry.entry;
    const number = this.#again.get(entry.entry) ?? entry.entry;
    if (last !== entry.entry && this.#firsts.has(number)) this.#again.set(last, number);
    if (last !== entry.entry || this.#declared.has(last)) return undefined;
    const promised = promisedEntry(entry, state);
    if (promised === undefined) return undefined;
    if (this.#firsts.has(number)) this.#firsts.set(number, promised);
    return { ...promised, keeps, number };
  }

  #withFirst(held: SnapshotEntry): SnapshotEntry {
    const { entry } = held;
    return entry.kind === "hardlink" ? { ...held, first: this.#firsts.get(entry.to) } : held;
  }
}

import { FanfoldError } from "../../lib/errors.ts";
import { IGNORE_FILES_MAX, PAGE_BYTES_MAX, PATH_BYTES_MAX } from "../../protocol/limits.ts";
import { type FilterGroup, TreeFilter } from "../../protocol/names/filter.ts";
import { encodeGroups, encodeScope } from "../../protocol/names/scope.ts";
import { readIgnoreFile } from "./ignore-file.ts";

/** Paths told to sinks at a time, in bytes of a table. */
const SPARED_BYTES_MAX = PAGE_BYTES_MAX - PATH_BYTES_MAX - 16;

/** A table for the sinks, of what they may not delete [P-8.1]. */
export interface WalkedScope {
  readonly type: "scope";
  readonly body: Uint8Array;
}

/** What a walk leaves out; and, when sinks are to delete what the source has not, what they have to know of that. */
export class WalkScope {
  readonly #filter: TreeFilter;
  readonly #deletes: boolean;
  readonly #untold: WalkedScope[] = [];
  #spared: Buffer[] = [];
  #sparedBytes = 0;
  #ignoreFiles = 0;
  #excluded = 0;

  constructor(groups: readonly FilterGroup[], deletes: boolean) {
    this.#filter = new TreeFilter(groups);
    this.#deletes = deletes;
    for (const body of encodeGroups(groups)) this.#tell(body);
  }

  /**
   * What is in this directory comes next.
   *
   * @param ignoreFile where its own rules can be read; undefined when it has none
   * @throws FanfoldError `usage` when it has rules of its own that cannot be used
   */
  enter(directory: Buffer, ignoreFile: Buffer | undefined): void {
    const own = ignoreFile === undefined ? undefined : readIgnoreFile(ignoreFile);
    if (own !== undefined) this.#ignoreFiles += 1;
    if (this.#ignoreFiles > IGNORE_FILES_MAX)
      throw new FanfoldError("usage", `there are more than ${IGNORE_FILES_MAX} of its kind`);
    this.#filter.enter(directory, own);
    if (own !== undefined) this.#tell(encodeScope({ kind: "directory", directory, rules: own.rules }));
  }

  /** Whether nothing in the present directory can be left out. */
  get isOpen(): boolean {
    return this.#filter.isEmpty;
  }

  excludes(path: Buffer, isDirectory: boolean): boolean {
    const isExcluded = this.#filter.excludes(path, isDirectory);
    if (isExcluded) this.#excluded += 1;
    return isExcluded;
  }

  /** Entries left out since this was asked last. */
  takeExcluded(): number {
    const excluded = this.#excluded;
    this.#excluded = 0;
    return excluded;
  }

  /** This entry is not carried, or was not looked into: what a sink has there is none of ours. */
  spare(path: Buffer): void {
    if (!this.#deletes) return;
    this.#spared.push(path);
    this.#sparedBytes += path.length + 2;
    if (this.#sparedBytes > SPARED_BYTES_MAX) this.#tellSpared();
  }

  /** What is to be told by now; with `all`, everything. */
  *take(all = false): Generator<WalkedScope, void, undefined> {
    if (all && this.#spared.length > 0) this.#tellSpared();
    yield* this.#untold.splice(0);
  }

  #tellSpared(): void {
    this.#tell(encodeScope({ kind: "spared", paths: this.#spared }));
    this.#spared = [];
    this.#sparedBytes = 0;
  }

  #tell(body: Uint8Array): void {
    if (this.#deletes) this.#untold.push({ type: "scope", body });
  }
}

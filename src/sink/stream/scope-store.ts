import { SpillFile, type SpillRecord } from "../../lib/disk/spill-file.ts";
import { damaged } from "../../protocol/frame/bytes.ts";
import { blake3 } from "../../protocol/hash/blake3.ts";
import { FILTER_BYTES_MAX, FILTER_RULES_MAX, IGNORE_FILES_MAX, IGNORE_RULES_MAX } from "../../protocol/limits.ts";
import type { DeleteLimit } from "../../protocol/messages/deletion.ts";
import type { FilterGroup, FilterRule } from "../../protocol/names/filter.ts";
import { decodeScope, type Scope } from "../../protocol/names/scope.ts";

/**
 * What a source says of what may be deleted [P-8.1]. Rules of directories and paths lie in a temporary file; memory holds
 * where, some tens of bytes for each table.
 */
export class ScopeStore implements Disposable {
  readonly #groups: FilterRule[][] = [];
  readonly #directories = new Map<string, SpillRecord>();
  readonly #spared: SpillRecord[] = [];
  #spill: SpillFile | undefined;
  #rules = 0;
  #ruleBytes = 0;
  #sparedPaths = 0;
  #limit: DeleteLimit | undefined;

  /** The source's own limit, once it has asked for the deletion. */
  get limit(): DeleteLimit | undefined {
    return this.#limit;
  }

  /** Rules that were given with the source's command. */
  get groups(): readonly FilterGroup[] {
    return this.#groups.map((rules) => ({ rules }));
  }

  get sparedPaths(): number {
    return this.#sparedPaths;
  }

  /** @throws FanfoldError `damaged` for what is no such table, comes too late, or is too much */
  add(table: Uint8Array): void {
    if (this.#limit !== undefined) throw damaged("has a rule about the deletion behind the order to delete");
    const scope = decodeScope(table);
    switch (scope.kind) {
      case "rules":
        this.#group(scope);
        break;
      case "directory":
        this.#directory(scope, table);
        break;
      case "spared":
        this.#spared.push(this.#append(table));
        this.#sparedPaths += scope.paths.length;
        break;
      case "delete":
        this.#limit = scope.limit;
        break;
      default:
        scope satisfies never;
    }
  }

  /** Rules that stand in a directory of the source. */
  rulesOf(directory: Uint8Array): FilterGroup | undefined {
    const record = this.#directories.get(keyOf(directory));
    const scope = record === undefined ? undefined : this.#read(record);
    return scope?.kind === "directory" && Buffer.compare(scope.directory, directory) === 0 ? scope : undefined;
  }

  /** Paths that are left alone, with all that is below them. */
  *spared(): Generator<Uint8Array, void, undefined> {
    for (const record of this.#spared) {
      const scope = this.#read(record);
      if (scope?.kind === "spared") yield* scope.paths;
    }
  }

  [Symbol.dispose](): void {
    this.#spill?.[Symbol.dispose]();
  }

  #group({ group, rules }: Extract<Scope, { kind: "rules" }>): void {
    if (group === this.#groups.length) this.#groups.push([]);
    if (group !== this.#groups.length - 1) throw damaged(`holds rules of group ${group} out of order`);
    this.#rules += rules.length;
    this.#ruleBytes += rules.reduce((sum, { pattern }) => sum + pattern.bytes.length, 0);
    const isTooMuch = this.#rules > FILTER_RULES_MAX || this.#ruleBytes > FILTER_BYTES_MAX;
    if (isTooMuch || group >= FILTER_RULES_MAX) throw damaged(`holds more than ${FILTER_RULES_MAX} rules`);
    this.#groups[group]?.push(...rules);
  }

  #directory({ directory, rules }: Extract<Scope, { kind: "directory" }>, table: Uint8Array): void {
    const key = keyOf(directory);
    if (rules.length > IGNORE_RULES_MAX || this.#directories.size >= IGNORE_FILES_MAX || this.#directories.has(key))
      throw damaged("holds rules of too many directories, or of one directory twice");
    this.#directories.set(key, this.#append(table));
  }

  #append(table: Uint8Array): SpillRecord {
    this.#spill ??= SpillFile.open();
    return this.#spill.append(table);
  }

  #read(record: SpillRecord): Scope | undefined {
    return this.#spill === undefined ? undefined : decodeScope(this.#spill.read(record));
  }
}

function keyOf(directory: Uint8Array): string {
  return blake3(directory).toString("latin1", 0, 16);
}

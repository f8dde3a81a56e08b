import { pathKey } from "../../lib/disk/directories.ts";
import type { Random } from "../../lib/random.ts";
import { joinPath } from "../../protocol/names/relative-path.ts";
import type { Shaped } from "../../protocol/shape/shape.ts";
import { shape } from "../../protocol/shape/shapes.ts";
import { type OwnPlace, ownNames, readOwnFile, removeOwnFile, writeOwnFile } from "./own-files.ts";

/*
 * The damage that `verify` found, in `.fanfold/damage`: paths whose content is not what was copied. Their size and time may
 * be right. A sink trusts none of them, and wants them in its next session. One line of JSON; each path is a text with one
 * character for each of its bytes.
 */
const FILE = "damage";
/** Checks may run beside one another: each writes aside under a name of its own. */
const DRAFT = /^damage\.[0-9a-f]{8}\.new$/;
/** With more than this, nothing in the folder is trusted. */
export const DAMAGE_PATHS_MAX = 65_536;
const DAMAGE_BYTES_MAX = 16 * 1024 * 1024;

const damageShape = shape.object({ everything: shape.flag(), paths: shape.list(shape.text()).max(DAMAGE_PATHS_MAX) });

/** A name in the folder. */
interface NamedPlace {
  readonly directory: Uint8Array;
  readonly name: Uint8Array;
}

/** The files of a sink's folder whose content is known to be damaged. */
export class KnownDamage {
  readonly #paths: Set<string>;
  #everything: boolean;
  #isTooMuch = false;
  #bytes: number;
  #isSaved = true;

  private constructor(paths: Iterable<string>, everything: boolean) {
    this.#paths = new Set(paths);
    this.#everything = everything;
    this.#bytes = [...this.#paths].reduce((sum, path) => sum + bytesOf(path), 0);
  }

  static none(): KnownDamage {
    return new KnownDamage([], false);
  }

  /** What a folder remembers. A list that cannot be understood may have held any file. Throws system errors. */
  static read(place: OwnPlace): KnownDamage {
    const bytes = readOwnFile(place, FILE, DAMAGE_BYTES_MAX);
    if (bytes === undefined) return KnownDamage.none();
    const found = bytes.length > DAMAGE_BYTES_MAX ? undefined : decoded(bytes);
    return new KnownDamage(found?.paths ?? [], found?.everything ?? true);
  }

  /** How many files; "all" when they are more than are remembered. */
  get files(): number | "all" {
    return this.#everything ? "all" : this.#paths.size;
  }

  /** Whether nothing is known of any file: most folders, most of the time. */
  get isEmpty(): boolean {
    return !this.#everything && this.#paths.size === 0;
  }

  has(place: NamedPlace): boolean {
    return !this.isEmpty && (this.#everything || this.#paths.has(keyOf(place)));
  }

  add(place: NamedPlace): void {
    const path = keyOf(place);
    if (this.#paths.has(path) || this.#isTooMuch) return;
    this.#isSaved = false;
    this.#bytes += bytesOf(path);
    if (this.#paths.size < DAMAGE_PATHS_MAX && this.#bytes <= DAMAGE_BYTES_MAX) this.#paths.add(path);
    else {
      this.#everything = true;
      this.#isTooMuch = true;
      this.#paths.clear();
    }
  }

  /** Its content is right again. */
  mend(place: NamedPlace): void {
    if (this.isEmpty) return;
    const path = keyOf(place);
    if (!this.#paths.delete(path)) return;
    this.#isSaved = false;
    this.#bytes -= bytesOf(path);
  }

  /** All files were looked at; those that are damaged were added one by one. */
  lookedAtAll(): void {
    if (!this.#everything || this.#isTooMuch) return;
    this.#everything = false;
    this.#isSaved = false;
  }

  /** Puts it on the disk as a whole, if it is another than there. Throws system errors. */
  save(place: OwnPlace, random: Random): void {
    if (this.#isSaved) return;
    if (this.isEmpty) removeOwnFile(place, FILE);
    else {
      const content = JSON.stringify({ everything: this.#everything, paths: [...this.#paths] });
      writeOwnFile(place, FILE, `${content}\n`, `${FILE}.${random.hex(4)}.new`);
    }
    this.#isSaved = true;
  }
}

/** Removes what checks left that were killed while they wrote. */
export function removeDamageDrafts(place: OwnPlace): void {
  for (const name of ownNames(place)) if (DRAFT.test(name)) removeOwnFile(place, name);
}

function decoded(bytes: Uint8Array): Shaped<typeof damageShape> | undefined {
  try {
    return damageShape.accept(JSON.parse(Buffer.from(bytes).toString()));
  } catch {
    return undefined;
  }
}

function keyOf({ directory, name }: NamedPlace): string {
  return pathKey(joinPath(directory, name));
}

/** At most, in the file: with its quotes, and a byte that JSON escapes is of six. */
function bytesOf(path: string): number {
  return 6 * path.length + 3;
}

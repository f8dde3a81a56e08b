import { NameTable } from "../../lib/disk/name-table.ts";
import { HASH_KEY_BYTES } from "../../lib/keyed-hash.ts";
import { type Random, systemRandom } from "../../lib/random.ts";
import { DIRECTORY_ENTRIES_MAX } from "../../protocol/limits.ts";

/** Names of one directory that are held and sorted at once; a larger directory is sorted in runs of this many. */
const NAMES_SORTED_MAX = 65_536;

/** Names of a directory, as they are read, in sorted runs, each name once. */
export function* sortedRuns(
  read: Iterable<Buffer[]>,
  random: Random = systemRandom,
): Generator<Buffer[], void, undefined> {
  const runs = new NameRuns(random);
  let names: Buffer[] = [];
  for (const some of read)
    for (const name of some) {
      names.push(name);
      if (names.length < NAMES_SORTED_MAX) continue;
      yield runs.run(names, false);
      names = [];
    }
  yield runs.run(names, true);
}

/**
 * Sorts runs of names, and leaves out names that came before. A system may list a name twice when the directory changes,
 * and a sink takes no path twice [P-4.3].
 */
export class NameRuns {
  readonly #random: Random;
  /** Names of the runs so far, in a directory that has more than one. */
  #seen: NameTable | undefined;

  constructor(random: Random) {
    this.#random = random;
  }

  /** @throws an error when there are more names than the wire carries of one directory */
  run(names: Buffer[], isLast: boolean): Buffer[] {
    names.sort(Buffer.compare);
    const once = names.filter((name, index) => names[index - 1]?.equals(name) !== true);
    if (isLast && this.#seen === undefined) return once;
    this.#seen ??= new NameTable(Buffer.from(this.#random.hex(HASH_KEY_BYTES), "hex"));
    const seen = this.#seen;
    if (seen.count + once.length > DIRECTORY_ENTRIES_MAX)
      throw new Error(`more than ${DIRECTORY_ENTRIES_MAX} entries in one directory; the others are not carried`);
    return once.filter((name) => {
      let isNew = true;
      seen.add(name, name.length, () => {
        isNew = false;
      });
      return isNew;
    });
  }
}

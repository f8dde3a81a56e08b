import type { NameList } from "../../lib/disk/name-list.ts";
import { SpillFile, type SpillRecord } from "../../lib/disk/spill-file.ts";
import { DIRECTORY_ENTRIES_MAX } from "../../protocol/limits.ts";

/** Names of one directory that are held and sorted at once; those of a larger one rest in a temporary file. */
const NAMES_SORTED_MAX = 65_536;
/** Names of a large directory that are given, or read back, at a time. */
const NAMES_GIVEN = 1024;

/**
 * All names of a directory, as they are read, sorted by their bytes, each once: a system may list a name twice when the
 * directory changes. The order is the same however the system lists them, so that the same tree has the same digest [P-7.2].
 * Of a directory with very many names, runs are sorted and merged by way of a temporary file; `isAll` is false then.
 *
 * @param read at each step further names of the directory are in `names`, in no order
 * @returns `names` each time, with other names in it
 * @throws an error behind the last name that the wire carries of one directory, when there are more
 */
export function* sortedNames(
  read: Iterable<void>,
  names: NameList,
  heldMax = NAMES_SORTED_MAX,
): Generator<{ readonly names: NameList; readonly isAll: boolean }, void, undefined> {
  using runs = new SpilledRuns();
  names.clear();
  for (const _step of read) {
    if (names.count < heldMax) continue;
    names.sort();
    runs.add(names);
    names.clear();
  }
  names.sort();
  if (runs.isEmpty) yield { names, isAll: true };
  else
    for (const some of once(runs.merged(listed(names)))) {
      names.clear();
      for (const name of some) names.add(name);
      yield { names, isAll: false };
    }
}

function listed(names: NameList, from = 0, to = names.count): Buffer[] {
  return Array.from({ length: Math.min(to, names.count) - from }, (_, index) => names.name(from + index));
}

/** Some at a time, each name once. */
function* once(sorted: Iterable<Buffer>): Generator<Buffer[], void, undefined> {
  let given: Buffer[] = [];
  let count = 0;
  let last: Buffer | undefined;
  for (const name of sorted) {
    if (last?.equals(name) === true) continue;
    last = name;
    if (count === DIRECTORY_ENTRIES_MAX) {
      yield given;
      throw new Error(`more than ${DIRECTORY_ENTRIES_MAX} entries in one directory; the others are not carried`);
    }
    count += 1;
    given.push(name);
    if (given.length < NAMES_GIVEN) continue;
    yield given;
    given = [];
  }
  yield given;
}

/** Sorted runs of names in a temporary file, which is there once there is one. */
class SpilledRuns implements Disposable {
  readonly #runs: SpillRecord[][] = [];
  #spill: SpillFile | undefined;

  get isEmpty(): boolean {
    return this.#runs.length === 0;
  }

  /** @throws FanfoldError `disk-full` or `disk-failed` */
  add(names: NameList): void {
    this.#spill ??= SpillFile.open();
    const records: SpillRecord[] = [];
    for (let from = 0; from < names.count; from += NAMES_GIVEN)
      records.push(this.#spill.append(packed(listed(names, from, from + NAMES_GIVEN))));
    this.#runs.push(records);
  }

  /** All of them and `rest`, which is sorted as well, in one order. */
  merged(rest: Iterable<Buffer>): Iterable<Buffer> {
    let streams: Iterable<Buffer>[] = [...this.#runs.map((records) => this.#names(records)), rest];
    while (streams.length > 1) {
      const pairs: Iterable<Buffer>[] = [];
      for (let index = 0; index < streams.length; index += 2)
        pairs.push(merge(streams[index] ?? [], streams[index + 1] ?? []));
      streams = pairs;
    }
    return streams[0] ?? [];
  }

  [Symbol.dispose](): void {
    this.#spill?.[Symbol.dispose]();
  }

  *#names(records: readonly SpillRecord[]): Generator<Buffer, void, undefined> {
    for (const record of records) if (this.#spill !== undefined) yield* unpacked(this.#spill.read(record));
  }
}

function* merge(left: Iterable<Buffer>, right: Iterable<Buffer>): Generator<Buffer, void, undefined> {
  const [one, other] = [left[Symbol.iterator](), right[Symbol.iterator]()];
  let [a, b] = [one.next(), other.next()];
  while (a.done !== true || b.done !== true) {
    if (b.done === true || (a.done !== true && Buffer.compare(a.value, b.value) <= 0)) {
      if (a.done === true) return;
      yield a.value;
      a = one.next();
    } else {
      yield b.value;
      b = other.next();
    }
  }
}

/** Each name behind its length, in two bytes. */
function packed(names: readonly Buffer[]): Buffer {
  const parts: Uint8Array[] = [];
  for (const name of names) parts.push(Uint8Array.of(name.length & 0xff, name.length >> 8), name);
  return Buffer.concat(parts);
}

function* unpacked(block: Buffer): Generator<Buffer, void, undefined> {
  for (let at = 0; at < block.length; ) {
    const start = at + 2;
    at = start + block.readUInt16LE(at);
    yield block.subarray(start, at);
  }
}

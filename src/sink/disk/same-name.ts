import { HASH_KEY_BYTES } from "../../lib/crypto/keyed-hash.ts";
import { pathKey } from "../../lib/disk/directories.ts";
import type { EntryStats } from "../../lib/disk/entry-stats.ts";
import { NameTable } from "../../lib/disk/name-table.ts";
import { systemRandom } from "../../lib/random.ts";
import { foldedName } from "../../protocol/names/folded-name.ts";
import { nameOf, OWN_FOLDER } from "../../protocol/names/relative-path.ts";
import { PARTIAL_FOLDER } from "../own/partial-files.ts";
import { spared } from "./entry-problem.ts";
import type { Root } from "./root.ts";

/*
 * Which names of a directory are one to its file system: part of the door to the disk (D11). What a file system does with names
 * is known to nobody else, and may differ from one directory to the next. So it is asked by the names that stand there.
 */
const UPPER_OR_LOWER = 0x20;
const NOWHERE = Buffer.alloc(0);
const OWN = Buffer.from(OWN_FOLDER);
const COMPOSED = "\u00e9";
/** Names by their folded form that are held at once: of a larger directory all are looked at each time. */
const FOLDED_MAX = 65_536;

/** What stands under a name; undefined when nothing does, or that cannot be told. Throws errors that concern more than this. */
export function reached(root: Root, directory: Uint8Array, name: Uint8Array): EntryStats | undefined {
  return spared(() => root.find(directory, name));
}

/**
 * Whether a directory is seen to tell names apart that differ in case. It is asked by a name that stands in it: nothing stands
 * under that name in the other case. A file system that takes any names as one does so with case, or with forms of Unicode alone.
 */
export function tellsCaseApart(root: Root, directory: Uint8Array, name: Uint8Array): boolean {
  const other = inOtherCase(name);
  return other !== undefined && reached(root, directory, other) === undefined;
}

/** The same of the root of the folder, before anything stands in it: it is asked by our own folder, which is there or around it. */
export function rootTellsCaseApart(root: Root): boolean {
  if (!root.isApart) return tellsCaseApart(root, NOWHERE, OWN);
  return tellsCaseApart(root, OWN, nameOf(PARTIAL_FOLDER));
}

/** Whether the folder's own file system tells forms of Unicode apart; asked by a file of our own, which is gone afterwards. */
export function tellsFormsApart(root: Root): boolean {
  const file = root.partials.create(NOWHERE, COMPOSED);
  try {
    return reached(root, PARTIAL_FOLDER, Buffer.from(COMPOSED.normalize("NFD"))) === undefined;
  } finally {
    root.partials.close(file);
    root.partials.discard(file);
  }
}

/** Undefined for a name without ASCII letters. */
function inOtherCase(name: Uint8Array): Buffer | undefined {
  const other = Buffer.from(name);
  let hasLetters = false;
  for (const [at, byte] of name.entries()) {
    const lower = byte | UPPER_OR_LOWER;
    if (lower < 0x61 || lower > 0x7a) continue;
    other[at] = byte ^ UPPER_OR_LOWER;
    hasLetters = true;
  }
  return hasLetters ? other : undefined;
}

/** The names of one directory as its file system lists them. */
export class ListedNames {
  readonly #root: Root;
  readonly #directory: Uint8Array;
  readonly #names = newTable();
  /** By their folded form, which is a hint only; undefined when they are too many. */
  #folded: Map<string, Buffer[]> | undefined = new Map();

  private constructor(root: Root, directory: Uint8Array) {
    this.#root = root;
    this.#directory = directory;
  }

  /** Throws system errors. */
  static read(root: Root, directory: Uint8Array): ListedNames {
    const listed = new ListedNames(root, directory);
    for (const names of root.names(directory)) for (const name of names) listed.#add(name);
    return listed;
  }

  has(name: Uint8Array): boolean {
    return this.#names.has(name);
  }

  /**
   * The listed names of what stands under one that is not listed. They are more than one when it has hard links, or when the
   * file system numbers names and not what they lead to. Throws system errors.
   */
  othersOf(name: Uint8Array, stats: EntryStats): readonly Buffer[] {
    const similar = this.#folded?.get(foldedKey(name)) ?? [];
    const found = similar.filter((each) => this.#leadsTo(each, stats));
    if (found.length > 0) return found;
    const all: Buffer[] = [];
    for (const names of this.#root.names(this.#directory))
      for (const each of names) if (this.#leadsTo(each, stats)) all.push(each);
    return all;
  }

  #add(name: Buffer): void {
    this.#names.add(name, name.length);
    if (this.#folded === undefined) return;
    if (this.#names.count > FOLDED_MAX) {
      this.#folded = undefined;
      return;
    }
    const key = foldedKey(name);
    this.#folded.set(key, [...(this.#folded.get(key) ?? []), name]);
  }

  #leadsTo(name: Uint8Array, stats: EntryStats): boolean {
    const other = reached(this.#root, this.#directory, name);
    return other !== undefined && seemsOne(stats, other);
  }
}

export function newTable(): NameTable {
  return new NameTable(Buffer.from(systemRandom.hex(HASH_KEY_BYTES), "hex"));
}

function foldedKey(name: Uint8Array): string {
  const { bytes, length } = foldedName(name);
  return pathKey(bytes.subarray(0, length));
}

/** Whether two names seem to lead to one thing: by its inode, or, where a file system numbers names, by all else. */
function seemsOne(one: EntryStats, other: EntryStats): boolean {
  if (one.dev !== other.dev) return false;
  return one.ino === other.ino || FACTS.every((fact) => one[fact] === other[fact]);
}

const FACTS = ["mode", "size", "mtimeNs", "ctimeNs", "nlink", "uid", "gid"] as const;

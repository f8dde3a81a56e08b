import { pathKey } from "../../lib/disk/directories.ts";
import { escapeName } from "../../lib/escape-name.ts";
import { entryPath } from "../../protocol/frame/page.ts";
import { fitExample } from "../../protocol/messages/cut-text.ts";
import {
  allowedDeletions,
  DELETE_EXAMPLES_MAX,
  type DeleteLimit,
  type Deletion,
} from "../../protocol/messages/deletion.ts";
import type { Problem } from "../../protocol/messages/progress.ts";
import { joinPath, parentOf } from "../../protocol/names/relative-path.ts";
import { folderGone, isFatal, notDeleted, spared } from "../disk/entry-problem.ts";
import { type DirectoryState, isMountPoint, openForRemoval, removeOne } from "../disk/removal.ts";
import type { Root } from "../disk/root.ts";
import type { PageStore } from "../stream/page-store.ts";
import { type DeletionScope, type ExtraEntry, type ExtraVisitor, visitExtras } from "./extra-entries.ts";
import { KNOWN, LISTED, PathSet, SPARED } from "./path-set.ts";

/** What this sink's own people allow, whatever the source asks for. */
export interface DeletionPolicy {
  readonly forbidden: boolean;
  /** Holds beside the source's limit. */
  readonly limit?: DeleteLimit | undefined;
}

export interface DeletionParts {
  readonly root: Root;
  /** Every page of the session. */
  readonly pageStore: PageStore;
  readonly scope: DeletionScope;
  readonly policy: DeletionPolicy;
  /** Entries that went before, because they stood in the way of others (clearExtrasIn). */
  readonly cleared?: number;
  readonly onBusy: () => void;
}

export interface DeletionOut {
  /** Escaped path of what was deleted. Undefined: nothing is deleted nor changed, it is only said what would go. */
  readonly onDeleted: ((path: string) => void) | undefined;
  readonly onProblem: (problem: Problem) => void;
}

type RemovalOut = DeletionOut & { readonly onDeleted: (path: string) => void };

/**
 * Deletes entries of the sink's folder that its source does not have [P-8.1]. It counts them first. When they are more than
 * source and sink allow, it deletes nothing. To be called when the copy is stored, proven and synced. Whatever stops it,
 * what is left is extra for the next session.
 *
 * @throws FanfoldError, or system errors, for what ends this sink's session
 */
export function deleteExtras(parts: DeletionParts, out: DeletionOut): Deletion | undefined {
  const { root, pageStore, scope, policy, cleared = 0 } = parts;
  const asked = scope.limit;
  if (asked === undefined) return undefined;
  if (policy.forbidden) return { result: "forbidden", entries: 0, of: 0, examples: [] };
  const known = knownPaths(parts, out.onDeleted === undefined ? blockedPaths(root, pageStore) : []);
  const { onDeleted, onProblem } = out;
  const options = { ...parts, known, opens: onDeleted !== undefined };
  const count = new ExtraCount();
  const unknown = visitExtras(options, count);
  // The root is no entry of itself.
  const of = known.size - 1 + unknown + cleared;
  const allowed = allowedDeletions(policy.limit === undefined ? [asked] : [asked, policy.limit], of) - cleared;
  const { entries, examples } = count;
  if (entries > allowed) return { result: "refused", entries, of, allowed, examples };
  if (onDeleted === undefined) {
    for (const problem of count.unread) onProblem(problem);
    return { result: "dry-run", entries, of, examples };
  }
  if (entries + count.unread.length === 0) return { result: "done", entries: cleared, of, examples };
  const removal = new ExtraRemoval(root, allowed, { onDeleted, onProblem });
  visitExtras(options, removal);
  if (!root.isThere()) throw folderGone();
  return { result: "done", entries: removal.entries + cleared, of, examples };
}

/**
 * Deletes the contents of these directories, because entries that are not directories take their places. Returns how many
 * entries that were. Nothing goes unless all that is extra in the folder may go. To be called when all content is stored
 * and proven.
 *
 * @throws FanfoldError, or system errors, for what ends this sink's session
 */
export function clearExtrasIn(parts: DeletionParts, directories: readonly Buffer[], out: RemovalOut): number {
  const { root, scope, policy } = parts;
  const asked = scope.limit;
  if (asked === undefined || policy.forbidden) return 0;
  const blocked = directories.filter((path) => !isMounted(root, path));
  const known = knownPaths(parts, blocked);
  const options = { ...parts, known, opens: true };
  const count = new ExtraCount();
  const of = known.size - 1 + visitExtras(options, count);
  const allowed = allowedDeletions(policy.limit === undefined ? [asked] : [asked, policy.limit], of);
  if (count.entries > allowed) return 0;
  const removal = new ExtraRemoval(root, allowed, out);
  const within = new Set(blocked.map(pathKey));
  visitExtras(options, {
    extra: (entry) => isWithin(within, entry.directory) && removal.extra(entry),
    left: (directory) => removal.left(directory),
  });
  if (!root.isThere()) throw folderGone();
  return removal.entries;
}

function isWithin(directories: ReadonlySet<string>, path: Uint8Array): boolean {
  for (let at = path; at.length > 0; at = parentOf(at)) if (directories.has(pathKey(at))) return true;
  return false;
}

/** Where a directory stands in the place of something else. */
function* blockedPaths(root: Root, pageStore: PageStore): Generator<Buffer, void, undefined> {
  for (const entry of pageStore.forwards()) {
    if (entry.kind === "directory") continue;
    const isDirectory = spared(() => root.find(entry.directory, entry.name))?.isDirectory() === true;
    if (isDirectory && !isMounted(root, entryPath(entry))) yield entryPath(entry);
  }
}

/** What is on another mount is no entry of the folder: it stays, and so does its place. */
function isMounted(root: Root, directory: Buffer): boolean {
  return spared(() => isMountPoint(root, directory)) === true;
}

/** `blocked`: directories that are none at the source, whose content is extra. */
function knownPaths({ pageStore, scope }: DeletionParts, blocked: Iterable<Buffer>): PathSet {
  const known = new PathSet(pageStore.entries + scope.sparedPaths);
  for (const entry of pageStore.forwards())
    known.add(entryPath(entry), entry.kind === "directory" ? KNOWN | LISTED : KNOWN);
  for (const path of blocked) known.add(path, LISTED);
  for (const path of scope.spared()) known.add(path, SPARED);
  return known;
}

class ExtraCount implements ExtraVisitor {
  entries = 0;
  readonly examples: string[] = [];
  /** The first few directories that could not be looked into. */
  readonly unread: Problem[] = [];

  extra({ directory, name }: ExtraEntry): boolean {
    this.entries += 1;
    if (this.examples.length < DELETE_EXAMPLES_MAX)
      this.examples.push(fitExample(escapeName(joinPath(directory, name))));
    return true;
  }

  unreadable(directory: Buffer, thrown: unknown): void {
    if (this.unread.length < DELETE_EXAMPLES_MAX) this.unread.push(notDeleted(directory, thrown));
  }
}

class ExtraRemoval implements ExtraVisitor {
  readonly #root: Root;
  readonly #entriesMax: number;
  readonly #out: RemovalOut;
  /** Of directories from which something was removed, and which are not left yet. */
  readonly #before = new Map<string, DirectoryState>();
  entries = 0;

  constructor(root: Root, entriesMax: number, out: RemovalOut) {
    this.#root = root;
    this.#entriesMax = entriesMax;
    this.#out = out;
  }

  extra(entry: ExtraEntry): boolean {
    // What came since it was counted is the next session's.
    if (this.entries >= this.#entriesMax) return false;
    const { directory, name } = entry;
    const path = joinPath(directory, name);
    return this.#attempt(path, () => {
      const key = pathKey(directory);
      if (!this.#before.has(key)) this.#before.set(key, openForRemoval(this.#root, directory));
      if (!removeOne(this.#root, entry)) return false;
      this.entries += 1;
      this.#out.onDeleted(escapeName(path));
      return true;
    });
  }

  /** What was removed changed the directory's time, and its mode may have been in the way. */
  left(directory: Buffer): void {
    const key = pathKey(directory);
    const before = this.#before.get(key);
    if (before === undefined) return;
    this.#before.delete(key);
    this.#attempt(directory, () => {
      this.#root.setDirectory(directory, before);
      return true;
    });
  }

  unreadable(directory: Buffer, thrown: unknown): void {
    this.#out.onProblem(notDeleted(directory, thrown));
  }

  #attempt(path: Buffer, work: () => boolean): boolean {
    try {
      return work();
    } catch (thrown) {
      if (isFatal(thrown)) throw thrown;
      this.#out.onProblem(notDeleted(path, thrown));
      return false;
    }
  }
}

import { LoadedThreads } from "../lib/threads/loaded-threads.ts";
import type { Thread, ThreadEnds } from "../lib/threads/thread.ts";
import { PAGES_UNANSWERED_MAX } from "../protocol/limits.ts";
import { TREE_FILES_OPEN_MAX } from "./disk/tree-folder.ts";
import type { PublishedTree } from "./publish/published-tree.ts";
import type { ReadMessage, ReadRequest, ReadStart } from "./read/read-worker.ts";
import { treeScopeOf } from "./walk/tree-scope.ts";
import type { WalkMessage, WalkRequest, WalkStart } from "./walk/walk-worker.ts";

/** The threads that own a source's disk: those of its first stream are loaded while it connects and waits for sinks. */
export class TreeThreads implements AsyncDisposable {
  readonly #walkers = new LoadedThreads<WalkStart, WalkRequest, WalkMessage>({
    module: "./walk/walk-worker",
    base: import.meta.url,
    filesOpenMax: TREE_FILES_OPEN_MAX,
  });
  readonly #readers = new LoadedThreads<ReadStart, ReadRequest, ReadMessage>({
    module: "./read/read-worker",
    base: import.meta.url,
    filesOpenMax: TREE_FILES_OPEN_MAX,
  });

  /** @param reads false for a source that will only walk */
  prepare(reads: boolean): void {
    this.#walkers.prepare();
    if (reads) this.#readers.prepare();
  }

  /** The thread that walks the tree, and may run ahead by as many pages as sinks may leave unanswered. */
  openWalker(tree: PublishedTree, ends: ThreadEnds<WalkMessage>): Thread<WalkRequest> {
    return this.#walkers.open({ root: tree.root, ...treeScopeOf(tree), pages: PAGES_UNANSWERED_MAX }, ends);
  }

  /** The thread that reads its files. */
  openReader(own: ReadStart, ends: ThreadEnds<ReadMessage>): Thread<ReadRequest> {
    return this.#readers.open(own, ends);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#walkers[Symbol.asyncDispose](), this.#readers[Symbol.asyncDispose]()]);
  }
}

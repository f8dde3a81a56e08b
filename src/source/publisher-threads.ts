import type { FanfoldError } from "../lib/errors.ts";
import { newOpenFiles } from "../lib/open-files.ts";
import { openThread, type Thread } from "../lib/thread.ts";
import { PAGES_UNANSWERED_MAX } from "../protocol/limits.ts";
import type { PublishedTree } from "./published-tree.ts";
import type { ReadMessage, ReadRequest, ReadWorkerData } from "./read-worker.ts";
import { treeScopeOf } from "./tree-scope.ts";
import type { WalkMessage, WalkRequest, WalkWorkerData } from "./walk-worker.ts";

interface Ends<Message> {
  readonly onMessage: (message: Message) => void;
  readonly onFailure: (error: FanfoldError) => void;
}

/** The thread that walks the tree, and may run ahead by as many pages as sinks may leave unanswered. */
export function openWalker(tree: PublishedTree, ends: Ends<WalkMessage>): Thread<WalkRequest> {
  const data: WalkWorkerData = { root: tree.root, ...treeScopeOf(tree), pages: PAGES_UNANSWERED_MAX };
  return openThread<WalkRequest, WalkMessage>({ module: "./walk-worker", base: import.meta.url, data, ...ends });
}

/** The thread that reads its files. */
export function openReader(own: ReadWorkerData, ends: Ends<ReadMessage>): Thread<ReadRequest> {
  const openFiles = newOpenFiles(1);
  const data: ReadWorkerData = { ...own, openFiles };
  return openThread<ReadRequest, ReadMessage>({
    ...{ module: "./read-worker", base: import.meta.url, data, openFiles },
    ...ends,
  });
}

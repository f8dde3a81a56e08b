import { parentPort, workerData } from "node:worker_threads";
import { FanfoldError } from "../lib/errors.ts";
import { PathStack } from "../lib/path-stack.ts";
import type { TreeScope } from "./tree-scope.ts";
import { TreeWalk, type WalkOutput } from "./walk.ts";

/** Thread of the walk. It runs ahead by as many pages as it was granted, and not further. */
export interface WalkWorkerData extends TreeScope {
  readonly root: Uint8Array;
  readonly pages: number;
}
export type WalkRequest =
  /** Grants more pages, or tables of what sinks may not delete. */
  | { readonly pages: number }
  /** A file that changed while it was read, to be given once more at the end. */
  | { readonly again: Uint8Array }
  /** No file of the walk's own pages will be added any more: give those to be read again, then end. */
  | { readonly finish: true };
export type WalkMessage =
  | WalkOutput
  /** Everything was discovered. */
  | { readonly type: "end" }
  /** After `finish`: the last page was given. */
  | { readonly type: "finished" }
  | { readonly type: "failed"; readonly message: string; readonly code: string };

const port = parentPort;
if (port === null) throw new FanfoldError("internal", "Start the walk: this file runs only as a worker thread");

const data = workerData as WalkWorkerData;
const again = new PathStack();
let granted = data.pages;
let tree: TreeWalk | undefined;
let outputs = discover();
let isIdle = false;

port.on("message", (request: WalkRequest) => {
  if ("again" in request) again.push(Buffer.from(request.again));
  else if ("pages" in request) granted += request.pages;
  else {
    outputs = finish();
    isIdle = true;
  }
  if (isIdle) walk();
});
walk();

/** Goes on until the grant runs out or there is nothing more to give; the next message calls again. */
function walk(): void {
  isIdle = false;
  try {
    while (granted > 0) {
      const next = outputs.next();
      if (next.done === true) return;
      if (next.value.type === "page" || next.value.type === "scope") granted -= 1;
      port?.postMessage(next.value);
    }
    isIdle = true;
  } catch (thrown) {
    const { message, code } = FanfoldError.from(thrown);
    port?.postMessage({ type: "failed", message, code } satisfies WalkMessage);
    port?.close();
  }
}

/** A generator of its own, so that what goes wrong before the first page is told like all the rest. */
function* discover(): Generator<WalkMessage, void, undefined> {
  tree = new TreeWalk(Buffer.from(data.root), data);
  yield* tree.run();
  yield { type: "end" };
}

function* finish(): Generator<WalkMessage, void, undefined> {
  if (tree !== undefined) yield* tree.again(again);
  yield { type: "finished" };
  again[Symbol.dispose]();
  tree?.[Symbol.dispose]();
  port?.close();
}

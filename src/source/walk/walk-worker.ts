import type { MessagePort } from "node:worker_threads";
import type { OpenFiles } from "../../lib/disk/open-files.ts";
import { PathStack } from "../../lib/disk/path-stack.ts";
import { FanfoldError } from "../../lib/errors.ts";
import type { Begin } from "../../lib/threads/loaded-threads.ts";
import { serveThread } from "../../lib/threads/thread-port.ts";
import { TreeFolder } from "../disk/tree-folder.ts";
import type { TreeScope } from "./tree-scope.ts";
import { TreeWalk } from "./walk.ts";
import type { WalkOutput } from "./walk-output.ts";

/** To the thread of the walk: it runs ahead by as many pages as it was granted, and not further. */
export interface WalkStart extends TreeScope {
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

class Walking {
  readonly #start: WalkStart;
  readonly #openFiles: OpenFiles;
  readonly #port: MessagePort;
  readonly #again = new PathStack();
  #granted: number;
  #tree: TreeWalk | undefined;
  #outputs: Generator<WalkMessage, void, undefined>;
  #isIdle = false;

  constructor({ begin: start, openFiles }: Begin<WalkStart>, port: MessagePort) {
    this.#start = start;
    this.#openFiles = openFiles;
    this.#port = port;
    this.#granted = start.pages;
    this.#outputs = this.#discover();
    this.#walk();
  }

  take(request: WalkRequest): void {
    if ("again" in request) this.#again.push(Buffer.from(request.again));
    else if ("pages" in request) this.#granted += request.pages;
    else {
      this.#outputs = this.#finish();
      this.#isIdle = true;
    }
    if (this.#isIdle) this.#walk();
  }

  /** Goes on until the grant runs out or there is nothing more to give; the next message calls again. */
  #walk(): void {
    this.#isIdle = false;
    try {
      while (this.#granted > 0) {
        const next = this.#outputs.next();
        if (next.done === true) return;
        if (next.value.type === "page" || next.value.type === "scope") this.#granted -= 1;
        this.#port.postMessage(next.value);
      }
      this.#isIdle = true;
    } catch (thrown) {
      const { message, code } = FanfoldError.from(thrown);
      this.#port.postMessage({ type: "failed", message, code } satisfies WalkMessage);
      this.#port.close();
    }
  }

  /** A generator of its own, so that what goes wrong before the first page is told like all the rest. */
  *#discover(): Generator<WalkMessage, void, undefined> {
    const root = Buffer.from(this.#start.root);
    const folder = TreeFolder.open(root, { identity: this.#start.identity, openFiles: this.#openFiles });
    this.#tree = new TreeWalk(root, this.#start, folder);
    yield* this.#tree.run();
    yield { type: "end" };
  }

  *#finish(): Generator<WalkMessage, void, undefined> {
    if (this.#tree !== undefined) yield* this.#tree.again(this.#again);
    yield { type: "finished" };
    this.#again[Symbol.dispose]();
    this.#tree?.[Symbol.dispose]();
    this.#port.close();
  }
}

serveThread<WalkStart, WalkRequest>((start, port) => new Walking(start, port));

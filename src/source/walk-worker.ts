import { parentPort, workerData } from "node:worker_threads";
import { FanfoldError } from "../lib/errors.ts";
import { type WalkOutput, walkTree } from "./walk.ts";

/** Thread of the walk. It runs ahead by as many pages as it was granted, and not further. */
export interface WalkWorkerData {
  readonly root: Uint8Array;
  readonly pages: number;
}
/** Grants more pages. */
export interface WalkGrant {
  readonly pages: number;
}
export type WalkMessage =
  | WalkOutput
  | { readonly type: "end" }
  | { readonly type: "failed"; readonly message: string; readonly code: string };

const port = parentPort;
if (port === null) throw new FanfoldError("internal", "Start the walk: this file runs only as a worker thread");

const data = workerData as WalkWorkerData;
let granted = data.pages;
const outputs = walkTree(Buffer.from(data.root));

port.on("message", (grant: WalkGrant) => {
  const idle = granted <= 0;
  granted += grant.pages;
  if (idle) walk();
});
walk();

function walk(): void {
  try {
    while (granted > 0) {
      const next = outputs.next();
      if (next.done === true) {
        post({ type: "end" });
        port?.close();
        return;
      }
      if (next.value.type === "page") granted -= 1;
      post(next.value);
    }
  } catch (thrown) {
    const error = FanfoldError.from(thrown);
    post({ type: "failed", message: error.message, code: error.code });
    port?.close();
  }
}

function post(message: WalkMessage): void {
  port?.postMessage(message);
}

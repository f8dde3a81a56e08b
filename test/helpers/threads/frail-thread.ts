/** A thread for the tests of threads: the first of a test fails while it loads, all others double what they are given. */
import { existsSync, writeFileSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import { LOADED } from "../../../src/lib/threads/thread.ts";

const mark = process.env["FRAIL_THREAD_MARK"] ?? "";
if (!existsSync(mark)) {
  writeFileSync(mark, "");
  throw new RangeError("the first one fails");
}
parentPort?.on("message", (message: number | { readonly begin: number }) => {
  if (typeof message === "number" && message < 0) throw new RangeError("as I was told");
  parentPort?.postMessage(2 * (typeof message === "number" ? message : message.begin));
});
parentPort?.postMessage(LOADED);

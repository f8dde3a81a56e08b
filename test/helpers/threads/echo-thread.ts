/** A thread for the tests of threads: gives back what it gets; throws when told to. */
import { parentPort, workerData } from "node:worker_threads";
import { systemThread } from "../../../src/lib/threads/processor-time.ts";
import { LOADED } from "../../../src/lib/threads/thread.ts";

/** How long it is at work when it is told to be. */
const WORK_MS = 100;

parentPort?.postMessage({ systemThread: systemThread() });
parentPort?.postMessage(LOADED);
parentPort?.postMessage({ greeting: workerData as unknown });
parentPort?.on("message", (message: unknown) => {
  if (message === "throw") throw new RangeError("as I was told");
  if (message === "leave") process.exit(3);
  // Its clocks run on meanwhile.
  if (message === "work") for (const end = performance.now() + WORK_MS; performance.now() < end; );
  parentPort?.postMessage(message);
});

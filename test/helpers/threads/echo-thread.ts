/** A thread for the tests of threads: gives back what it gets; throws when told to. */
import { parentPort, workerData } from "node:worker_threads";
import { LOADED } from "../../../src/lib/thread.ts";

parentPort?.postMessage(LOADED);
parentPort?.postMessage({ greeting: workerData as unknown });
parentPort?.on("message", (message: unknown) => {
  if (message === "throw") throw new RangeError("as I was told");
  if (message === "leave") process.exit(3);
  parentPort?.postMessage(message);
});

import { parentPort, workerData } from "node:worker_threads";
import { type Batch, OpenFolder } from "./batch.ts";
import { storeBatch } from "./store-batch.ts";

const folder = new OpenFolder(String(workerData));
parentPort?.on("message", (batch: Batch) => {
  storeBatch(folder, batch);
  parentPort?.postMessage("stored");
});
parentPort?.postMessage("ready");

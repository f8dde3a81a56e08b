import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { BatchWriter } from "./batch.ts";

/** Synchronous calls in a worker thread; the bytes of a batch are handed over, not copied. */
export async function inAThread(folder: string): Promise<BatchWriter> {
  const worker = new Worker(new URL("./thread-program.ts", import.meta.url), { workerData: folder });
  const stored: (() => void)[] = [];
  await once(worker, "message");
  worker.on("message", () => stored.shift()?.());
  return {
    write: (batch) =>
      new Promise((resolve) => {
        stored.push(resolve);
        worker.postMessage(batch, [batch.bytes.buffer]);
      }),
    close: async () => void (await worker.terminate()),
  };
}

import type { BatchWriter } from "./batch.ts";
import { inAThread } from "./in-a-thread.ts";

/** The same with two threads: a batch goes to the one with less to do, so batches end out of order. */
export async function inTwoThreads(folder: string): Promise<BatchWriter> {
  const [one, other] = await Promise.all([openLane(folder), openLane(folder)]);
  return {
    write: async (batch) => {
      const lane = one.waiting <= other.waiting ? one : other;
      lane.waiting += 1;
      await lane.writer.write(batch);
      lane.waiting -= 1;
    },
    close: async () => {
      await Promise.all([one.writer.close(), other.writer.close()]);
    },
  };
}

async function openLane(folder: string) {
  return { writer: await inAThread(folder), waiting: 0 };
}

import { type BatchWriter, OpenFolder } from "./batch.ts";
import { storeBatch } from "./store-batch.ts";

/** Synchronous calls on the event loop itself. */
export async function onTheLoop(folder: string): Promise<BatchWriter> {
  const open = new OpenFolder(folder);
  return {
    write: async (batch) => storeBatch(open, batch),
    close: async () => open[Symbol.dispose](),
  };
}

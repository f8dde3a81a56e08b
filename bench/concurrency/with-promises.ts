import { open, rename } from "node:fs/promises";
import { type Batch, type BatchWriter, CREATE_FILE, FILE_BYTES, MODE, OpenFolder, TIME_SECONDS } from "./batch.ts";

/** `fs/promises`: so many files at a time, each a chain of calls to the thread pool of Node.js; one batch after another. */
export async function withPromises(folder: string, filesAtOnce: number): Promise<BatchWriter> {
  const target = new OpenFolder(folder);
  let last = Promise.resolve();
  return {
    write: (batch) => {
      last = last.then(() => storeAll(target, batch, filesAtOnce));
      return last;
    },
    close: async () => target[Symbol.dispose](),
  };
}

async function storeAll(folder: OpenFolder, { firstFile, bytes }: Batch, filesAtOnce: number): Promise<void> {
  let offset = 0;
  const storeInTurn = async (): Promise<void> => {
    while (offset < bytes.length) {
      const file = firstFile + offset / FILE_BYTES;
      const content = bytes.subarray(offset, offset + FILE_BYTES);
      offset += FILE_BYTES;
      await storeFile(folder, file, content);
    }
  };
  await Promise.all(Array.from({ length: filesAtOnce }, storeInTurn));
}

async function storeFile(folder: OpenFolder, file: number, content: Uint8Array): Promise<void> {
  const handle = await open(folder.partial(file), CREATE_FILE, 0o600);
  await handle.write(content, 0, content.length, 0);
  await handle.chmod(MODE);
  await handle.utimes(TIME_SECONDS, TIME_SECONDS);
  await handle.close();
  await rename(folder.partial(file), folder.final(file));
}

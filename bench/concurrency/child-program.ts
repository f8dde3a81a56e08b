import { readSync, writeSync } from "node:fs";
import { OpenFolder } from "./batch.ts";
import { storeBatch } from "./store-batch.ts";

const [STDIN, STDOUT] = [0, 1];
const MARK = Buffer.of(1);
const folder = new OpenFolder(process.argv[2] ?? "");
const head = new Uint8Array(8);

writeSync(STDOUT, MARK);
while (fill(head)) {
  const view = new DataView(head.buffer);
  const bytes = new Uint8Array(view.getUint32(4, true));
  fill(bytes);
  storeBatch(folder, { firstFile: view.getUint32(0, true), bytes });
  writeSync(STDOUT, MARK);
}

/** False at the end. It has nothing else to do, so it waits in the call. */
function fill(bytes: Uint8Array): boolean {
  let done = 0;
  while (done < bytes.length) {
    const count = readSync(STDIN, bytes, done, bytes.length - done, null);
    if (count === 0) return false;
    done += count;
  }
  return true;
}

import { SpillFile, type SpillRecord } from "./spill-file.ts";

/** Paths that leave memory together; at most twice as many are in memory. */
const BLOCK_PATHS = 4096;
const LENGTH_BYTES = 4;

/**
 * Last in, first out, of any number of paths: what is deep in the stack rests in a temporary file. A single directory
 * may hold a million others, and the threads that go through trees have small heaps.
 */
export class PathStack implements Disposable {
  #top: Buffer[] = [];
  readonly #spilled: SpillRecord[] = [];
  #spill: SpillFile | undefined;

  /** @throws FanfoldError `disk-full` or `disk-failed` when the temporary file cannot take more */
  push(path: Buffer): void {
    this.#top.push(path);
    if (this.#top.length < BLOCK_PATHS * 2) return;
    const block = packed(this.#top.slice(0, BLOCK_PATHS));
    this.#top = this.#top.slice(BLOCK_PATHS);
    this.#spill ??= SpillFile.open();
    this.#spilled.push(this.#spill.append(block));
  }

  pop(): Buffer | undefined {
    if (this.#top.length === 0) this.#top = this.#unspilled();
    return this.#top.pop();
  }

  [Symbol.dispose](): void {
    this.#spill?.[Symbol.dispose]();
  }

  #unspilled(): Buffer[] {
    const record = this.#spilled.pop();
    if (record === undefined || this.#spill === undefined) return [];
    const block = this.#spill.read(record);
    const paths: Buffer[] = [];
    for (let at = 0; at < block.length; ) {
      const start = at + LENGTH_BYTES;
      at = start + block.readUInt32LE(at);
      paths.push(Buffer.from(block.subarray(start, at)));
    }
    return paths;
  }
}

function packed(paths: readonly Buffer[]): Buffer {
  const parts: Buffer[] = [];
  for (const path of paths) {
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32LE(path.length);
    parts.push(length, path);
  }
  return Buffer.concat(parts);
}

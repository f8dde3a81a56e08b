import { SpillFile, type SpillRecord } from "../lib/spill-file.ts";
import { ByteReader, ByteWriter } from "../protocol/bytes.ts";
import { PATH_BYTES_MAX } from "../protocol/limits.ts";

/** Paths that leave memory together; at most twice as many are in memory. */
const BLOCK_PATHS = 4096;

/**
 * Last in, first out, of any number of paths: what is deep in the stack rests in a temporary file. A single directory
 * may hold a million others, and the walk's thread has a small heap.
 */
export class PathStack implements Disposable {
  #top: Buffer[] = [];
  readonly #spilled: SpillRecord[] = [];
  #spill: SpillFile | undefined;

  /** @throws FanfoldError `disk-full` or `disk-failed` when the temporary file cannot take more */
  push(path: Buffer): void {
    this.#top.push(path);
    if (this.#top.length < BLOCK_PATHS * 2) return;
    const block = new ByteWriter(64 * 1024);
    for (const oldest of this.#top.slice(0, BLOCK_PATHS)) block.string(oldest);
    this.#top = this.#top.slice(BLOCK_PATHS);
    this.#spill ??= SpillFile.open();
    this.#spilled.push(this.#spill.append(block.view()));
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
    const block = new ByteReader(this.#spill.read(record));
    const paths: Buffer[] = [];
    while (block.left > 0) paths.push(Buffer.from(block.string(PATH_BYTES_MAX)));
    return paths;
  }
}

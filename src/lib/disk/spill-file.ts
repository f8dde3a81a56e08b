import { closeSync, ftruncateSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FanfoldError, reasonOf } from "../errors.ts";
import { escapeText } from "../escape-name.ts";

/** Where one record lies. */
export interface SpillRecord {
  readonly offset: number;
  readonly length: number;
}

/**
 * Records that are too many to hold in memory, in a temporary file without a name: it goes with its descriptor, however
 * the process ends. Synchronous: records are small and land in the page cache.
 */
export class SpillFile implements Disposable {
  readonly #fd: number;
  #end = 0;
  #closed = false;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** @throws FanfoldError `disk-full` or `disk-failed` */
  static open(folder = tmpdir()): SpillFile {
    try {
      const own = mkdtempSync(join(folder, "fanfold-"));
      try {
        return new SpillFile(openSync(join(own, "spill"), "wx+", 0o600));
      } finally {
        rmSync(own, { recursive: true, force: true });
      }
    } catch (thrown) {
      throw failed(folder, thrown);
    }
  }

  append(bytes: Uint8Array): SpillRecord {
    const record = { offset: this.#end, length: bytes.length };
    let done = 0;
    try {
      while (done < bytes.length) done += writeSync(this.#fd, bytes, done, bytes.length - done, this.#end + done);
    } catch (thrown) {
      throw failed(tmpdir(), thrown);
    }
    this.#end += bytes.length;
    return record;
  }

  read(record: SpillRecord): Buffer {
    const bytes = Buffer.allocUnsafeSlow(record.length);
    let done = 0;
    while (done < record.length) {
      const count = readSync(this.#fd, bytes, done, record.length - done, record.offset + done);
      if (count === 0)
        throw new FanfoldError(
          "disk-failed",
          "cannot read back a temporary file: it is shorter than what was written to it",
        );
      done += count;
    }
    return bytes;
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    ftruncateSync(this.#fd, 0);
    closeSync(this.#fd);
  }
}

function failed(folder: string, thrown: unknown): FanfoldError {
  const { code } = FanfoldError.from(thrown);
  const advice = code === "disk-full" ? "that has more room" : "that this user may write in";
  const text = `cannot write a temporary file in "${escapeText(folder)}": ${reasonOf(thrown)}; set TMPDIR to a directory ${advice}`;
  return new FanfoldError(code, text, { cause: thrown });
}

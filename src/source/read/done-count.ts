import type { Done } from "./read-output.ts";

/** What is done of the files of a page: never more than the page announced, and nothing twice. Pure. */
export class DoneCount {
  readonly #countsBytes: boolean;
  #doneBytes = 0;
  #doneFiles = 0;
  /** Of the file that is read. */
  #counted = 0;

  /** @param countsBytes false for files that were counted before */
  constructor(countsBytes: boolean) {
    this.#countsBytes = countsBytes;
  }

  begin(): void {
    this.#counted = 0;
  }

  /** So many bytes are done of the file, for which the page announced `size`. */
  upTo(bytes: number, size: number): void {
    if (!this.#countsBytes) return;
    const capped = Math.min(bytes, size);
    this.#doneBytes += capped - this.#counted;
    this.#counted = capped;
  }

  file(): void {
    this.#doneFiles += 1;
  }

  /** What is done since the last call. */
  take(): Done {
    const done = { doneBytes: this.#doneBytes, doneFiles: this.#doneFiles };
    this.#doneBytes = 0;
    this.#doneFiles = 0;
    return done;
  }
}

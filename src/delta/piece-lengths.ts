import { FanfoldError } from "../lib/errors.ts";

const START = 1024;

/** Lengths of pieces in their order: one array of numbers, which grows up to a bound. */
export class PieceLengths {
  readonly #max: number;
  #lengths: Uint32Array<ArrayBuffer>;
  #count = 0;

  /** `max` pieces at most. */
  constructor(max: number) {
    this.#max = max;
    this.#lengths = new Uint32Array(Math.min(START, max));
  }

  get count(): number {
    return this.#count;
  }

  at(index: number): number {
    return this.#lengths[index] ?? 0;
  }

  /** @throws FanfoldError `internal` beyond the bound */
  push(lengthBytes: number): void {
    if (this.#count === this.#lengths.length) this.#grow();
    this.#lengths[this.#count] = lengthBytes;
    this.#count += 1;
  }

  /** The lengths so far, as an array of their own. */
  take(): Uint32Array<ArrayBuffer> {
    return this.#lengths.slice(0, this.#count);
  }

  #grow(): void {
    if (this.#count >= this.#max)
      throw new FanfoldError("internal", `cannot cut a file: it has more than ${this.#max} pieces`);
    const larger = new Uint32Array(Math.min(this.#max, this.#count * 2));
    larger.set(this.#lengths);
    this.#lengths = larger;
  }
}

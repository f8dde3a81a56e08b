import type { DeltaMode } from "../../protocol/delta-mode.ts";

/** Files that pass untried after as many of which the sinks held nothing: 1, 2, 4, 8, 16, 16, … */
const UNTRIED_MAX = 16;
/** Files that are tried while nothing is known of the link, all together: that takes less than a tenth of a second. */
const BLIND_BYTES_MAX = 32 * 1024 * 1024;
/** What is left of a file has to be worth the reading of all of it. */
const REST_PARTS_MAX = 4;

/**
 * Which files travel as recipes. With `auto` those for which that is known to pay. Until something is known only a few are
 * tried, and a larger file goes whole. What is left of it may still turn to its recipe when the link turns out to be slow.
 * Pure.
 */
export class DeltaChoice {
  readonly #mode: DeltaMode;
  #pays: boolean | undefined;
  #blindBytes = BLIND_BYTES_MAX;
  #untried = 0;
  #untriedNext = 1;
  /** The last file that was asked for passes untried. */
  #passes = false;

  constructor(mode: DeltaMode) {
    this.#mode = mode;
  }

  /** What a moment tells. */
  look(pays: boolean | undefined): void {
    this.#pays = pays ?? this.#pays;
  }

  /** Whether the next file that may do so travels as a recipe. To be asked once for each, when it is to be sent. */
  takes(bytes: number): boolean {
    if (this.#mode !== "auto") return this.#mode === "on";
    this.#passes = false;
    return this.#pays !== false && bytes <= this.roomBytes && this.#next();
  }

  /** Whether the file that was asked for last goes on with its recipe, when so much of it is left to be sent. */
  turns(restBytes: number, bytes: number): boolean {
    const isWorth = restBytes * REST_PARTS_MAX >= bytes;
    return this.#mode === "auto" && this.#pays === true && !this.#passes && isWorth;
  }

  /** Files of so many bytes may be asked for at once. */
  get roomBytes(): number {
    return this.#mode === "auto" && this.#pays === undefined ? this.#blindBytes : Number.POSITIVE_INFINITY;
  }

  /** A recipe was made of a file. */
  made(bytes: number): void {
    if (this.#pays === undefined) this.#blindBytes -= bytes;
  }

  /** The sinks have answered: they hold some of a file, or nothing. */
  answered(areSomeHeld: boolean): void {
    if (areSomeHeld) this.#untriedNext = 1;
    else {
      this.#untried = this.#untriedNext;
      this.#untriedNext = Math.min(this.#untriedNext * 2, UNTRIED_MAX);
    }
  }

  #next(): boolean {
    if (this.#untried === 0) return true;
    this.#untried -= 1;
    this.#passes = true;
    return false;
  }
}

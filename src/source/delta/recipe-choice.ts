import type { DeltaMode } from "../../protocol/delta-mode.ts";

/** Files that pass untried after as many of which the sinks held nothing: 1, 2, 4, 8, 16, 16, … */
const UNTRIED_MAX = 16;

/** Which files travel as recipes. With `auto`, as long as that pays; until something is known it is taken to pay. Pure. */
export class DeltaChoice {
  readonly #mode: DeltaMode;
  #pays = true;
  #untried = 0;
  #untriedNext = 1;

  constructor(mode: DeltaMode) {
    this.#mode = mode;
  }

  /** What a moment tells. */
  look(pays: boolean | undefined): void {
    this.#pays = pays ?? this.#pays;
  }

  /** Whether the next file that may do so travels as a recipe. To be asked once for each, when it is to be sent. */
  takes(): boolean {
    if (this.#mode !== "auto") return this.#mode === "on";
    return this.#pays && this.#next();
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
    return false;
  }
}

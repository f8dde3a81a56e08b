import type { Clock } from "../../lib/clock.ts";
import type { DeltaMode } from "../../protocol/delta-mode.ts";
import { LinkProbe } from "./link-probe.ts";

/** Files that pass untried after as many of which the sinks held nothing: 1, 2, 4, 8, 16, 16, … */
const UNTRIED_MAX = 16;
/** Files that are tried without looking at the link, all together: that takes less than a tenth of a second. */
const BLIND_BYTES_MAX = 32 * 1024 * 1024;
/** Reading for a recipe may take a quarter of the time of sending: sinks do the same. A moment alone says nothing of it. */
const READ_FACTOR_MIN = 4;
const READ_MS_MIN = 1_000;
/** What is left of a file has to be worth the reading of all of it. */
const REST_PARTS_MAX = 4;

/** Whether recipes make the copy faster: where they do, bytes a second of content that flows. Undefined: it is not known. */
export type RecipesPay = number | false | undefined;

/**
 * Which files travel as recipes. With `auto` those for which that pays. Until something is known it is taken to pay, and
 * before the first large recipe is made some padding tells whether the link is fast: then it is given up. What is left of a
 * file that goes whole may turn to its recipe when the link turns out to be slow. Pure.
 */
export class DeltaChoice {
  readonly #mode: DeltaMode;
  readonly #clock: Pick<Clock, "nowMs">;
  readonly #probe: LinkProbe;
  #pays: RecipesPay;
  #readSinceMs = 0;
  #blindBytes = BLIND_BYTES_MAX;
  #untried = 0;
  #untriedNext = 1;
  /** The last file that was asked for passes untried. */
  #passes = false;

  constructor(mode: DeltaMode, clock: Pick<Clock, "nowMs">) {
    this.#mode = mode;
    this.#clock = clock;
    this.#probe = new LinkProbe(clock);
  }

  /** What a moment tells. */
  look(pays: RecipesPay): void {
    this.#pays = pays ?? this.#pays;
  }

  /** Whether the next file that may do so travels as a recipe. To be asked once for each, when it is to be sent. */
  takes(): boolean {
    if (this.#mode !== "auto") return this.#mode === "on";
    this.#passes = false;
    return this.#pays !== false && this.#next();
  }

  /** Whether the file that was asked for last goes on with its recipe, when so much of it is left to be sent. */
  turns(restBytes: number, bytes: number): boolean {
    const isWorth = restBytes * REST_PARTS_MAX >= bytes;
    return this.#mode === "auto" && typeof this.#pays === "number" && !this.#passes && isWorth;
  }

  /** A file of so many bytes is read for its recipe. */
  begins(bytes: number): void {
    this.#blindBytes -= bytes;
    this.#readSinceMs = this.#clock.nowMs();
  }

  /** How much padding is to be sent now. To be asked when the reading begins, and again and again. */
  padding(): number {
    if (this.#mode !== "auto" || this.#pays !== undefined || this.#blindBytes >= 0) return 0;
    const bytes = this.#probe.next();
    if (this.#probe.isFast) this.#pays = false;
    return bytes;
  }

  /** Whether recipes do not pay now, as far as is known. */
  get isUseless(): boolean {
    return this.#mode === "auto" && this.#pays === false;
  }

  /** Whether to wait for a moment: what the padding tells is about to be known. */
  get waits(): boolean {
    return this.#probe.isOpen;
  }

  /** All sinks have stored so much more of what was sent. */
  stored(bytes: number): void {
    this.#probe.back(bytes);
  }

  /** So much of the file was read. False when its recipe is not worth that: it goes whole. */
  goesOn(readBytes: number): boolean {
    if (this.#mode !== "auto") return true;
    const ms = this.#clock.nowMs() - this.#readSinceMs;
    const isSlow = ms >= READ_MS_MIN && (readBytes * 1000) / ms < (this.#pays || 0) * READ_FACTOR_MIN;
    // Some of those that follow pass untried.
    if (isSlow) this.answered(false);
    return !isSlow && !this.isUseless;
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

import type { CompressionMode } from "../../protocol/compression-mode.ts";
import { WINDOW_BYTES_MAX, WINDOW_BYTES_START } from "../../protocol/limits.ts";

const MIB = 1024 * 1024;
/** What a reader may compress before its first wait: what fills the first window, and one frame more. */
const START_BYTES = WINDOW_BYTES_START + MIB;
/** The most that it may save up by waiting. A single stall, however long, says nothing about the path. */
const SAVED_BYTES_MAX = WINDOW_BYTES_MAX;
/**
 * A path is slow when it needs this many times as long for a MiB as compression does. That is about 12 ms, or 700 Mbit/s.
 * On a machine whose processors are all busy both take longer, and compression would make that worse.
 */
const SLOW_FACTOR = 3;
/** What compressing a MiB takes, until it is known. */
const COST_MS_PER_MIB = 4;
/** The weight of the earlier frames beside the last one. */
const COST_KEPT = 0.75;
/** Frames that pass untried after as many that did not shrink: 1, 2, 4, 8, 16, 16, … */
const UNTRIED_MAX = 16;

/**
 * Which frames are worth compressing, as the reader sees it. With `auto` it compresses as much as there was time for while
 * it waited for a link, less what a fast path takes too. So on a path that keeps up with the source, only the start costs
 * something. On a slow path there is time. Content that does not shrink is tried again now and then. Pure.
 */
export class CompressionChoice {
  readonly #mode: CompressionMode;
  /** Content that there was time for. */
  #savedBytes = START_BYTES;
  #msPerByte = COST_MS_PER_MIB / MIB;
  /** Published since it last waited. */
  #wireBytes = 0;
  #untried = 0;
  #untriedNext = 1;

  constructor(mode: CompressionMode) {
    this.#mode = mode;
  }

  /** Whether to try the next frame. Asked once for each. */
  next(): boolean {
    if (this.#mode !== "auto") return this.#mode === "on";
    if (this.#untried > 0) {
      this.#untried -= 1;
      return false;
    }
    return this.#savedBytes > 0;
  }

  /** A frame with so much content was tried: that took so long. */
  tried({ contentBytes, ms }: { readonly contentBytes: number; readonly ms: number }, hasShrunk: boolean): void {
    this.#savedBytes -= contentBytes;
    this.#msPerByte = COST_KEPT * this.#msPerByte + (1 - COST_KEPT) * (ms / contentBytes);
    if (hasShrunk) this.#untriedNext = 1;
    else {
      this.#untried = this.#untriedNext;
      this.#untriedNext = Math.min(this.#untriedNext * 2, UNTRIED_MAX);
    }
  }

  /** A frame of so many bytes, compressed or not, is on its way. */
  published(wireBytes: number): void {
    this.#wireBytes += wireBytes;
  }

  /** There was something to read, but a link had no credit for it, for so long. Zero when something else held it back. */
  waited(ms: number): void {
    const freeBytes = ms / this.#msPerByte - this.#wireBytes * SLOW_FACTOR;
    this.#wireBytes = 0;
    this.#savedBytes = Math.min(this.#savedBytes + Math.max(0, freeBytes), SAVED_BYTES_MAX);
  }
}

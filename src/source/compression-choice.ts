import type { CompressionMode } from "../protocol/compression-mode.ts";

/** What a reader may compress before it has waited for anything: a window of text to begin with. */
const START_MS = 25;
/** What it may save up by waiting. One stall says nothing of the path, however long it was. */
const SAVED_MS_MAX = 100;
/**
 * A path is slow when what it carries takes it as many times as long as it takes to compress, which is about 12 ms for a MiB, or
 * 700 Mbit/s. On a machine whose processors are all at work both take longer, and to compress would make that worse.
 */
const SLOW_FACTOR = 3;
/** What compressing a MiB takes, until it is known. */
const COST_MS_PER_MIB = 4;
/** Of what was known before, what counts beside the last frame. */
const COST_KEPT = 0.75;
/** Frames that pass untried after as many that did not shrink: 1, 2, 4, 8, 16, 16, … */
const UNTRIED_MAX = 16;
const MIB = 1024 * 1024;

/**
 * Which frames are worth to be compressed, as the reader sees it. With `auto` it may take as long for that as it would otherwise have
 * waited for credit, less what a fast path takes too: so the time is there, and a path that keeps up with the source costs it
 * nothing but the start. Content that does not shrink is tried again now and then. Pure.
 */
export class CompressionChoice {
  readonly #mode: CompressionMode;
  #savedMs = START_MS;
  #costMsPerMib = COST_MS_PER_MIB;
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
    return this.#savedMs > 0;
  }

  /** A frame with so much content was tried: that took so long. */
  tried({ contentBytes, ms }: { readonly contentBytes: number; readonly ms: number }, hasShrunk: boolean): void {
    this.#savedMs -= ms;
    this.#costMsPerMib = COST_KEPT * this.#costMsPerMib + (1 - COST_KEPT) * (ms / (contentBytes / MIB));
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

  /** There was something to read, but no credit to read it, for so long. */
  waited(ms: number): void {
    const freeMs = ms - (this.#wireBytes / MIB) * SLOW_FACTOR * this.#costMsPerMib;
    this.#wireBytes = 0;
    this.#savedMs = Math.min(this.#savedMs + Math.max(0, freeMs), SAVED_MS_MAX);
  }
}

import { WINDOW_BYTES_MAX, WINDOW_BYTES_MIN, WINDOW_BYTES_START } from "../protocol/limits.ts";

/** A frame that was published and that some sink has not stored yet. */
export interface OutstandingFrame {
  readonly sequence: number;
  /** What it counts for against the window; 0 for pages and marks, which never wait for data credit. */
  readonly costBytes: number;
}

/**
 * The credit of a session (D6) [P-11]: bytes published that the slowest live sink has not stored. Pure: no time, no
 * I/O.
 *
 * The window starts small and doubles each time a whole window was stored while it was what held the source back, so that
 * it ends near what the path needs, and memory stays at what is needed.
 */
export class CreditWindow<T extends OutstandingFrame> {
  readonly #storedUpTo = new Map<string, number>();
  #frames: T[] = [];
  #head = 0;
  #outstandingBytes = 0;
  #windowBytes = WINDOW_BYTES_START;
  #capBytes = WINDOW_BYTES_MAX;
  #limited = false;
  #storedSinceGrowthBytes = 0;

  constructor(sinkIds: readonly string[]) {
    for (const sinkId of sinkIds) this.#storedUpTo.set(sinkId, 0);
  }

  get windowBytes(): number {
    return Math.min(this.#windowBytes, this.#capBytes);
  }

  /**
   * Holds the window at what the broker may keep for the slowest sink: one that cuts subscribers which stall must never have
   * more for them than they take in half that time (D6).
   */
  cap(bytes: number): void {
    this.#capBytes = Math.max(WINDOW_BYTES_MIN, bytes);
  }

  /** Published and not yet stored by all. Never above the window by more than one frame. */
  get outstandingBytes(): number {
    return this.#outstandingBytes;
  }

  get liveSinks(): number {
    return this.#storedUpTo.size;
  }

  /** The oldest frame that is not stored by all; the next one to be published when there is none. */
  storedUpTo(nextSequence: number): number {
    return this.#frames[this.#head]?.sequence ?? nextSequence;
  }

  /** A frame that is not stored by all, by its sequence. Sequences of what is published have no holes. */
  find(sequence: number): T | undefined {
    const first = this.#frames[this.#head];
    return first === undefined || sequence < first.sequence
      ? undefined
      : this.#frames[this.#head + sequence - first.sequence];
  }

  published(frame: T): void {
    this.#frames.push(frame);
    this.#outstandingBytes += frame.costBytes;
    if (this.#outstandingBytes >= this.windowBytes / 2) this.#limited = true;
  }

  /**
   * Takes a sink's word that all frames below `upTo` are stored; returns the frames that now all sinks have stored. A word
   * that goes back is ignored (reports may be reordered).
   */
  stored(sinkId: string, upTo: number): T[] {
    const before = this.#storedUpTo.get(sinkId);
    if (before === undefined || upTo <= before) return [];
    this.#storedUpTo.set(sinkId, upTo);
    return this.#release();
  }

  /** A sink that failed or left holds nobody any more; returns the frames this releases. */
  drop(sinkId: string): T[] {
    return this.#storedUpTo.delete(sinkId) ? this.#release() : [];
  }

  #release(): T[] {
    const least = Math.min(...this.#storedUpTo.values());
    const released: T[] = [];
    for (
      let frame = this.#frames[this.#head];
      frame !== undefined && frame.sequence < least;
      frame = this.#frames[this.#head]
    ) {
      released.push(frame);
      this.#head += 1;
      this.#outstandingBytes -= frame.costBytes;
      this.#storedSinceGrowthBytes += frame.costBytes;
    }
    if (this.#head > 256 && this.#head * 2 > this.#frames.length) {
      this.#frames = this.#frames.slice(this.#head);
      this.#head = 0;
    }
    this.#grow();
    return released;
  }

  #grow(): void {
    if (!this.#limited || this.#storedSinceGrowthBytes < this.#windowBytes) return;
    this.#windowBytes = Math.min(this.#windowBytes * 2, WINDOW_BYTES_MAX);
    this.#storedSinceGrowthBytes = 0;
    this.#limited = false;
  }
}

import {
  LIMITED_WINDOW_BYTES_MIN,
  WINDOW_BYTES_MAX,
  WINDOW_BYTES_MIN,
  WINDOW_BYTES_START,
} from "../../protocol/limits.ts";

/** A frame that was published and that some sink has not stored yet. */
export interface OutstandingFrame {
  readonly sequence: number;
  /** What it takes of the window. 0 for pages and marks, which never wait for credit. */
  readonly costBytes: number;
}

interface Stored {
  readonly upTo: number;
  /** What the frames below `upTo` counted for, all together. */
  readonly bytes: number;
}

/**
 * The credit of a session (D6) [P-11]: bytes of data and trailers that were published and that
 * the slowest live sink has not stored. Pure: no time, no
 * I/O.
 *
 * The window starts small and doubles each time a whole window was stored while it was what held the source back. So it
 * ends near what the path needs, and memory stays at what is needed.
 */
export class CreditWindow<T extends OutstandingFrame> {
  readonly #stored = new Map<string, Stored>();
  readonly #maxBytes: number;
  #frames: T[] = [];
  /** What had been published in all with the frame at the same place. */
  #ends: number[] = [];
  #head = 0;
  #publishedBytes = 0;
  #outstandingBytes = 0;
  #windowBytes: number;
  #capBytes = WINDOW_BYTES_MAX;
  #limitBytes = WINDOW_BYTES_MAX;
  #limited = false;
  #storedSinceGrowthBytes = 0;

  /** `maxBytes`: what the window never grows beyond. */
  constructor(sinkIds: readonly string[], maxBytes = WINDOW_BYTES_MAX) {
    for (const sinkId of sinkIds) this.#stored.set(sinkId, { upTo: 0, bytes: 0 });
    this.#maxBytes = maxBytes;
    this.#windowBytes = Math.min(WINDOW_BYTES_START, maxBytes);
  }

  get windowBytes(): number {
    return Math.min(this.#windowBytes, this.#capBytes, this.#limitBytes);
  }

  /**
   * Holds the window at what the broker may keep for the slowest sink (D6). Some brokers cut subscribers that stall. Such a
   * broker must never hold more than a subscriber takes in half of that time.
   */
  cap(bytes: number): void {
    this.#capBytes = Math.max(WINDOW_BYTES_MIN, bytes);
  }

  /** Holds the window at what a sink that is held to a rate takes in a while; null: no sink is. */
  limit(bytes: number | null): void {
    this.#limitBytes = bytes === null ? WINDOW_BYTES_MAX : Math.max(LIMITED_WINDOW_BYTES_MIN, bytes);
  }

  /** Published and not yet stored by all. Never above the window by more than one frame. */
  get outstandingBytes(): number {
    return this.#outstandingBytes;
  }

  /** The published bytes that this sink has not stored. 0 for a sink that nobody waits for. */
  outstandingOf(sinkId: string): number {
    const stored = this.#stored.get(sinkId);
    return stored === undefined ? 0 : this.#publishedBytes - stored.bytes;
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
    this.#publishedBytes += frame.costBytes;
    this.#frames.push(frame);
    this.#ends.push(this.#publishedBytes);
    this.#outstandingBytes += frame.costBytes;
    if (this.#outstandingBytes >= this.windowBytes / 2) this.#limited = true;
  }

  /**
   * Takes a sink's word that all frames below `upTo` are stored; returns the frames that now all sinks have stored. A word
   * that goes back is ignored (reports may be reordered).
   */
  stored(sinkId: string, upTo: number): T[] {
    const before = this.#stored.get(sinkId);
    if (before === undefined || upTo <= before.upTo) return [];
    const first = this.#frames[this.#head]?.sequence ?? upTo;
    this.#stored.set(sinkId, { upTo, bytes: this.#ends[this.#head + upTo - 1 - first] ?? before.bytes });
    return this.#release();
  }

  /** A sink that failed or left holds nobody any more; returns the frames this releases. */
  drop(sinkId: string): T[] {
    return this.#stored.delete(sinkId) ? this.#release() : [];
  }

  #release(): T[] {
    let least = Number.POSITIVE_INFINITY;
    for (const { upTo } of this.#stored.values()) least = Math.min(least, upTo);
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
      this.#ends = this.#ends.slice(this.#head);
      this.#head = 0;
    }
    this.#grow();
    return released;
  }

  #grow(): void {
    if (!this.#limited || this.#storedSinceGrowthBytes < this.#windowBytes) return;
    this.#windowBytes = Math.min(this.#windowBytes * 2, this.#maxBytes);
    this.#storedSinceGrowthBytes = 0;
    this.#limited = false;
  }
}

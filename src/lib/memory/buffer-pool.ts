/** Buffers this much smaller than those of the pool are not worth one of them. */
const SHARE_MIN = 4;

interface BufferPoolOptions {
  /** Length of each buffer, in bytes. */
  readonly bufferBytes: number;
  /** Buffers that are kept for later at most; what is given back beyond them is let go. */
  readonly keptMax: number;
}

/**
 * Large buffers that are used again. To make each one anew costs a page fault for every 4 KiB. They are shared memory,
 * which threads hand to each other as it is. Each ArrayBuffer that is transferred counts as so many megabytes made anew
 * in the thread that takes it, and calls for the garbage collector. The other side of that: nobody may use one that was
 * given away.
 */
export class BufferPool {
  readonly #options: BufferPoolOptions;
  readonly #kept: SharedArrayBuffer[] = [];

  constructor(options: BufferPoolOptions) {
    this.#options = options;
  }

  /** So many bytes with arbitrary content, at the beginning of memory that nobody else uses. */
  take(bytes: number): Buffer {
    const { bufferBytes } = this.#options;
    if (bytes > bufferBytes || bytes * SHARE_MIN < bufferBytes) return Buffer.allocUnsafeSlow(bytes);
    const kept = this.#kept.pop() ?? new SharedArrayBuffer(bufferBytes);
    return Buffer.from(kept, 0, bytes);
  }

  /** Whoever gives a buffer back, and everybody else, has stopped using it. One that is not of the pool's length is let go. */
  giveBack(buffer: ArrayBufferLike): void {
    const { bufferBytes, keptMax } = this.#options;
    if (buffer instanceof SharedArrayBuffer && buffer.byteLength === bufferBytes && this.#kept.length < keptMax)
      this.#kept.push(buffer);
  }
}

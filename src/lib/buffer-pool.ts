/** Buffers this much smaller than those of the pool are not worth one of them. */
const SHARE_MIN = 4;

export interface BufferPoolOptions {
  /** Length of each buffer, in bytes. */
  readonly bufferBytes: number;
  /** Buffers that are kept for later at most; what is given back beyond them is let go. */
  readonly keptMax: number;
}

/**
 * Large buffers that are used again. To make each one anew costs a page fault for every 4 KiB, and the garbage collector is
 * called for by the megabytes that come and go.
 */
export class BufferPool {
  readonly #options: BufferPoolOptions;
  readonly #kept: ArrayBuffer[] = [];

  constructor(options: BufferPoolOptions) {
    this.#options = options;
  }

  /** So many bytes with arbitrary content, in an ArrayBuffer that nobody else uses. It may be longer, and begins there. */
  take(bytes: number): Buffer<ArrayBuffer> {
    const { bufferBytes } = this.#options;
    if (bytes > bufferBytes || bytes * SHARE_MIN < bufferBytes) return Buffer.allocUnsafeSlow(bytes);
    const kept = this.#kept.pop() ?? Buffer.allocUnsafeSlow(bufferBytes).buffer;
    return Buffer.from(kept, 0, bytes);
  }

  /** Whoever gives a buffer back, and everybody else, has stopped using it. One that is not of the pool's length is let go. */
  giveBack(buffer: ArrayBufferLike): void {
    if (!this.isOwn(buffer) || this.#kept.length >= this.#options.keptMax) return;
    this.#kept.push(buffer);
  }

  /** Whether it is of the length that is kept. A buffer that was transferred has none. */
  isOwn(buffer: ArrayBufferLike): buffer is ArrayBuffer {
    return buffer instanceof ArrayBuffer && buffer.byteLength === this.#options.bufferBytes;
  }
}

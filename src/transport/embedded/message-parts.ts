import { joined } from "../payload.ts";

/**
 * Smaller messages are copied out of the 64 KiB that the socket read them in: one that waits for a slow client must not
 * keep the memory of its neighbours.
 */
const COPY_BELOW_BYTES = 32 * 1024;
/** A message that comes in more pieces than this is copied: each piece costs a few hundred bytes besides its own. */
const PARTS_MAX = 128;

/** Collects the payload of one message as the pieces it came in, without copying what need not be. */
export class MessageParts {
  readonly #bytes: number;
  #parts: Uint8Array[] = [];
  #whole: Buffer | undefined;
  #filled = 0;

  /** `bytes` is the length announced, which the decoder has checked. */
  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  push(piece: Uint8Array): void {
    if (this.#whole === undefined && this.#parts.length >= PARTS_MAX) this.#copy();
    if (this.#whole === undefined) this.#parts.push(piece);
    else this.#whole.set(piece, this.#filled);
    this.#filled += piece.byteLength;
  }

  /** The whole payload; to be called once it is complete. */
  finish(): readonly Uint8Array[] {
    if (this.#whole !== undefined) return [this.#whole];
    return this.#bytes < COPY_BELOW_BYTES ? [joined(this.#parts, this.#bytes)] : this.#parts;
  }

  #copy(): void {
    const whole = Buffer.allocUnsafeSlow(this.#bytes);
    let offset = 0;
    for (const part of this.#parts) {
      whole.set(part, offset);
      offset += part.byteLength;
    }
    this.#whole = whole;
    this.#parts = [];
  }
}

/**
 * Who owns the memory of a payload: the thread that it was posted to, from then until it says `free`. A decoder returns
 * views into that memory: tables, contents, hashes and paths. They are on loan for the time of the call. Whoever keeps any
 * of it keeps a copy (`ownCopy`).
 */
export class PayloadMemory {
  #freed: SharedArrayBuffer[] = [];

  /**
   * Nothing of a payload is kept. Private memory is let go now, and not when the collector comes by: it sees small
   * objects, not megabytes. Shared memory waits for `takeFreed`.
   */
  free({ buffer }: Uint8Array): void {
    if (buffer instanceof ArrayBuffer) buffer.transfer(0);
    else this.#freed.push(buffer);
  }

  /** Shared memory that was freed since the last call, to go back to the pool it is of. */
  takeFreed(): readonly SharedArrayBuffer[] {
    const freed = this.#freed;
    this.#freed = [];
    return freed;
  }
}

/** A copy of what lies in a payload, to be kept when that is freed. */
export function ownCopy(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

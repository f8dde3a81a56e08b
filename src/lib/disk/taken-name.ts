/** The longest name that a system call takes. */
const NAME_BYTES_MAX = 255;

/** A name as the system takes it, with a NUL behind it, in memory that serves for one after another. */
export class TakenName {
  readonly bytes = new Uint8Array(NAME_BYTES_MAX + 1);
  /** Without the NUL. */
  length = 0;

  /** Takes what lies between `from` and `to`. False, and nothing is taken, when no call would take it. */
  take(source: Uint8Array, from = 0, to = source.length): boolean {
    const length = to - from;
    if (length > NAME_BYTES_MAX) return false;
    const { bytes } = this;
    for (let at = 0; at < length; at += 1) {
      const byte = source[from + at] ?? 0;
      // The system would take what stands before it for the whole.
      if (byte === 0) return false;
      bytes[at] = byte;
    }
    bytes[length] = 0;
    this.length = length;
    return true;
  }
}

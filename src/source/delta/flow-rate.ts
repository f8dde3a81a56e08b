/** A rate is measured over this time at least, and over so many bytes or a long time. */
const SPAN_MS_MIN = 250;
const SPAN_BYTES_MIN = 512 * 1024;
const SPAN_MS_LONG = 1_000;
/** Two spans agree when one is this many times as fast as the other at most. */
const AGREEING = 1.25;

interface Flow {
  /** Content that all sinks have stored so far. */
  readonly storedBytes: number;
  /** Content that was read, and that some sink has not stored. */
  readonly waitingBytes: number;
}

/**
 * How fast content flows from the reader to the disk of the slowest sink, while there is always some on its way. A connection
 * begins slowly, and a machine may stop for a moment: only what two spans of time agree on is known. Pure.
 */
export class FlowRate {
  #from: (Flow & { readonly atMs: number }) | undefined;
  #before: number | undefined;
  #bytesPerSecond: number | undefined;

  /** Undefined as long as it is not known. */
  get bytesPerSecond(): number | undefined {
    return this.#bytesPerSecond;
  }

  /** To be called several times a second. */
  look(nowMs: number, flow: Flow): void {
    const from = this.#from;
    if (flow.waitingBytes === 0 || from === undefined) {
      this.#from = flow.waitingBytes === 0 ? undefined : { ...flow, atMs: nowMs };
      this.#before = undefined;
      return;
    }
    const [ms, bytes] = [nowMs - from.atMs, flow.storedBytes - from.storedBytes];
    if (ms < SPAN_MS_MIN || (bytes < SPAN_BYTES_MIN && ms < SPAN_MS_LONG)) return;
    const rate = (bytes * 1000) / ms;
    const before = this.#before ?? (ms < SPAN_MS_LONG ? Number.NaN : rate);
    if (rate <= before * AGREEING && before <= rate * AGREEING) this.#bytesPerSecond = rate;
    this.#before = rate;
    this.#from = { ...flow, atMs: nowMs };
  }
}

/** A server that owes an answer, and sends nothing at all for this long, hangs. */
const PATIENCE_MS = 5_000;
/** What patience grows to where answers take their time. */
const PATIENCE_MAX_MS = 40_000;
/** A link on which nothing was heard for this long is asked for an answer. */
const QUIET_MS = 2_000;
/** Looks that are further apart mean that this process stood still: then nothing can be said of the server. */
const STALL_MS = 2_000;

/** How often the pulse is to be looked at. */
export const PULSE_LOOK_MS = 500;

/**
 * Whether the server at the other end of a link is alive. A node that hangs keeps its connections open and takes bytes until the
 * buffers of two kernels are full, so only its silence tells. Everything that comes is a sign of life.
 *
 * On a slow link an answer comes behind what is under way. So patience grows to twice the longest silence that was
 * followed by a sign, and doubles after each link that was given up. A link that is slow and not dead is kept sooner or
 * later. Pure.
 */
export class LinkPulse {
  #patienceMs = PATIENCE_MS;
  #owed = 0;
  /** Since when the server could have said something. */
  #sinceMs: number;
  #lookedMs: number;

  constructor(nowMs: number) {
    this.#sinceMs = nowMs;
    this.#lookedMs = nowMs;
  }

  /** Silence that is allowed now, in milliseconds. */
  get patienceMs(): number {
    return this.#patienceMs;
  }

  /** An answer is asked for. */
  ask(nowMs: number): void {
    if (this.#owed === 0) this.#sinceMs = nowMs;
    this.#owed += 1;
  }

  /** Something came. */
  heard(nowMs: number): void {
    if (this.#owed > 0) this.#allow(2 * (nowMs - this.#sinceMs));
    this.#sinceMs = nowMs;
  }

  /** An answer came. */
  answered(nowMs: number): void {
    this.heard(nowMs);
    this.#owed = Math.max(0, this.#owed - 1);
  }

  /** A new link is there: nothing is owed on it. */
  begin(nowMs: number): void {
    this.#owed = 0;
    this.#sinceMs = nowMs;
    this.#lookedMs = nowMs;
  }

  /** `quiet`: an answer is to be asked for. `dead`: the link is to be given up. */
  look(nowMs: number): "alive" | "quiet" | "dead" {
    if (nowMs - this.#lookedMs > STALL_MS) this.#sinceMs = nowMs;
    this.#lookedMs = nowMs;
    const silentMs = nowMs - this.#sinceMs;
    if (this.#owed === 0) return silentMs >= QUIET_MS ? "quiet" : "alive";
    if (silentMs < this.#patienceMs) return "alive";
    this.#allow(2 * this.#patienceMs);
    return "dead";
  }

  #allow(silenceMs: number): void {
    this.#patienceMs = Math.min(PATIENCE_MAX_MS, Math.max(this.#patienceMs, silenceMs));
  }
}

import type { Clock } from "../../lib/clock.ts";
import type { TransportCapabilities } from "../../transport/transport.ts";
import { RateLimit } from "./rate-limit.ts";

/** Frames at low rates are cut to about so much time, so that bytes flow evenly. */
const FRAME_MS = 250;
const FRAME_BYTES_MIN = 64 * 1024;

/** Holds what a source publishes, on all its lanes together, to a rate. */
export class Throttle {
  readonly #clock: Clock;
  readonly #limit: RateLimit;
  readonly #bytesPerSecond: number;

  constructor(bytesPerSecond: number, clock: Clock) {
    this.#clock = clock;
    this.#bytesPerSecond = bytesPerSecond;
    this.#limit = new RateLimit(bytesPerSecond, clock.nowMs());
  }

  /** Size of the frames to build, where the transport prefers this one. */
  frameBytes(preferredBytes: number): number {
    return Math.min(preferredBytes, Math.max(FRAME_BYTES_MIN, Math.floor((this.#bytesPerSecond * FRAME_MS) / 1000)));
  }

  /** Whether the next frame has to wait. */
  get isHolding(): boolean {
    return this.#limit.waitMs(this.#clock.nowMs()) > 0;
  }

  /** Resolves when the next frame may go. @throws the signal's reason */
  async ready(signal: AbortSignal): Promise<void> {
    for (let waitMs = this.#waitMs(); waitMs > 0; waitMs = this.#waitMs()) await this.#clock.sleep(waitMs, signal);
  }

  spend(bytes: number): void {
    this.#limit.spend(bytes, this.#clock.nowMs());
  }

  /** Whole milliseconds, as timers have them: a wait below one would end at once, again and again. */
  #waitMs(): number {
    return Math.ceil(this.#limit.waitMs(this.#clock.nowMs()));
  }
}

/** What the transport can do, with frames cut to what the rate lets through evenly. */
export function pacedCapabilities(
  capabilities: TransportCapabilities,
  throttle: Throttle | undefined,
): TransportCapabilities {
  const { preferredPayloadBytes } = capabilities;
  if (throttle === undefined) return capabilities;
  return { ...capabilities, preferredPayloadBytes: throttle.frameBytes(preferredPayloadBytes) };
}

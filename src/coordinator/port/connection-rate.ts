import type { Clock } from "../../lib/clock.ts";
import { addressGroup } from "../../lib/net/address-group.ts";
import { isLoopbackHost } from "../../lib/net/host-port.ts";
import { askBucket, type Bucket } from "../../lib/net/token-bucket.ts";

/** New connections of one address: the sinks of a whole session may come back at once, each with four of them. */
const BURST = 1024;
/** Each costs about a millisecond, for the handshake of TLS: an address gets less than a tenth of the coordinator's time. */
const PER_SECOND = 64;
/** Addresses that are kept in mind: the one that came longest ago goes first. */
const ADDRESSES_MAX = 4096;

/** How many connections an address may open. This machine may open any: others come through it, by a proxy say. */
export class ConnectionRate {
  readonly #clock: Clock;
  /** The one that came longest ago first. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether one more may come from this address now. */
  takes(address: string): boolean {
    if (isLoopbackHost(address)) return true;
    const group = addressGroup(address);
    const limits = { burst: BURST, perSecond: PER_SECOND };
    const { bucket, passes } = askBucket(this.#buckets.get(group), limits, this.#clock.nowMs());
    this.#buckets.delete(group);
    this.#buckets.set(group, bucket);
    const [longestAgo] = this.#buckets.keys();
    if (this.#buckets.size > ADDRESSES_MAX && longestAgo !== undefined) this.#buckets.delete(longestAgo);
    return passes;
  }
}

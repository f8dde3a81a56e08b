import type { Clock } from "../../lib/clock.ts";
import { addressGroup } from "../../lib/net/address-group.ts";

/** Connections of nobody in particular. A member is one for some round trips only. */
const STRANGERS_MAX = 1024;
/** Of them from one address: as many as a session has sinks may come back at once from behind one router. */
const STRANGERS_PER_ADDRESS_MAX = 256;
/** The same for an address from which others failed to come in, again and again. */
export const STRANGERS_PER_SUSPECT_MAX = 32;
/** How often it is looked for strangers that are late. */
const LOOK_EVERY_MS = 1000;

/** How long each step may take, in milliseconds. */
export const STEPS_MS = {
  /** Until the coordinator serves. */
  opening: 10_000,
  /** TLS. */
  handshake: 10_000,
  /** A request line and its headers. */
  request: 10_000,
  /** From the upgrade to a `hello` that is proven: longer than what the registry waits, which then says why it closes. */
  hello: 15_000,
  /** From the headers to the end of the answer, with the body in between. */
  answer: 30_000,
} as const;
export type Step = keyof typeof STEPS_MS;

interface StrangersOptions {
  readonly clock: Clock;
  /** Whether an address gets a smaller part of the room. */
  readonly isSuspect?: ((address: string) => boolean) | undefined;
  readonly max?: number;
  readonly perAddressMax?: number;
}

/** A connection of which nobody knows yet whose it is. */
export interface Stranger {
  /** It has begun a step, and has the time of that step for it. */
  begins(step: Step): void;
  /** It is known whose it is, or it is over: from now on it is somebody else's concern. Idempotent. */
  leaves(): void;
}

interface StrangerPlace {
  readonly group: string;
  readonly cut: () => void;
  dueMs: number;
}

/**
 * The room for connections that have proven nothing. It is small, whoever comes is let in, and the oldest of the address
 * with the most of them is cut for it. So idle connections keep nobody out, not even at their own address.
 */
export class Strangers implements Disposable {
  readonly #clock: Clock;
  readonly #max: number;
  readonly #perAddressMax: number;
  readonly #isSuspect: (address: string) => boolean;
  /** By address, the oldest first. */
  readonly #groups = new Map<string, Set<StrangerPlace>>();
  readonly #looks: Disposable;
  #count = 0;

  constructor(options: StrangersOptions) {
    const { clock, max = STRANGERS_MAX, perAddressMax = STRANGERS_PER_ADDRESS_MAX, isSuspect = () => false } = options;
    this.#clock = clock;
    this.#isSuspect = isSuspect;
    this.#max = max;
    this.#perAddressMax = perAddressMax;
    this.#looks = clock.every(LOOK_EVERY_MS, () => this.#cutLate());
  }

  get count(): number {
    return this.#count;
  }

  /** Takes in a connection. `cut` ends it. */
  enter(address: string, cut: () => void): Stranger {
    const group = addressGroup(address);
    const entry = { group, cut, dueMs: this.#clock.nowMs() + STEPS_MS.opening };
    const entries = this.#groups.get(group) ?? new Set<StrangerPlace>();
    const perAddressMax = this.#isSuspect(address) ? STRANGERS_PER_SUSPECT_MAX : this.#perAddressMax;
    while (entries.size >= perAddressMax) this.#cutOldest(entries);
    if (this.#count >= this.#max) this.#cutOldest(this.#largestGroup());
    entries.add(entry);
    this.#groups.set(group, entries);
    this.#count += 1;
    return {
      begins: (step) => {
        entry.dueMs = this.#clock.nowMs() + STEPS_MS[step];
      },
      leaves: () => this.#remove(entry),
    };
  }

  [Symbol.dispose](): void {
    this.#looks[Symbol.dispose]();
  }

  #cutOldest(entries: ReadonlySet<StrangerPlace>): void {
    for (const oldest of entries) {
      this.#cut(oldest);
      return;
    }
  }

  #largestGroup(): ReadonlySet<StrangerPlace> {
    let largest: ReadonlySet<StrangerPlace> = new Set();
    for (const entries of this.#groups.values()) if (entries.size > largest.size) largest = entries;
    return largest;
  }

  #cutLate(): void {
    const nowMs = this.#clock.nowMs();
    const late = [...this.#groups.values()].flatMap((entries) => [...entries].filter(({ dueMs }) => dueMs <= nowMs));
    for (const entry of late) this.#cut(entry);
  }

  #cut(entry: StrangerPlace): void {
    this.#remove(entry);
    entry.cut();
  }

  #remove(entry: StrangerPlace): void {
    const entries = this.#groups.get(entry.group);
    if (entries?.delete(entry) !== true) return;
    this.#count -= 1;
    if (entries.size === 0) this.#groups.delete(entry.group);
  }
}

import type { Clock } from "../../lib/clock.ts";
import { addressGroup } from "../../lib/net/address-group.ts";

/** Failures that cost nothing: somebody mistypes, or takes the wrong token. */
const FREE = 5;
const DELAY_MS_FIRST = 1000;
const DELAY_MS_MAX = 8000;
/** Failures after which an address, or an identity, is banned. */
const BANNED_FROM = 20;
/** Without a failure for so long, all is forgotten: a ban, too. */
const FORGOTTEN_MS = 15 * 60_000;
/** Addresses, and identities, that are kept in mind: the one that failed longest ago goes first. */
const KEPT_MAX = 4096;

/** Who failed to prove that it may come in. */
export interface Failed {
  readonly address: string;
  /** What it said that it is: 64 hex digits. */
  readonly identity?: string | undefined;
}

interface Count {
  readonly failures: number;
  readonly atMs: number;
}

/**
 * Failed attempts to come in, by address and by identity. They slow the answer to the next failure, and in the end ban.
 * Whoever is right is let in all the same: only those who fail again are told to wait.
 */
export class Attempts {
  readonly #clock: Clock;
  /** The one that failed longest ago first. */
  readonly #counts = { address: new Map<string, Count>(), identity: new Map<string, Count>() };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  failed(who: Failed): void {
    for (const [counts, name] of this.#placesOf(who)) {
      const failures = (this.#countOf(counts, name)?.failures ?? 0) + 1;
      counts.delete(name);
      counts.set(name, { failures, atMs: this.#clock.nowMs() });
      const [longestAgo] = counts.keys();
      if (counts.size > KEPT_MAX && longestAgo !== undefined) counts.delete(longestAgo);
    }
  }

  /** How long the answer to a failure is held back. */
  delayMs(who: Failed): number {
    const over = this.#failuresOf(who) - FREE;
    return over <= 0 ? 0 : Math.min(DELAY_MS_MAX, DELAY_MS_FIRST * 2 ** (over - 1));
  }

  isBanned(who: Failed): boolean {
    return this.#failuresOf(who) >= BANNED_FROM;
  }

  #failuresOf(who: Failed): number {
    return Math.max(...this.#placesOf(who).map(([counts, name]) => this.#countOf(counts, name)?.failures ?? 0));
  }

  #countOf(counts: Map<string, Count>, name: string): Count | undefined {
    const count = counts.get(name);
    return count !== undefined && this.#clock.nowMs() - count.atMs < FORGOTTEN_MS ? count : undefined;
  }

  #placesOf({ address, identity }: Failed): readonly (readonly [Map<string, Count>, string])[] {
    const ofAddress = [this.#counts.address, addressGroup(address)] as const;
    return identity === undefined ? [ofAddress] : [ofAddress, [this.#counts.identity, identity]];
  }
}

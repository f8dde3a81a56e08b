import { SHUT_OUTS_MAX } from "../history/shut-outs.ts";
import type { Revocations } from "./nats-jwt.ts";
import type { Nkey } from "./nats-nkey.ts";

/** What is kept ahead of what was signed: so the disk is synced once a minute at most. */
const KEPT_AHEAD_S = 60;

interface VoidedUser {
  /** What was signed up to this second is void. */
  readonly upToS: number;
  readonly publicKey: string;
}

/**
 * Members as users of a NATS server. An identity has one key there, so that all that it ever got can be made void. Times never
 * go backwards, whatever the clock does: what is signed after a removal is always later than it. Pure.
 */
export class NatsUsers {
  readonly #secret: Nkey;
  readonly #ttlMs: number;
  readonly #shutOut = new Map<string, VoidedUser>();
  /** The latest second that was signed for anybody. */
  #latestS = 0;
  /** Up to this second the next process knows of what was signed. */
  #keptS = 0;
  #keep: (upTo: Date) => void = () => undefined;

  /** @param secret of which the users' keys are made */
  constructor(secret: Nkey, ttlMs: number) {
    this.#secret = secret;
    this.#ttlMs = ttlMs;
  }

  keyOf(identity: string): Nkey {
    return this.#secret.derive("user", identity);
  }

  /** Goes on behind what earlier processes signed. `keep` is called before anything later than what it kept is signed. */
  continueFrom(kept: Date, keep: (upTo: Date) => void): void {
    this.#keptS = secondsOf(kept);
    this.#latestS = Math.max(this.#latestS, this.#keptS);
    this.#keep = keep;
  }

  /** The time that is to stand in what is signed now for this identity. */
  signedAt(identity: string, now: Date): Date {
    const upToS = this.#shutOut.get(identity)?.upToS ?? 0;
    this.#latestS = Math.max(this.#latestS, secondsOf(now), upToS + 1);
    if (this.#latestS > this.#keptS) {
      this.#keptS = this.#latestS + KEPT_AHEAD_S;
      this.#keep(new Date(this.#keptS * 1000));
    }
    return new Date(this.#latestS * 1000);
  }

  /** Makes void all that was signed for this identity; gives the time up to which it is. */
  shutOut(identity: string, at: Date): Date {
    const upToS = Math.max(this.#latestS, secondsOf(at));
    this.#add(identity, upToS);
    return new Date(upToS * 1000);
  }

  /** What `shutOut` gave to an earlier process. */
  restore(identity: string, upTo: Date): void {
    const upToS = secondsOf(upTo);
    this.#latestS = Math.max(this.#latestS, upToS);
    this.#add(identity, upToS);
  }

  /** What is void now and would be good without that. */
  revocations(now: Date): Revocations {
    for (const [identity, { upToS }] of this.#shutOut)
      if ((upToS + 1) * 1000 + this.#ttlMs < now.getTime()) this.#shutOut.delete(identity);
    return Object.fromEntries([...this.#shutOut.values()].map(({ publicKey, upToS }) => [publicKey, upToS]));
  }

  /** Beyond the bound the one removed first is forgotten. */
  #add(identity: string, upToS: number): void {
    this.#shutOut.delete(identity);
    this.#shutOut.set(identity, { upToS, publicKey: this.keyOf(identity).publicKey });
    const [first] = this.#shutOut.keys();
    if (this.#shutOut.size > SHUT_OUTS_MAX && first !== undefined) this.#shutOut.delete(first);
  }
}

function secondsOf(at: Date): number {
  return Math.floor(at.getTime() / 1000);
}

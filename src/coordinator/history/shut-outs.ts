import type { DatabaseSync } from "node:sqlite";
import { togetherForGood } from "./together.ts";

/** Whose credentials for a broker are void: all that it got before `at`. */
interface ShutOut {
  /** Public key of the member. */
  readonly identity: string;
  readonly at: Date;
}

/** The names of the facts. */
const FACT = "shut-out";
const SIGNED_FACT = "signed-up-to";
/** Longer than any credentials are good. */
const KEPT_MS = 24 * 3600 * 1000;
/** So many fit into what a NATS server is told of them. */
export const SHUT_OUTS_MAX = 4096;

/** Members that were removed or dropped, on disk: a coordinator that starts has to know whose credentials it must not honour. */
export class ShutOuts {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Those of the last day, the oldest first. */
  all(now: Date): readonly ShutOut[] {
    const value = this.#fact(FACT);
    const kept = value === undefined ? [] : (JSON.parse(value) as readonly [string, string][]);
    return kept
      .map(([identity, at]) => ({ identity, at: new Date(at) }))
      .filter(({ at }) => now.getTime() - at.getTime() < KEPT_MS);
  }

  /**
   * On the disk before it returns. Beyond the bound the oldest one is forgotten. `at` is later than `now` where the clock
   * went back.
   */
  add(identity: string, at: Date, now: Date = at): void {
    const others = this.all(now).filter((each) => each.identity !== identity);
    const value = JSON.stringify(
      [...others, { identity, at }].slice(-SHUT_OUTS_MAX).map((each) => [each.identity, each.at]),
    );
    this.#setFact(FACT, value);
  }

  /** No credentials were signed for a later time; 1970 where none were. The clock may have been set back since. */
  signedUpTo(): Date {
    return new Date(this.#fact(SIGNED_FACT) ?? 0);
  }

  /** On the disk before it returns. */
  keepSignedUpTo(at: Date): void {
    this.#setFact(SIGNED_FACT, at.toISOString());
  }

  #fact(name: string): string | undefined {
    const row = this.#database.prepare("SELECT value FROM facts WHERE name = ?").get(name);
    return row === undefined ? undefined : String(row["value"]);
  }

  #setFact(name: string, value: string): void {
    const insert =
      "INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    togetherForGood(this.#database, () => this.#database.prepare(insert).run(name, value));
  }
}

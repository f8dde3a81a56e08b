import type { DatabaseSync } from "node:sqlite";
import type { Random } from "../../lib/random.ts";
import type { CommitDecision, CommitRef } from "../../protocol/messages/commit.ts";
import { togetherForGood } from "./together.ts";

/** Decisions that are kept, the latest ones. Each has some 120 bytes. A fleet that switches each hour makes so many in eleven years. */
const DECISIONS_MAX = 100_000;
const DECIDE = "INSERT OR IGNORE INTO decisions (session_id, epoch, digest, decided) VALUES (?, ?, ?, ?)";
const TIDY = `DELETE FROM decisions WHERE rowid IN (SELECT rowid FROM decisions ORDER BY decided DESC LIMIT -1 OFFSET ${DECISIONS_MAX})`;
const FIND = "SELECT digest FROM decisions WHERE session_id = ? AND epoch = ?";
/** Name of the fact that says which state this is. */
const OWN_ID = "coordinator";
const ID_BYTES = 16;

/** What was decided on copies whose sinks switch together [P-16]. */
export class DecisionStore {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** It is on the disk before this returns, and nothing takes it back. Throws what SQLite throws. */
  decide({ sessionId, epoch, digest }: CommitDecision, at: Date): void {
    togetherForGood(this.#database, () => {
      this.#database.prepare(DECIDE).run(sessionId, epoch, digest ?? null, at.toISOString());
      this.#database.prepare(TIDY).run();
    });
  }

  find({ sessionId, epoch }: CommitRef): CommitDecision | undefined {
    const row = this.#database.prepare(FIND).get(sessionId, epoch);
    if (row === undefined) return undefined;
    const { digest } = row as { readonly digest: string | null };
    return { sessionId, epoch, ...(digest === null ? {} : { digest }) };
  }

  /** Of this state: drawn at the first start. */
  ownId(random: Pick<Random, "hex">): string {
    const insert = "INSERT OR IGNORE INTO facts (name, value) VALUES (?, ?)";
    togetherForGood(this.#database, () => this.#database.prepare(insert).run(OWN_ID, random.hex(ID_BYTES)));
    const row = this.#database.prepare("SELECT value FROM facts WHERE name = ?").get(OWN_ID);
    return String((row as { readonly value: string }).value);
  }
}

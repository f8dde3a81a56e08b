import type { DatabaseSync } from "node:sqlite";

/** A session that is over. */
export interface EndedSession {
  readonly id: string;
  readonly name: string;
  readonly ended: string;
  readonly result: string;
}

const ENDED = `SELECT id, name, ended, coalesce(result, 'interrupted') AS result FROM sessions WHERE ended IS NOT NULL
  ORDER BY ended DESC, rowid DESC`;

/** Tells one reader of each session once that it is over, so that no summary and no receipt is read twice. */
export class EndedSessions {
  readonly #database: DatabaseSync;
  #writes = -1;
  #known: ReadonlySet<string> = new Set();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Those that ended since the last call, the latest first; undefined when nothing at all was written since. */
  fresh(): readonly EndedSession[] | undefined {
    const writes = Number(this.#database.prepare("SELECT total_changes() AS writes").get()?.["writes"]);
    if (writes === this.#writes) return undefined;
    this.#writes = writes;
    const ended = this.#database.prepare(ENDED).all() as unknown as readonly EndedSession[];
    const fresh = ended.filter(({ id }) => !this.#known.has(id));
    this.#known = new Set(ended.map(({ id }) => id));
    return fresh;
  }
}

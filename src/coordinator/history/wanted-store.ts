import type { DatabaseSync } from "node:sqlite";
import type { WantedSession } from "../../protocol/api/answer-schemas.ts";
import { withoutNulls } from "./without-nulls.ts";

/** What a copy is that counts: every sink that took part has all of it. */
const WHOLE = "result IN ('complete', 'unchanged')";
const LIST = `SELECT session, within_ms AS withinMs, since, missed,
  (SELECT max(ended) FROM sessions WHERE name = session AND ${WHOLE}) AS lastProven
  FROM wanted ORDER BY session`;
const PUT = `INSERT INTO wanted (session, within_ms, since) VALUES (?1, ?2, ?3)
  ON CONFLICT (session) DO UPDATE SET within_ms = ?2 WHERE within_ms <> ?2`;
/** Those that are watched already, and then those that were used last. The history bounds them. */
const NAMES = `SELECT name FROM sessions LEFT JOIN wanted ON session = name
  WHERE ended IS NOT NULL AND result <> 'dry-run'
  GROUP BY name ORDER BY max(session IS NOT NULL) DESC, max(ended) DESC`;

/** Names of sessions that must have a whole copy within a time, on disk: who was told of what outlasts a restart. */
export class WantedStore {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  list(): readonly WantedSession[] {
    const rows = this.#database.prepare(LIST).all();
    return rows.map(withoutNulls) as readonly WantedSession[];
  }

  put({
    session,
    withinMs,
    since,
  }: {
    readonly session: string;
    readonly withinMs: number;
    readonly since: Date;
  }): void {
    this.#database.prepare(PUT).run(session, withinMs, since.toISOString());
  }

  remove(session: string): void {
    this.#database.prepare("DELETE FROM wanted WHERE session = ?").run(session);
  }

  /** There is no whole copy in time, since then; undefined: there is one again. */
  mark(session: string, missed: Date | undefined): void {
    const update = "UPDATE wanted SET missed = ? WHERE session = ?";
    this.#database.prepare(update).run(missed?.toISOString() ?? null, session);
  }

  /** Of sessions that ended: first those that are watched, then those that were used last. */
  knownNames(): readonly string[] {
    return this.#database
      .prepare(NAMES)
      .all()
      .map(({ name }) => String(name));
  }
}

import type { DatabaseSync } from "node:sqlite";
import type { SinkCheck } from "../../protocol/api/answer-schemas.ts";
import { together } from "./together.ts";

/** As many as sinks of which is kept what they said. */
const SINKS_MAX = 10_000;

const KEEP = `INSERT OR REPLACE INTO verified (key, session, at, result, trees, files, bytes, differing, missing)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const TELL = "INSERT OR REPLACE INTO told (key, report, at) VALUES (?, ?, ?)";
const TOLD = "SELECT report FROM told WHERE key = ?";
const TIDY = ["verified", "told"].map(
  (table) =>
    `DELETE FROM ${table} WHERE key IN (SELECT key FROM ${table} ORDER BY at DESC LIMIT -1 OFFSET ${SINKS_MAX})`,
);
const ALL = "SELECT * FROM verified";
/** Those that took part in the latest sessions of a name; a sink that is called otherwise by now has its latest name. */
const KNOWN = `SELECT identity AS key, name FROM members WHERE role = 'sink' AND epoch > 0 AND session_id IN
  (SELECT id FROM sessions WHERE name = ? AND ended IS NOT NULL ORDER BY ended DESC LIMIT ?) ORDER BY rowid`;
const SESSIONS_LOOKED_AT = 10;

/** When each sink has read its copy again last, and what came of it. Names of files are not kept. */
export class VerifiedStore {
  readonly #database: DatabaseSync;
  #writes = 0;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  keep(key: string, { session, at, result, trees, files, bytes, differing, missing }: SinkCheck): void {
    this.#database.prepare(KEEP).run(key, session, at, result, trees, files, bytes, differing, missing);
  }

  /** Which report of a sink was told last. */
  told(key: string): string | undefined {
    const row = this.#database.prepare(TOLD).get(key);
    return row && String(row["report"]);
  }

  /** `also` is done in the same transaction. */
  tell(key: string, { report, at }: { readonly report: string; readonly at: Date }, also: () => void): void {
    together(this.#database, () => {
      this.#database.prepare(TELL).run(key, report, at.toISOString());
      also();
    });
    this.#writes += 1;
    if (this.#writes % SINKS_MAX === 1) for (const each of TIDY) this.#database.prepare(each).run();
  }

  /** By key. */
  all(): ReadonlyMap<string, SinkCheck> {
    const rows = this.#database.prepare(ALL).all();
    return new Map(rows.map(({ key, ...row }) => [String(key), row as unknown as SinkCheck]));
  }

  /** Keys and names of the sinks that have a copy of a session of this name. */
  sinksOf(session: string): readonly { readonly key: string; readonly name: string }[] {
    const rows = this.#database.prepare(KNOWN).all(session, SESSIONS_LOOKED_AT);
    const names = new Map(rows.map(({ key, name }) => [String(key), String(name)]));
    return [...names].map(([key, name]) => ({ key, name }));
  }
}

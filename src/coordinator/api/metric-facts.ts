import type { DatabaseSync } from "node:sqlite";
import { EndedSessions } from "./ended-sessions.ts";

/** Sessions of which a scrape tells, by name: those that ended last. */
const SESSION_NAMES_MAX = 256;

/** How the sessions of one name went. Times in seconds since 1970. */
interface NamedSession {
  readonly session: string;
  readonly lastEndSeconds: number;
  readonly lastResult: string;
  /** Of the latest one in which every sink that took part proved everything; null when there is none. */
  readonly lastProvenSeconds: number | null;
  readonly lastDurationSeconds: number | null;
  readonly lastBytes: number | null;
  readonly lastProblems: number | null;
}

export interface HistoryFacts {
  readonly named: readonly NamedSession[];
  /** Sessions that ended since the start, by result. */
  readonly endedByResult: ReadonlyMap<string, number>;
  /** Bytes of content that were published in them. */
  readonly bytesSent: number;
}

/** The latest row of each name gives the other columns (SQLite: bare columns beside one max). */
const NAMED = `WITH
  last AS (SELECT id, name, result, max(ended) AS ended FROM sessions
    WHERE ended IS NOT NULL AND result <> 'dry-run' GROUP BY name ORDER BY max(ended) DESC LIMIT ?),
  proven AS (SELECT name, max(ended) AS ended FROM sessions WHERE result IN ('complete', 'unchanged') GROUP BY name)
  SELECT last.name AS session, unixepoch(last.ended, 'subsec') AS lastEndSeconds, last.result AS lastResult,
  unixepoch(proven.ended, 'subsec') AS lastProvenSeconds, (s.summary ->> 'elapsedMs') / 1000.0 AS lastDurationSeconds,
  s.summary ->> 'bytes' AS lastBytes, s.summary ->> 'problemCount' AS lastProblems
  FROM last JOIN sessions s ON s.id = last.id LEFT JOIN proven ON proven.name = last.name`;
const SENT = `SELECT total((summary ->> 'bytesSent') + (summary ->> 'bytesSentAgain')
  + coalesce(summary ->> 'bytesCaughtUp', 0)) AS bytes FROM sessions WHERE id = ?`;

/** What the history says in numbers. Looked up again only when something was written. */
export class HistoryNumbers {
  readonly #database: DatabaseSync;
  readonly #ended: EndedSessions;
  readonly #since: string;
  readonly #endedByResult = new Map<string, number>();
  #bytesSent = 0;
  #named: readonly NamedSession[] = [];

  constructor(database: DatabaseSync, since: Date) {
    this.#database = database;
    this.#ended = new EndedSessions(database);
    this.#since = since.toISOString();
  }

  facts(): HistoryFacts {
    const fresh = this.#ended.fresh();
    if (fresh !== undefined) {
      const sent = this.#database.prepare(SENT);
      for (const { id, ended, result } of fresh) {
        if (ended < this.#since) continue;
        this.#endedByResult.set(result, (this.#endedByResult.get(result) ?? 0) + 1);
        this.#bytesSent += Number(sent.get(id)?.["bytes"] ?? 0);
      }
      this.#named = this.#database.prepare(NAMED).all(SESSION_NAMES_MAX) as unknown as readonly NamedSession[];
    }
    return { named: this.#named, endedByResult: this.#endedByResult, bytesSent: this.#bytesSent };
  }
}

import type { DatabaseSync } from "node:sqlite";
import { withoutNulls } from "./without-nulls.ts";

/** Sinks of which is kept what they said: those that were here last. */
const SINKS_MAX = 10_000;

/** What a sink says of its machine. Without a name, it is called as it was. */
export interface SaidOfSink {
  readonly key: string;
  readonly name?: string | undefined;
  readonly software?: string;
  readonly freeBytes?: number;
  readonly sizeBytes?: number;
}

/** What a sink said last, and when. */
export interface KnownSink extends SaidOfSink {
  readonly name: string;
  readonly said: string;
}

const SAID = `INSERT INTO sinks (key, name, software, free_bytes, size_bytes, said) VALUES (?1, coalesce(?2, ''), ?3, ?4, ?5, ?6)
  ON CONFLICT (key) DO UPDATE SET name = coalesce(?2, name), software = ?3, free_bytes = ?4, size_bytes = ?5, said = ?6`;
const TIDY = `DELETE FROM sinks WHERE key IN (SELECT key FROM sinks ORDER BY said DESC LIMIT -1 OFFSET ${SINKS_MAX})`;
const KNOWN = `SELECT key, name, software, free_bytes AS freeBytes, size_bytes AS sizeBytes, said FROM sinks`;

/** What sinks said of their machines, on disk: it is shown also when they are not here. */
export class SinkStore {
  readonly #database: DatabaseSync;
  #writes = 0;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  said({ key, name, software, freeBytes, sizeBytes }: SaidOfSink, at: Date): void {
    const values = [key, name ?? null, software ?? null, freeBytes ?? null, sizeBytes ?? null, at.toISOString()];
    this.#database.prepare(SAID).run(...values);
    this.#writes += 1;
    if (this.#writes % SINKS_MAX === 1) this.#database.prepare(TIDY).run();
  }

  known(): readonly KnownSink[] {
    const rows = this.#database.prepare(KNOWN).all();
    return rows.map(withoutNulls) as readonly KnownSink[];
  }
}

import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { FanfoldError } from "../lib/errors.ts";
import type { SessionSummary } from "../protocol/progress.ts";
import type { SessionRef } from "./series.ts";
import type { TicketHolder } from "./tickets.ts";

const FILE = "coordinator.db";
/** Raised with every change of the tables. */
const SCHEMA_VERSION = 1;
/** Sessions kept in the history: bounds the file. */
const HISTORY_SESSIONS_MAX = 10_000;

const SCHEMA = `
  CREATE TABLE sessions (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, epoch INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'ended')),
    opened TEXT NOT NULL, started TEXT, ended TEXT, result TEXT, reason TEXT, summary TEXT
  ) STRICT;
  CREATE TABLE members (
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    member_id TEXT NOT NULL, role TEXT NOT NULL, name TEXT NOT NULL, secret_hash TEXT NOT NULL,
    PRIMARY KEY (session_id, member_id)
  ) STRICT;
  CREATE INDEX sessions_opened ON sessions (opened);
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

export type SessionResult = SessionSummary["result"] | "interrupted";

/** A session as the history keeps it. */
export interface SessionRecord {
  readonly id: string;
  readonly name: string;
  readonly epoch: number;
  readonly state: string;
  readonly opened: string;
  readonly started: string | null;
  readonly ended: string | null;
  readonly result: string | null;
  readonly reason: string | null;
  readonly summary: string | null;
}

export interface MemberRecord {
  readonly role: string;
  readonly member_id: string;
  readonly name: string;
  readonly secret_hash: string;
}

export interface StoredEnd {
  readonly at: Date;
  readonly result: SessionResult;
  readonly reason?: string;
  readonly summary?: SessionSummary;
}

/** Sessions and their history on disk. It belongs to one coordinator at a time. */
export class Store implements Disposable {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  opened(session: SessionRef, name: string, at: Date): void {
    const insert = "INSERT INTO sessions (id, name, epoch, state, opened) VALUES (?, ?, ?, 'waiting', ?)";
    this.#database.prepare(insert).run(session.id, name, session.epoch, at.toISOString());
  }

  /** `identity` is the SHA-256 of the member's secret: the secret itself is never kept. */
  joined(holder: TicketHolder, identity: string): void {
    const insert =
      "INSERT OR REPLACE INTO members (session_id, member_id, role, name, secret_hash) VALUES (?, ?, ?, ?, ?)";
    this.#database.prepare(insert).run(holder.sessionId, holder.memberId, holder.role, holder.name, identity);
  }

  started(sessionId: string, at: Date): void {
    this.#database
      .prepare("UPDATE sessions SET state = 'running', started = ? WHERE id = ?")
      .run(at.toISOString(), sessionId);
  }

  ended(sessionId: string, end: StoredEnd): void {
    const update = "UPDATE sessions SET state = 'ended', ended = ?, result = ?, reason = ?, summary = ? WHERE id = ?";
    const summary = end.summary === undefined ? null : JSON.stringify(end.summary);
    this.#database.prepare(update).run(end.at.toISOString(), end.result, end.reason ?? null, summary, sessionId);
  }

  /** A session that everyone left before it started. */
  forgotten(sessionId: string): void {
    this.#database.prepare("DELETE FROM sessions WHERE id = ?").run(sessionId);
  }

  /** Ends what a coordinator that was stopped or killed left behind. */
  interrupt(at: Date): void {
    const update = "UPDATE sessions SET state = 'ended', ended = ?, result = 'interrupted' WHERE state = 'running'";
    this.#database.prepare(update).run(at.toISOString());
    this.#database.prepare("DELETE FROM sessions WHERE state = 'waiting'").run();
    const old = "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions ORDER BY opened DESC LIMIT -1 OFFSET ?)";
    this.#database.prepare(old).run(HISTORY_SESSIONS_MAX);
  }

  /** The latest sessions first. */
  sessions(limit: number): readonly SessionRecord[] {
    const rows = this.#database.prepare("SELECT * FROM sessions ORDER BY opened DESC, rowid DESC LIMIT ?").all(limit);
    return rows as unknown as readonly SessionRecord[];
  }

  members(sessionId: string): readonly MemberRecord[] {
    const query = "SELECT role, member_id, name, secret_hash FROM members WHERE session_id = ? ORDER BY rowid";
    return this.#database.prepare(query).all(sessionId) as unknown as readonly MemberRecord[];
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Opens the state in a directory, which is made when missing, and locks it until `close` or the end of the process.
 *
 * @throws FanfoldError `state-busy`, `disk-failed`, `damaged`, or `usage` for the state of a newer fanfold.
 */
export async function openStore(stateDir: string, at: Date): Promise<Store> {
  const file = join(stateDir, FILE);
  let database: DatabaseSync | undefined;
  try {
    await mkdir(stateDir, { recursive: true, mode: 0o700 });
    // SQLite would give it the umask's mode; what it makes beside it later gets the mode of this one.
    await (await open(file, "a", 0o600)).close();
    database = new DatabaseSync(file, { timeout: 0 });
    // Exclusive before anything else: the lock is then taken at the first access, and a kill frees it. A commit need not
    // reach the disk at once: a history that is some seconds old after a power cut harms nobody.
    database.exec(
      "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON",
    );
    database.exec("BEGIN EXCLUSIVE");
    prepareSchema(database, file);
    database.exec("COMMIT");
    const store = new Store(database);
    store.interrupt(at);
    return store;
  } catch (cause) {
    database?.close();
    throw openFailure(stateDir, cause);
  }
}

function prepareSchema(database: DatabaseSync, file: string): void {
  const row = database.prepare("PRAGMA user_version").get() as { readonly user_version: number } | undefined;
  const version = row?.user_version;
  if (version === 0) database.exec(SCHEMA);
  else if (version !== SCHEMA_VERSION) {
    throw new FanfoldError(
      "usage",
      `Open the state "${file}": found version ${version}, want ${SCHEMA_VERSION}; use the fanfold that wrote it, or another --state-dir`,
    );
  }
}

const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

function openFailure(stateDir: string, cause: unknown): FanfoldError {
  if (cause instanceof FanfoldError) return cause;
  const what = `Open the state directory "${stateDir}"`;
  const detail = cause instanceof Error ? cause.message : String(cause);
  const number = cause instanceof Error && "errcode" in cause ? Number(cause.errcode) & 0xff : undefined;
  if (number === SQLITE_BUSY) {
    return new FanfoldError(
      "state-busy",
      `${what}: another coordinator uses it; stop that one, or give this one another --state-dir`,
      { cause },
    );
  }
  if (number === SQLITE_CORRUPT || number === SQLITE_NOTADB) {
    return new FanfoldError(
      "damaged",
      `${what}: ${FILE} in it is damaged (${detail}); move it away, then start again`,
      { cause },
    );
  }
  return new FanfoldError(
    "disk-failed",
    `${what}: ${detail}; want a directory that this user can write, see --state-dir`,
    { cause },
  );
}

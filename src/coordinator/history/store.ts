import { open } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { FanfoldError, reasonOf } from "../../lib/errors.ts";
import { type FilePath, pathBytes, pathIn, shownPath } from "../../lib/folder/file-path.ts";
import { makeDirectories } from "../../lib/folder/make-directories.ts";
import type { Role } from "../../protocol/messages/control.ts";
import type { SessionSummary } from "../../protocol/messages/progress.ts";
import type { RunningSession, SessionRef, SlotMember } from "../session/session-slot.ts";
import { prepareSchema } from "./schema.ts";

const FILE = "coordinator.db";
/** Sessions kept in the history: bounds the file. */
const HISTORY_SESSIONS_MAX = 10_000;

type SessionResult = SessionSummary["result"] | "cancelled" | "interrupted";

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
  readonly role: Role;
  readonly member_id: string;
  readonly name: string;
  /** SHA-256 of the member's secret: the secret itself is never kept. */
  readonly secret_hash: string;
  readonly stay: number;
  readonly needed: number;
  readonly dry_run: number;
  /** The latest epoch in which it took part; 0 when in none. */
  readonly epoch: number;
  /** Opens the embedded relay; gone with the session. */
  readonly ticket: string | null;
}

interface StoredEnd {
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

  /** Keeps a member as it was welcomed; in which epoch it took part is left as it was. */
  joined(member: SlotMember, ticket: string | undefined): void {
    const insert = `INSERT INTO members (session_id, member_id, role, name, secret_hash, stay, needed, dry_run, ticket)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (session_id, member_id) DO UPDATE SET
      name = excluded.name, stay = excluded.stay, needed = excluded.needed, dry_run = excluded.dry_run, ticket = excluded.ticket`;
    const { sessionId, id, role, name, identity, stay, needed, dryRun } = member;
    const numbers = [Number(stay), needed, Number(dryRun)];
    this.#database.prepare(insert).run(sessionId, id, role, name, identity, ...numbers, ticket ?? null);
  }

  /** Nobody of an epoch before this one goes on, also for a coordinator that is started again before it has begun. */
  takenOver({ id, epoch }: SessionRef): void {
    this.#database.prepare("UPDATE sessions SET epoch = ? WHERE id = ?").run(epoch, id);
  }

  started({ id, epoch, source, sinks }: RunningSession, at: Date): void {
    this.#together(() => {
      const update = "UPDATE sessions SET state = 'running', epoch = ?, started = coalesce(started, ?) WHERE id = ?";
      this.#database.prepare(update).run(epoch, at.toISOString(), id);
      for (const member of [source, ...sinks]) this.tookPart({ id, epoch }, member.id);
    });
  }

  tookPart({ id, epoch }: SessionRef, memberId: string): void {
    const update = "UPDATE members SET epoch = ? WHERE session_id = ? AND member_id = ?";
    this.#database.prepare(update).run(epoch, id, memberId);
  }

  revoked(sessionId: string, memberId: string): void {
    const update = "UPDATE members SET ticket = NULL WHERE session_id = ? AND member_id = ?";
    this.#database.prepare(update).run(sessionId, memberId);
  }

  ended(sessionId: string, end: StoredEnd): void {
    const update = "UPDATE sessions SET state = 'ended', ended = ?, result = ?, reason = ?, summary = ? WHERE id = ?";
    const summary = end.summary === undefined ? null : JSON.stringify(end.summary);
    this.#together(() => {
      this.#database.prepare(update).run(end.at.toISOString(), end.result, end.reason ?? null, summary, sessionId);
      this.#database.prepare("UPDATE members SET ticket = NULL WHERE session_id = ?").run(sessionId);
    });
  }

  /** A session that everyone left before it started. */
  forgotten(sessionId: string): void {
    this.#database.prepare("DELETE FROM sessions WHERE id = ?").run(sessionId);
  }

  /** Tidies up behind an earlier coordinator: what waited is gone, what ran and cannot go on has ended. */
  tidy(at: Date): void {
    const update = `UPDATE sessions SET state = 'ended', ended = ?, result = 'interrupted' WHERE state = 'running'
      AND NOT EXISTS (SELECT 1 FROM members WHERE session_id = id AND role = 'source' AND members.epoch > 0)`;
    this.#database.prepare(update).run(at.toISOString());
    this.#database.prepare("DELETE FROM sessions WHERE state = 'waiting'").run();
    const old = `DELETE FROM sessions WHERE state = 'ended'
      AND id IN (SELECT id FROM sessions ORDER BY opened DESC LIMIT -1 OFFSET ?)`;
    this.#database.prepare(old).run(HISTORY_SESSIONS_MAX);
  }

  /** Sessions that run, or were taken over and have not started again: of the latter no member has the epoch. */
  running(): readonly SessionRecord[] {
    const rows = this.#database.prepare("SELECT * FROM sessions WHERE state = 'running' ORDER BY opened").all();
    return rows as unknown as readonly SessionRecord[];
  }

  session(id: string): SessionRecord | undefined {
    const row = this.#database.prepare("SELECT * FROM sessions WHERE id = ?").get(id);
    return row as unknown as SessionRecord | undefined;
  }

  /** The latest sessions first. */
  sessions(limit: number): readonly SessionRecord[] {
    const rows = this.#database.prepare("SELECT * FROM sessions ORDER BY opened DESC, rowid DESC LIMIT ?").all(limit);
    return rows as unknown as readonly SessionRecord[];
  }

  members(sessionId: string): readonly MemberRecord[] {
    const query = `SELECT role, member_id, name, secret_hash, stay, needed, dry_run, epoch, ticket
      FROM members WHERE session_id = ? ORDER BY rowid`;
    return this.#database.prepare(query).all(sessionId) as unknown as readonly MemberRecord[];
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #together(work: () => void): void {
    this.#database.exec("BEGIN");
    try {
      work();
      this.#database.exec("COMMIT");
    } catch (thrown) {
      this.#database.exec("ROLLBACK");
      throw thrown;
    }
  }
}

/**
 * Opens the state in a directory, which is made when missing, and locks it until `close` or the end of the process.
 *
 * @throws FanfoldError `state-busy`, `disk-failed`, `damaged`, or `usage` for the state of a newer fanfold.
 */
export async function openStore(stateDir: FilePath, at: Date): Promise<Store> {
  const file = pathIn(stateDir, FILE);
  let database: DatabaseSync | undefined;
  try {
    makeDirectories(pathBytes(stateDir), 0o700);
    // SQLite would give it the umask's mode; what it makes beside it later gets the mode of this one.
    await (await open(file, "a", 0o600)).close();
    database = new DatabaseSync(file, { timeout: 0 });
    // Exclusive before anything else: the lock is then taken at the first access, and a kill frees it. A commit need not
    // reach the disk at once: a history that is some seconds old after a power cut harms nobody.
    database.exec(
      "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON",
    );
    database.exec("BEGIN EXCLUSIVE");
    prepareSchema(database, shownPath(file));
    database.exec("COMMIT");
    const store = new Store(database);
    store.tidy(at);
    return store;
  } catch (cause) {
    database?.close();
    throw openFailure(stateDir, cause);
  }
}

const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

function openFailure(stateDir: FilePath, cause: unknown): FanfoldError {
  if (cause instanceof FanfoldError) return cause;
  const what = `cannot open the state directory "${shownPath(stateDir)}"`;
  const detail = reasonOf(cause);
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

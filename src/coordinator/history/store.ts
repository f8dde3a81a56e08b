import type { DatabaseSync } from "node:sqlite";
import type { FilePath } from "../../lib/folder/file-path.ts";
import type { RatePoint } from "../../protocol/api/trail.ts";
import type { Role } from "../../protocol/messages/control.ts";
import type { SessionSummary } from "../../protocol/messages/progress.ts";
import type { NotedEnd } from "../notices/notice.ts";
import type { RunningSession, SessionRef, SlotMember } from "../session/session-slot.ts";
import { DecisionStore } from "./decision-store.ts";
import { type Retention, retentionOf } from "./retention.ts";
import { ShutOuts } from "./shut-outs.ts";
import { SinkStore } from "./sink-store.ts";
import { openStateDatabase, stateFailure } from "./state-database.ts";
import { together } from "./together.ts";
import { VerifiedStore } from "./verified-store.ts";

/** Names whose latest whole copy is kept, however old it is: whether there is one is what people ask first. */
const WHOLE_NAMES_MAX = 256;
const DAY_MS = 86_400_000;
const OLD = `DELETE FROM sessions WHERE state = 'ended' AND (ended < ?1
  OR id IN (SELECT id FROM sessions ORDER BY opened DESC, rowid DESC LIMIT -1 OFFSET ?2))
  AND id NOT IN (SELECT id FROM (SELECT id, max(ended) AS ended FROM sessions
    WHERE result IN ('complete', 'unchanged') GROUP BY name ORDER BY ended DESC LIMIT ${WHOLE_NAMES_MAX}))`;

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
  /** Public key. In a session of version 0.1 it is the SHA-256 of a secret. */
  readonly identity: string;
  readonly stay: number;
  readonly needed: number;
  readonly dry_run: number;
  /** The latest epoch in which it took part; 0 when in none. */
  readonly epoch: number;
  /** Opens the embedded relay; gone with the session. */
  readonly ticket: string | null;
  /** What it signed when it had proven its copy. */
  readonly receipt: string | null;
  /** Of a source: how its directory is called. */
  readonly directory: string | null;
}

interface StoredEnd {
  readonly at: Date;
  readonly result: string;
  readonly reason?: string;
  readonly summary?: SessionSummary;
  readonly rates?: readonly RatePoint[] | undefined;
}

/** Sessions that ended before a coordinator could delete all of them at its broker: as many as may wait at once. */
const OVER_MAX = 64;

/** Sessions and their history on disk. It belongs to one coordinator at a time. */
export class Store implements Disposable {
  /** Also of others who keep something under the same lock. */
  readonly database: DatabaseSync;
  readonly sinks: SinkStore;
  readonly verified: VerifiedStore;
  readonly shutOuts: ShutOuts;
  readonly decisions: DecisionStore;
  #over: readonly string[] = [];

  constructor(database: DatabaseSync) {
    this.database = database;
    this.decisions = new DecisionStore(database);
    this.shutOuts = new ShutOuts(database);
    this.sinks = new SinkStore(database);
    this.verified = new VerifiedStore(database);
  }

  opened(session: SessionRef, name: string, at: Date): void {
    const insert = "INSERT INTO sessions (id, name, epoch, state, opened) VALUES (?, ?, ?, 'waiting', ?)";
    this.database.prepare(insert).run(session.id, name, session.epoch, at.toISOString());
  }

  /** Keeps a member as it was welcomed; in which epoch it took part is left as it was. */
  joined(member: SlotMember, ticket: string | undefined): void {
    const insert = `INSERT INTO members (session_id, member_id, role, name, identity, stay, needed, dry_run, ticket, directory)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (session_id, member_id) DO UPDATE SET
      name = excluded.name, stay = excluded.stay, needed = excluded.needed, dry_run = excluded.dry_run, ticket = excluded.ticket,
      directory = excluded.directory`;
    const { sessionId, id, role, name, identity, stay, needed, dryRun, directory } = member;
    const numbers = [Number(stay), needed, Number(dryRun)];
    this.database
      .prepare(insert)
      .run(sessionId, id, role, name, identity, ...numbers, ticket ?? null, directory ?? null);
  }

  /** Nobody of an epoch before this one goes on, also for a coordinator that is started again before it has begun. */
  takenOver({ id, epoch }: SessionRef): void {
    this.database.prepare("UPDATE sessions SET epoch = ? WHERE id = ?").run(epoch, id);
  }

  started({ id, epoch, source, sinks }: RunningSession, at: Date): void {
    together(this.database, () => {
      const update = "UPDATE sessions SET state = 'running', epoch = ?, started = coalesce(started, ?) WHERE id = ?";
      this.database.prepare(update).run(epoch, at.toISOString(), id);
      for (const member of [source, ...sinks]) this.tookPart({ id, epoch }, member.id);
    });
  }

  tookPart({ id, epoch }: SessionRef, memberId: string): void {
    const update = "UPDATE members SET epoch = ? WHERE session_id = ? AND member_id = ?";
    this.database.prepare(update).run(epoch, id, memberId);
  }

  /** Keeps what a sink signed, the latest of each. */
  receipt(sessionId: string, memberId: string, receipt: string): void {
    const update = "UPDATE members SET receipt = ? WHERE session_id = ? AND member_id = ?";
    this.database.prepare(update).run(receipt, sessionId, memberId);
  }

  revoked(sessionId: string, memberId: string): void {
    const update = "UPDATE members SET ticket = NULL WHERE session_id = ? AND member_id = ?";
    this.database.prepare(update).run(sessionId, memberId);
  }

  /** `also` is done in the same transaction. */
  ended(sessionId: string, end: StoredEnd, also: () => void = () => undefined): void {
    const update =
      "UPDATE sessions SET state = 'ended', ended = ?, result = ?, reason = ?, summary = ?, rates = ? WHERE id = ?";
    const rates = end.rates === undefined ? null : JSON.stringify(end.rates);
    const summary = end.summary === undefined ? null : JSON.stringify(end.summary);
    together(this.database, () => {
      const values = [end.at.toISOString(), end.result, end.reason ?? null, summary, rates];
      this.database.prepare(update).run(...values, sessionId);
      this.database.prepare("UPDATE members SET ticket = NULL WHERE session_id = ?").run(sessionId);
      also();
    });
  }

  /** A session that everyone left before it started. */
  forgotten(sessionId: string): void {
    this.database.prepare("DELETE FROM sessions WHERE id = ?").run(sessionId);
  }

  /** The latest sessions that are over: the coordinator before this one may have left something of them at the broker. */
  get over(): readonly string[] {
    return this.#over;
  }

  /** Tidies up behind an earlier coordinator: what waited is gone. */
  tidy(): void {
    const over = "SELECT id FROM sessions WHERE state IN ('waiting', 'ended') ORDER BY opened DESC LIMIT ?";
    this.#over = this.database
      .prepare(over)
      .all(OVER_MAX)
      .map(({ id }) => String(id));
    this.database.prepare("DELETE FROM sessions WHERE state = 'waiting'").run();
  }

  /** What ran under an earlier coordinator and cannot go on has ended. `also` is done for each in the same transaction. */
  interrupt(at: Date, also: (end: NotedEnd) => void): void {
    const update = `UPDATE sessions SET state = 'ended', ended = ?, result = 'interrupted' WHERE state = 'running'
      AND NOT EXISTS (SELECT 1 FROM members WHERE session_id = id AND role = 'source' AND members.epoch > 0)
      RETURNING id, name`;
    together(this.database, () => {
      for (const { id, name } of this.database.prepare(update).all(at.toISOString()))
        also({ sessionId: String(id), session: String(name), result: "interrupted" });
    });
  }

  /** Forgets what is not to be kept any longer. */
  prune(at: Date, { sessions, days }: Retention): void {
    const before = days === undefined ? "" : new Date(at.getTime() - days * DAY_MS).toISOString();
    this.database.prepare(OLD).run(before, sessions);
  }

  /** Sessions that run, or were taken over and have not started again: of the latter no member has the epoch. */
  running(): readonly SessionRecord[] {
    const rows = this.database.prepare("SELECT * FROM sessions WHERE state = 'running' ORDER BY opened").all();
    return rows as unknown as readonly SessionRecord[];
  }

  session(id: string): SessionRecord | undefined {
    const row = this.database.prepare("SELECT * FROM sessions WHERE id = ?").get(id);
    return row as unknown as SessionRecord | undefined;
  }

  /** The latest sessions first. */
  sessions(limit: number): readonly SessionRecord[] {
    const rows = this.database.prepare("SELECT * FROM sessions ORDER BY opened DESC, rowid DESC LIMIT ?").all(limit);
    return rows as unknown as readonly SessionRecord[];
  }

  members(sessionId: string): readonly MemberRecord[] {
    const query = `SELECT role, member_id, name, identity, stay, needed, dry_run, epoch, ticket, receipt, directory
      FROM members WHERE session_id = ? ORDER BY rowid`;
    return this.database.prepare(query).all(sessionId) as unknown as readonly MemberRecord[];
  }

  close(): void {
    if (this.database.isOpen) this.database.close();
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
export async function openStore(stateDir: FilePath, at: Date, retention: Retention = retentionOf({})): Promise<Store> {
  const store = new Store(await openStateDatabase(stateDir, at));
  try {
    store.tidy();
    store.prune(at, retention);
    return store;
  } catch (cause) {
    store.close();
    throw stateFailure(stateDir, cause);
  }
}

import type { DatabaseSync } from "node:sqlite";

/** By what somebody is told. */
export type NoticeWay = "webhook" | "command";

/** What somebody is still to be told. */
export interface OutboxEntry {
  readonly number: number;
  /** The same at each attempt: by it whoever is told twice knows. */
  readonly id: string;
  /** JSON. */
  readonly body: string;
  /** Attempts so far. */
  readonly attempts: number;
  readonly due: Date;
}

/** For each way; a receiver that is away for a day misses less. */
const ENTRIES_MAX = 1000;

/** What is still to be told, on disk: neither a restart nor a kill takes any of it. */
export class NoticeOutbox {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Gives how many older ones had to go for it. */
  add(way: NoticeWay, { id, body, due }: Pick<OutboxEntry, "id" | "body" | "due">): number {
    const insert = "INSERT INTO outbox (via, id, body, due) VALUES (?, ?, ?, ?)";
    this.#database.prepare(insert).run(way, id, body, due.toISOString());
    const excess = `DELETE FROM outbox WHERE number IN
      (SELECT number FROM outbox WHERE via = ? ORDER BY number DESC LIMIT -1 OFFSET ${ENTRIES_MAX})`;
    return Number(this.#database.prepare(excess).run(way).changes);
  }

  /** The one that is due first. */
  next(way: NoticeWay): OutboxEntry | undefined {
    const query = "SELECT number, id, body, attempts, due FROM outbox WHERE via = ? ORDER BY due, number LIMIT 1";
    const row = this.#database.prepare(query).get(way);
    if (row === undefined) return undefined;
    const { number, id, body, attempts, due } = row;
    return {
      ...{ number: Number(number), id: String(id), body: String(body) },
      ...{ attempts: Number(attempts), due: new Date(String(due)) },
    };
  }

  /** An attempt has failed; another one follows. */
  postpone(number: number, due: Date): void {
    const update = "UPDATE outbox SET attempts = attempts + 1, due = ? WHERE number = ?";
    this.#database.prepare(update).run(due.toISOString(), number);
  }

  /** Told, or given up. */
  remove(number: number): void {
    this.#database.prepare("DELETE FROM outbox WHERE number = ?").run(number);
  }

  /** At the start: everything is tried again at once. */
  wake(way: NoticeWay, at: Date): void {
    this.#database.prepare("UPDATE outbox SET due = ? WHERE via = ? AND due > ?1").run(at.toISOString(), way);
  }

  /** Nobody is told by this way any more. Gives how many were to be told. */
  clear(way: NoticeWay): number {
    return Number(this.#database.prepare("DELETE FROM outbox WHERE via = ?").run(way).changes);
  }
}

import type { DatabaseSync } from "node:sqlite";
import type { TokenRole } from "../../protocol/access/token-role.ts";
import type { Role } from "../../protocol/messages/control.ts";
import { together, togetherForGood } from "../history/together.ts";

/** A token as it is kept. The secret itself is nowhere; the token key makes it again. */
export interface TokenRecord {
  /** Grows with every token that is made. */
  readonly serial: number;
  readonly id: string;
  readonly role: TokenRole;
  /** SHA-256, in hex. */
  readonly secretHash: string;
  readonly scope: string;
  readonly created: string;
  /** Null: it does not expire. */
  readonly expires: string | null;
  /** Members that it still lets in; null: any number. */
  readonly usesLeft: number | null;
  readonly note: string;
  /** 1: the first start of the coordinator made it. */
  readonly first: number;
  readonly revoked: string | null;
}
export type NewToken = Omit<TokenRecord, "serial" | "revoked">;

/** A member that was let in once. From then on its key is its credential. */
export interface IdentityRecord {
  /** Public key: 64 hex digits. */
  readonly key: string;
  readonly role: Role;
  readonly name: string;
  /** 1: a person gave it this name. */
  readonly renamed: number;
  /** Sessions that it may enter: scopes, with spaces between them. */
  readonly scopes: string;
  /** The token that let it in last. */
  readonly tokenId: string;
  readonly admitted: string;
  readonly seen: string;
  readonly removed: string | null;
  /** The newest token there was when it was removed. */
  readonly removedSerial: number | null;
}
type Admitted = Pick<IdentityRecord, "key" | "role" | "name" | "scopes">;

const TOKEN_COLUMNS = `serial, id, role, secret_hash AS secretHash, scope, created, expires, uses_left AS usesLeft, note,
  first, revoked`;
const IDENTITY_COLUMNS = `key, role, name, renamed, scopes, token_id AS tokenId, admitted, seen, removed,
  removed_serial AS removedSerial`;

/** Tokens and identities on disk. What keeps somebody out is on the disk before anybody is told. */
export class AccessStore {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  addTokens(tokens: readonly NewToken[]): void {
    const insert = `INSERT INTO tokens (id, role, secret_hash, scope, created, expires, uses_left, note, first)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`;
    const statement = this.#database.prepare(insert);
    togetherForGood(this.#database, () => {
      for (const { id, role, secretHash, scope, created, expires, usesLeft, note, first } of tokens)
        statement.run(id, role, secretHash, scope, created, expires, usesLeft, note, first);
    });
  }

  token(id: string): TokenRecord | undefined {
    const row = this.#database.prepare(`SELECT ${TOKEN_COLUMNS} FROM tokens WHERE id = ?`).get(id);
    return row as unknown as TokenRecord | undefined;
  }

  /** The oldest first. */
  tokens(): readonly TokenRecord[] {
    const rows = this.#database.prepare(`SELECT ${TOKEN_COLUMNS} FROM tokens ORDER BY serial`).all();
    return rows as unknown as readonly TokenRecord[];
  }

  revokeToken(id: string, at: Date): void {
    const update = "UPDATE tokens SET revoked = coalesce(revoked, ?) WHERE id = ?";
    togetherForGood(this.#database, () => this.#database.prepare(update).run(at.toISOString(), id));
  }

  forgetTokens(ids: readonly string[]): void {
    const statement = this.#database.prepare("DELETE FROM tokens WHERE id = ?");
    together(this.#database, () => {
      for (const id of ids) statement.run(id);
    });
  }

  identity(key: string, role: Role): IdentityRecord | undefined {
    const query = `SELECT ${IDENTITY_COLUMNS} FROM identities WHERE key = ? AND role = ?`;
    return this.#database.prepare(query).get(key, role) as unknown as IdentityRecord | undefined;
  }

  /** Those that were not removed, the latest admitted last. */
  identities(): readonly IdentityRecord[] {
    const query = `SELECT ${IDENTITY_COLUMNS} FROM identities WHERE removed IS NULL ORDER BY admitted, rowid`;
    return this.#database.prepare(query).all() as unknown as readonly IdentityRecord[];
  }

  /** Of removed ones as well. */
  countIdentities(): number {
    const row = this.#database.prepare("SELECT count(*) AS count FROM identities").get();
    return Number(row?.["count"] ?? 0);
  }

  /** Lets one in by a token, which has one use less. False, and nothing was done, when it had none left. */
  admit({ key, role, name, scopes }: Admitted, tokenId: string, at: Date): boolean {
    const spend = "UPDATE tokens SET uses_left = uses_left - 1 WHERE id = ? AND (uses_left IS NULL OR uses_left > 0)";
    const insert = `INSERT INTO identities (key, role, name, renamed, scopes, token_id, admitted, seen)
      VALUES (?, ?, ?, 0, ?, ?, ?, ?) ON CONFLICT (key, role) DO UPDATE SET
      name = iif(renamed, name, excluded.name), scopes = excluded.scopes, token_id = excluded.token_id,
      admitted = iif(removed IS NULL, admitted, excluded.admitted), seen = excluded.seen,
      removed = NULL, removed_serial = NULL`;
    const time = at.toISOString();
    return togetherForGood(this.#database, () => {
      if (this.#database.prepare(spend).run(tokenId).changes !== 1) return false;
      this.#database.prepare(insert).run(key, role, name, scopes, tokenId, time, time);
      return true;
    });
  }

  seen({ key, role }: Pick<Admitted, "key" | "role">, at: Date): void {
    this.#database
      .prepare("UPDATE identities SET seen = ? WHERE key = ? AND role = ?")
      .run(at.toISOString(), key, role);
  }

  /** A name that a person gave stays. */
  called({ key, role, name }: Omit<Admitted, "scopes">): void {
    const update = "UPDATE identities SET name = ? WHERE key = ? AND role = ? AND NOT renamed AND name <> ?";
    this.#database.prepare(update).run(name, key, role, name);
  }

  rename(key: string, name: string): void {
    this.#database.prepare("UPDATE identities SET name = ?, renamed = 1 WHERE key = ?").run(name, key);
  }

  /** From now on only a token that is made later lets it in, and what it has of the relay opens nothing. */
  remove(key: string, at: Date): void {
    const newest = "(SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'tokens')";
    const update = `UPDATE identities SET removed = ?, removed_serial = ${newest} WHERE key = ? AND removed IS NULL`;
    togetherForGood(this.#database, () => {
      this.#database.prepare(update).run(at.toISOString(), key);
      // For a coordinator that is started after this: it takes up the tickets of sessions that ran.
      this.#database.prepare("UPDATE members SET ticket = NULL WHERE identity = ?").run(key);
    });
  }

  /** Forgets those that were removed and that no token can let in any more. `usable`: serials of the other tokens. */
  forgetRemoved(usable: readonly number[]): void {
    const oldest = usable.length === 0 ? Number.MAX_SAFE_INTEGER : Math.min(...usable);
    this.#database.prepare("DELETE FROM identities WHERE removed_serial < ?").run(oldest);
  }

  fact(name: string): string | undefined {
    const row = this.#database.prepare("SELECT value FROM facts WHERE name = ?").get(name);
    return row === undefined ? undefined : String(row["value"]);
  }

  setFact(name: string, value: string): void {
    const insert =
      "INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    this.#database.prepare(insert).run(name, value);
  }
}

import type { DatabaseSync } from "node:sqlite";
import { FanfoldError } from "../../lib/errors.ts";

/** Raised with every change of the tables. */
const SCHEMA_VERSION = 2;

/** What a coordinator needs to go on with a session: the members' epochs (0: never took part), and their tickets. */
const TABLES = `
  CREATE TABLE sessions (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, epoch INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'ended')),
    opened TEXT NOT NULL, started TEXT, ended TEXT, result TEXT, reason TEXT, summary TEXT
  ) STRICT;
  CREATE TABLE members (
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    member_id TEXT NOT NULL, role TEXT NOT NULL, name TEXT NOT NULL, secret_hash TEXT NOT NULL,
    stay INTEGER NOT NULL, needed INTEGER NOT NULL, dry_run INTEGER NOT NULL, epoch INTEGER NOT NULL DEFAULT 0, ticket TEXT,
    PRIMARY KEY (session_id, member_id)
  ) STRICT;
  CREATE INDEX sessions_opened ON sessions (opened);
`;

/** Makes the tables in a new file. @throws FanfoldError `usage` for a file of another version */
export function prepareSchema(database: DatabaseSync, file: string): void {
  const row = database.prepare("PRAGMA user_version").get() as { readonly user_version: number } | undefined;
  const version = row?.user_version ?? 0;
  if (version === SCHEMA_VERSION) return;
  if (version !== 0) {
    throw new FanfoldError(
      "usage",
      `cannot open the state "${file}": found version ${version}, want ${SCHEMA_VERSION}; use the release of fanfold that wrote it, or another --state-dir`,
    );
  }
  database.exec(`${TABLES}; PRAGMA user_version = ${SCHEMA_VERSION}`);
}

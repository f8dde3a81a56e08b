import type { DatabaseSync } from "node:sqlite";
import { FanfoldError } from "../../lib/errors.ts";

/** Raised with every change of the tables. */
const SCHEMA_VERSION = 2;

/** Version 1. Only ever followed by the steps below, so that a new file and an old one end up the same. */
const TABLES = `
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
`;

/** What a coordinator needs to go on with a session: the members' epochs (0: never took part), and their tickets. */
const FROM_1_TO_2 = `
  ALTER TABLE members ADD COLUMN stay INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE members ADD COLUMN needed INTEGER NOT NULL DEFAULT 1;
  ALTER TABLE members ADD COLUMN dry_run INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE members ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE members ADD COLUMN ticket TEXT;
`;

/** Makes the tables, or brings those of an earlier version to this one. @throws FanfoldError `usage` for a later one */
export function prepareSchema(database: DatabaseSync, file: string): void {
  const row = database.prepare("PRAGMA user_version").get() as { readonly user_version: number } | undefined;
  const version = row?.user_version ?? 0;
  if (version > SCHEMA_VERSION) {
    throw new FanfoldError(
      "usage",
      `Open the state "${file}": found version ${version}, want ${SCHEMA_VERSION}; use the fanfold that wrote it, or another --state-dir`,
    );
  }
  if (version < 1) database.exec(TABLES);
  if (version < 2) database.exec(FROM_1_TO_2);
  database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
}

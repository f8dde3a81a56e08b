import type { DatabaseSync } from "node:sqlite";
import { FanfoldError } from "../../lib/errors.ts";

/** Raised with every change of the tables. */
const SCHEMA_VERSION = 9;

/**
 * What a coordinator needs to go on with a session: the members' epochs (0: never took part), and their tickets. Then who
 * may come in: tokens, and the identities that were let in. Both are kept together with the sessions, under one lock.
 */
const SESSION_TABLES = `
  CREATE TABLE sessions (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, epoch INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'ended')),
    opened TEXT NOT NULL, started TEXT, ended TEXT, result TEXT, reason TEXT, summary TEXT,
    rates TEXT
  ) STRICT;
  CREATE TABLE members (
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    member_id TEXT NOT NULL, role TEXT NOT NULL, name TEXT NOT NULL, identity TEXT NOT NULL,
    stay INTEGER NOT NULL, needed INTEGER NOT NULL, dry_run INTEGER NOT NULL, epoch INTEGER NOT NULL DEFAULT 0, ticket TEXT,
    receipt TEXT, directory TEXT,
    PRIMARY KEY (session_id, member_id)
  ) STRICT;
  CREATE INDEX sessions_opened ON sessions (opened);
`;

/** A serial is never given twice, so that it tells what was made before a removal, whatever the clock says. */
const ACCESS_TABLES = `
  CREATE TABLE tokens (
    serial INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, role TEXT NOT NULL, secret_hash TEXT NOT NULL,
    scope TEXT NOT NULL, created TEXT NOT NULL, expires TEXT, uses_left INTEGER, note TEXT NOT NULL,
    first INTEGER NOT NULL, revoked TEXT
  ) STRICT;
  CREATE TABLE identities (
    key TEXT NOT NULL, role TEXT NOT NULL, name TEXT NOT NULL, renamed INTEGER NOT NULL, scopes TEXT NOT NULL,
    token_id TEXT NOT NULL, admitted TEXT NOT NULL, seen TEXT NOT NULL, removed TEXT, removed_serial INTEGER,
    PRIMARY KEY (key, role)
  ) STRICT;
  CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
`;

/** What each sink said last of its machine, who is to be told of what, and what names of sessions are watched. */
const NEWS_TABLES = `
  CREATE TABLE sinks (
    key TEXT PRIMARY KEY, name TEXT NOT NULL, software TEXT, free_bytes INTEGER, size_bytes INTEGER, said TEXT NOT NULL
  ) STRICT;
  CREATE TABLE outbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT, via TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, due TEXT NOT NULL
  ) STRICT;
  CREATE TABLE wanted (
    session TEXT PRIMARY KEY, within_ms INTEGER NOT NULL, since TEXT NOT NULL, missed TEXT
  ) STRICT;
  CREATE INDEX sessions_proven ON sessions (name, result, ended);
`;

/**
 * What was decided on copies whose sinks switch together: the digest to which they do, or null. They outlive the history of their
 * sessions: a sink may ask much later.
 */
const DECISIONS = `CREATE TABLE decisions (
  session_id TEXT NOT NULL, epoch INTEGER NOT NULL, digest TEXT, decided TEXT NOT NULL, PRIMARY KEY (session_id, epoch)
) STRICT`;

/** When each sink has read its copy again. */
const VERIFIED = `CREATE TABLE IF NOT EXISTS verified (
  key TEXT PRIMARY KEY, session TEXT NOT NULL, at TEXT NOT NULL, result TEXT NOT NULL, trees INTEGER NOT NULL,
  files INTEGER NOT NULL, bytes INTEGER NOT NULL, differing INTEGER NOT NULL, missing INTEGER NOT NULL
) STRICT`;

/** Of each sink, which report of such a check was told last. */
const TOLD = `CREATE TABLE IF NOT EXISTS told (key TEXT PRIMARY KEY, report TEXT NOT NULL, at TEXT NOT NULL) STRICT`;

/** How fast each session went. */
const WITH_RATES = "ALTER TABLE sessions ADD COLUMN rates TEXT";
/** How the directory of each source is called. */
const WITH_DIRECTORIES = "ALTER TABLE members ADD COLUMN directory TEXT";
/** Versions that are taken over by adding to them what came since. */
const GROWN: readonly number[] = [3, 4, 5, 6, 7, 8];

/** Version 0.1 knew its members by the hash of a secret: none of them can come back to a session that ran. */
const FROM_VERSION_2 = `
  ALTER TABLE members RENAME COLUMN secret_hash TO identity;
  ALTER TABLE members ADD COLUMN receipt TEXT;
  UPDATE members SET ticket = NULL;
`;
const END_RUNNING = `UPDATE sessions SET state = 'ended', ended = ?, result = 'interrupted',
  reason = 'the coordinator was updated while it ran' WHERE state = 'running'`;

/**
 * Makes the tables in a new file, and takes over those of versions 2 (of fanfold 0.1) to 8.
 *
 * @throws FanfoldError `usage` for a file of another version
 */
export function prepareSchema(
  database: DatabaseSync,
  { file, at }: { readonly file: string; readonly at: Date },
): void {
  const row = database.prepare("PRAGMA user_version").get() as { readonly user_version: number } | undefined;
  const version = row?.user_version ?? 0;
  if (version === SCHEMA_VERSION) return;
  if (version === 0) database.exec(SESSION_TABLES);
  else if (version === 2) {
    database.exec(FROM_VERSION_2);
    database.prepare(END_RUNNING).run(at.toISOString());
  } else if (!GROWN.includes(version)) {
    throw new FanfoldError(
      "usage",
      `cannot open the state "${file}": found version ${version}, want ${SCHEMA_VERSION}; use the release of fanfold that wrote it, or another --state-dir`,
    );
  }
  if (version !== 0) {
    if (version < 5) database.exec(WITH_RATES);
    if (version < 6) database.exec(WITH_DIRECTORIES);
  }
  if (version < 3) database.exec(ACCESS_TABLES);
  if (version < 4) database.exec(NEWS_TABLES);
  if (version < 7) database.exec(DECISIONS);
  database.exec(VERIFIED);
  database.exec(TOLD);
  database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
}

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { AccessStore } from "../../../src/coordinator/access/access-store.ts";
import { ratesAnswer, sessionAnswer } from "../../../src/coordinator/api/session-answers.ts";
import { openStore, type Store } from "../../../src/coordinator/history/store.ts";
import { WantedStore } from "../../../src/coordinator/history/wanted-store.ts";
import { stateFolder } from "../coordinator-fixture.ts";
import { at, begin, session, sink, source } from "./running-session.ts";

/** What a coordinator of version 0.1 left behind: a session that runs, and one that has ended. */
const STATE_OF_0_1 = `
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
  INSERT INTO sessions VALUES ('ended0ended0', 'old', 1, 'ended', '2025-01-01', NULL, '2025-01-02', 'complete', NULL, NULL);
  INSERT INTO sessions VALUES ('runs00runs00', 'new', 2, 'running', '2025-01-03', '2025-01-03', NULL, NULL, NULL, NULL);
  INSERT INTO members VALUES ('runs00runs00', 'sososo', 'source', 'beta', 'ab', 0, 1, 0, 2, 'a ticket');
  PRAGMA user_version = 2;
`;

describe("the state of version 0.1", () => {
  test("is taken over: its sessions are history, and what ran was interrupted", async () => {
    const folder = await stateFolder();
    await mkdir(folder);
    const old = new DatabaseSync(join(folder, "coordinator.db"));
    old.exec(STATE_OF_0_1);
    old.close();
    for (const _ of ["the first start", "the second start"]) {
      using store: Store = await openStore(folder, at);
      expect(store.running()).toEqual([]);
      expect(store.sessions(9)).toMatchObject([
        {
          id: "runs00runs00",
          state: "ended",
          ended: at.toISOString(),
          result: "interrupted",
          reason: expect.stringContaining("updated"),
        },
        { id: "ended0ended0", state: "ended", ended: "2025-01-02", result: "complete" },
      ]);
      expect(store.members("runs00runs00")).toMatchObject([{ name: "beta", identity: "ab", ticket: null }]);
    }
  });
});

describe("the state of version 3 of the tables", () => {
  test("is taken over as it is, with its tokens and members, and sessions that run go on", async () => {
    const folder = await stateFolder();
    {
      using store: Store = await openStore(folder, at);
      begin(store);
      const insert = "INSERT INTO identities VALUES (?, 'sink', 'alpha', 0, '*', 'tok', ?, ?, NULL, NULL)";
      store.database.prepare(insert).run(sink.identity, at.toISOString(), at.toISOString());
    }
    // Version 4 only added tables.
    const old = new DatabaseSync(join(folder, "coordinator.db"));
    old.exec(
      "DROP TABLE sinks; DROP TABLE outbox; DROP TABLE wanted; DROP INDEX sessions_proven; ALTER TABLE sessions DROP COLUMN rates; ALTER TABLE members DROP COLUMN directory; DROP TABLE decisions; PRAGMA user_version = 3",
    );
    old.close();
    for (const [index, name] of ["the first start", "the second start"].entries()) {
      using store: Store = await openStore(folder, at);
      expect(store.running(), name).toMatchObject([{ id: session.id, state: "running" }]);
      expect(store.members(session.id)).toMatchObject([{ ticket: "ticket of alpha" }, { name: "beta" }]);
      expect(new AccessStore(store.database).identities()).toMatchObject([{ key: sink.identity }]);
      expect(store.sinks.known()).toHaveLength(index);
      store.sinks.said({ key: sink.identity, name: "alpha" }, at);
    }
  });
});

describe("the state of version 4 of the tables", () => {
  test("is taken over as it is, and from then on the rates of a session are kept", async () => {
    const folder = await stateFolder();
    const old = { id: "ended0ended0", epoch: 1 };
    {
      using store: Store = await openStore(folder, at);
      store.opened(old, "old", at);
      store.ended(old.id, { at, result: "complete" });
      begin(store);
      store.sinks.said({ key: sink.identity, name: "alpha" }, at);
      new WantedStore(store.database).put({ session: "nightly", withinMs: 60_000, since: at });
    }
    // Version 5 only added a column.
    const database = new DatabaseSync(join(folder, "coordinator.db"));
    database.exec(
      "ALTER TABLE sessions DROP COLUMN rates; ALTER TABLE members DROP COLUMN directory; DROP TABLE decisions; PRAGMA user_version = 4",
    );
    database.close();
    const rates = [{ untilMs: 1000, bytesPerSecond: 5 }];
    for (const name of ["the first start", "the second start"]) {
      using store: Store = await openStore(folder, at);
      const isFirst = name === "the first start";
      expect(store.running(), name).toMatchObject(isFirst ? [{ id: session.id, state: "running" }] : []);
      expect(store.members(session.id)).toMatchObject([{ name: "alpha" }, { name: "beta" }]);
      expect(store.sinks.known()).toHaveLength(1);
      expect(new WantedStore(store.database).list()).toMatchObject([{ session: "nightly" }]);
      expect(ratesAnswer(store.database, old.id, undefined)).toEqual({ rates: [] });
      if (isFirst) store.ended(session.id, { at, result: "complete", rates });
      expect(ratesAnswer(store.database, session.id, undefined)).toEqual({ rates });
    }
  });
});

describe("the state of version 5 of the tables", () => {
  test("is taken over as it is, and from then on the name of a source's directory is kept", async () => {
    const folder = await stateFolder();
    const rates = [{ untilMs: 1000, bytesPerSecond: 5 }];
    const old = { id: "ended0ended0", epoch: 1 };
    {
      using store: Store = await openStore(folder, at);
      store.opened(old, "old", at);
      store.joined({ ...source, sessionId: old.id }, undefined);
      store.ended(old.id, { at, result: "complete", rates });
      begin(store);
    }
    // Version 6 only added a column.
    const database = new DatabaseSync(join(folder, "coordinator.db"));
    database.exec("ALTER TABLE members DROP COLUMN directory; DROP TABLE decisions; PRAGMA user_version = 5");
    database.close();
    for (const [index, name] of ["the first start", "the second start"].entries()) {
      using store: Store = await openStore(folder, at);
      expect(ratesAnswer(store.database, old.id, undefined)).toEqual({ rates });
      expect(sessionAnswer(store.database, old.id, [])).not.toHaveProperty("directory");
      expect(store.running(), name).toMatchObject([{ id: session.id, state: "running" }]);
      expect(store.members(session.id)[1]?.directory).toBe(index === 0 ? null : "photos");
      store.joined({ ...source, needed: 3, dryRun: true }, undefined);
      expect(sessionAnswer(store.database, session.id, [])).toMatchObject({ source: "beta", directory: "photos" });
    }
  });
});

describe("the state of version 6 of the tables", () => {
  test("is taken over as it is, and from then on decisions are kept", async () => {
    const folder = await stateFolder();
    {
      using store: Store = await openStore(folder, at);
      begin(store);
    }
    const database = new DatabaseSync(join(folder, "coordinator.db"));
    database.exec("DROP TABLE decisions; PRAGMA user_version = 6");
    database.close();
    for (const isKept of [false, true]) {
      using store: Store = await openStore(folder, at);
      expect(store.running()).toMatchObject([{ id: session.id, state: "running" }]);
      const copy = { sessionId: session.id, epoch: 1 };
      expect(store.decisions.find(copy)).toEqual(isKept ? { ...copy, digest: "d".repeat(64) } : undefined);
      store.decisions.decide({ ...copy, digest: "d".repeat(64) }, at);
      store.decisions.decide(copy, at);
      expect(store.decisions.find({ ...copy, epoch: 2 })).toBeUndefined();
    }
  });
});

describe("the state of version 8 of the tables", () => {
  test("is taken over as it is, and from then on it is known what was told of checks", async () => {
    const folder = await stateFolder();
    {
      using store: Store = await openStore(folder, at);
      begin(store);
    }
    const database = new DatabaseSync(join(folder, "coordinator.db"));
    database.exec("DROP TABLE told; PRAGMA user_version = 8");
    database.close();
    for (const told of [undefined, "the first"]) {
      using store: Store = await openStore(folder, at);
      expect(store.running()).toMatchObject([{ id: session.id, state: "running" }]);
      expect(store.verified.told(sink.identity)).toBe(told);
      store.verified.tell(sink.identity, { report: "the first", at }, () => undefined);
    }
  });
});

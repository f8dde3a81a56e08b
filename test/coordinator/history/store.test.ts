import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { AccessStore } from "../../../src/coordinator/access/access-store.ts";
import { History } from "../../../src/coordinator/history/history.ts";
import { openStore, type Store } from "../../../src/coordinator/history/store.ts";
import { restoredSession } from "../../../src/coordinator/session/restore.ts";
import { stateFolder } from "../coordinator-fixture.ts";
import { ManualClock } from "../manual-clock.ts";
import { provenOutcome, summaryOf } from "../session/slot-driver.ts";
import { at, begin, running, session, sink, source } from "./running-session.ts";

const HERE = { coordinator: "0".repeat(32), decision: undefined };

describe("openStore()", () => {
  test("makes a directory that only its owner can enter", async () => {
    const folder = await stateFolder();
    using _: Store = await openStore(folder, at);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
  });

  test("locks the directory until it is closed", async () => {
    const folder = await stateFolder();
    const first = await openStore(folder, at);
    await expect(openStore(folder, at)).rejects.toMatchObject({
      code: "state-busy",
      message: expect.stringContaining(folder),
    });
    first.close();
    first.close();
    (await openStore(folder, at)).close();
  });

  test("takes the lock of a process that was killed, and finds what it left running", async () => {
    const folder = await stateFolder();
    const module = new URL("../../../src/coordinator/history/store.ts", import.meta.url).href;
    const script = `import { openStore } from ${JSON.stringify(module)};
      const store = await openStore(${JSON.stringify(folder)}, new Date());
      store.opened(${JSON.stringify(session)}, "default", new Date());
      store.joined(${JSON.stringify(source)}, undefined);
      store.started(${JSON.stringify({ ...running, sinks: [] })}, new Date());
      store.opened({ id: "waitswaits12", epoch: 1 }, "other", new Date());
      console.log("running");
      setInterval(() => undefined, 1000);`;
    const holder = spawn(process.execPath, ["--no-warnings", "--input-type=module-typescript", "--eval", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(holder.stdout, "data");
    await expect(openStore(folder, at)).rejects.toMatchObject({ code: "state-busy" });
    holder.kill("SIGKILL");
    await once(holder, "exit");
    using store: Store = await openStore(folder, at);
    expect(store.sessions(9)).toMatchObject([{ id: session.id, state: "running", epoch: 1 }]);
  });

  test.each([
    ["a file in its place", async (folder: string) => await writeFile(folder, ""), "disk-failed"],
    [
      "a damaged database",
      async (folder: string) => {
        await mkdir(folder);
        await writeFile(join(folder, "coordinator.db"), "garbage ".repeat(1000));
      },
      "damaged",
    ],
  ])("refuses %s with a text that names the directory", async (_, prepare, code) => {
    const folder = await stateFolder();
    await prepare(folder);
    await expect(openStore(folder, at)).rejects.toMatchObject({ code, message: expect.stringContaining(folder) });
  });

  test.each([1, 99])("refuses the state of another version, %i", async (version) => {
    const folder = await stateFolder();
    (await openStore(folder, at)).close();
    const database = new DatabaseSync(join(folder, "coordinator.db"));
    database.exec(`PRAGMA user_version = ${version}`);
    database.close();
    await expect(openStore(folder, at)).rejects.toMatchObject({
      code: "usage",
      message: expect.stringContaining(`found version ${version}`),
    });
  });
});

describe("Store", () => {
  test("keeps a session, its members and its summary", async () => {
    using store: Store = await openStore(await stateFolder(), at);
    const summary = summaryOf([provenOutcome(sink)]);
    begin(store);
    store.ended(session.id, { at, result: "complete", summary });
    const [record] = store.sessions(1);
    expect(record).toMatchObject({ id: session.id, name: "default", epoch: 1, state: "ended", result: "complete" });
    expect(JSON.parse(record?.summary ?? "")).toEqual(summary);
    expect(store.members(session.id)).toMatchObject([
      { role: "sink", member_id: sink.id, name: "alpha", identity: sink.identity, ticket: null, directory: null },
      { role: "source", member_id: source.id, name: "beta", ticket: null, directory: "photos" },
    ]);
    expect(store.running()).toEqual([]);
  });

  test("forgets a session that never started, with its members", async () => {
    using store: Store = await openStore(await stateFolder(), at);
    store.opened(session, "default", at);
    store.joined(sink, undefined);
    store.forgotten(session.id);
    expect(store.sessions(9)).toEqual([]);
    expect(store.members(session.id)).toEqual([]);
  });

  test("never has a secret on disk, only its hash", async () => {
    const folder = await stateFolder();
    const { openCoordinator } = await import("../../../src/coordinator/coordinator.ts");
    const { ControlClient } = await import("../control-client.ts");
    const coordinator = await openCoordinator({ port: 0, stateDir: folder, signal: new AbortController().signal });
    using client = await ControlClient.connect(coordinator.port);
    const secret = "cd".repeat(32);
    await client.enter("sink", { seed: secret });
    await coordinator.close();
    expect((await readFile(join(folder, "coordinator.db"))).includes(secret)).toBe(false);
  });
});

describe("what a coordinator finds when it is back", () => {
  test("are the sessions that are over, also those that waited, and none that runs", async () => {
    const folder = await stateFolder();
    {
      using store: Store = await openStore(folder, at);
      begin(store);
      store.opened({ id: "ended", epoch: 1 }, "one", at);
      store.ended("ended", { at, result: "cancelled" });
      store.opened({ id: "waits", epoch: 1 }, "two", at);
      expect(store.over).toEqual([]);
    }
    using store: Store = await openStore(folder, at);
    expect([...store.over].sort()).toEqual(["ended", "waits"]);
  });

  test("is the session at the epoch that ran last, with everybody who took part away", async () => {
    const folder = await stateFolder();
    {
      using store: Store = await openStore(folder, at);
      begin(store);
      store.joined({ ...sink, id: "late00", name: "gamma", identity: "cd".repeat(32) }, "ticket of gamma");
      store.joined({ ...sink, id: "never0", name: "delta", identity: "12".repeat(32) }, "ticket of delta");
      store.tookPart(session, "late00");
      // A new process of the sink was welcomed, and has not started yet.
      store.joined({ ...sink, stay: false, ready: false, startedEpoch: 0 }, "another ticket of alpha");
    }
    using store: Store = await openStore(folder, at);
    const [record] = store.running();
    if (record === undefined) throw new Error("want a session that runs");
    const restored = restoredSession(record, store.members(session.id), HERE);
    expect(restored?.running).toEqual({
      ...running,
      sinks: [
        { id: sink.id, name: "alpha" },
        { id: "late00", name: "gamma" },
      ],
    });
    expect(restored?.state).toMatchObject({ name: "default", kept: true, waiting: undefined });
    expect(restored?.state.members).toMatchObject([
      { id: sink.id, identity: sink.identity, stay: false, startedEpoch: 1, belongs: true, away: {}, ready: false },
      { id: source.id, role: "source", needed: 3, dryRun: true, startedEpoch: 1 },
      { id: "late00" },
    ]);
    expect(restored?.tickets.map(({ holder, ticket }) => [holder.name, ticket])).toEqual([
      ["alpha", "another ticket of alpha"],
      [source.name, undefined],
      ["gamma", "ticket of gamma"],
    ]);
  });

  test("is no ticket of a member that was removed while it was away", async () => {
    const folder = await stateFolder();
    {
      using store: Store = await openStore(folder, at);
      begin(store);
      const access = new AccessStore(store.database);
      access.remove(sink.identity, at);
    }
    using store: Store = await openStore(folder, at);
    expect(store.members(session.id).map(({ name, ticket }) => [name, ticket])).toEqual([
      ["alpha", null],
      ["beta", null],
    ]);
  });

  test("counts only who took part in the last epoch, and knows the others", async () => {
    using store: Store = await openStore(await stateFolder(), at);
    begin(store);
    store.started({ ...running, epoch: 2, sinks: [] }, new Date());
    const [record] = store.running();
    if (record === undefined) throw new Error("want a session that runs");
    expect(record).toMatchObject({ epoch: 2, started: at.toISOString() });
    const restored = restoredSession(record, store.members(session.id), HERE);
    expect(restored?.running).toMatchObject({ epoch: 2, sinks: [] });
    expect(restored?.state.members).toMatchObject([{ id: sink.id, startedEpoch: 1 }, { startedEpoch: 2 }]);
  });

  test("when it had been taken over, is a session that waits for its source and no member of an earlier epoch", async () => {
    const folder = await stateFolder();
    {
      using store: Store = await openStore(folder, at);
      begin(store);
      store.takenOver({ ...session, epoch: 2 });
    }
    using store: Store = await openStore(folder, at);
    const [record] = store.running();
    if (record === undefined) throw new Error("want the session that was taken over");
    const restored = restoredSession(record, store.members(session.id), HERE);
    expect(restored?.running).toBeUndefined();
    expect(restored?.state).toMatchObject({
      kept: true,
      running: undefined,
      waiting: { id: session.id, epoch: 2, takenOver: true },
    });
    expect(restored?.state.members).toMatchObject([
      { id: sink.id, startedEpoch: 1, belongs: true, away: {} },
      { id: source.id, startedEpoch: 1, belongs: true, away: {} },
    ]);
  });

  test("is no session without its source", async () => {
    using store: Store = await openStore(await stateFolder(), at);
    begin(store);
    const [record] = store.running();
    if (record === undefined) throw new Error("want a session that runs");
    const members = store.members(session.id).filter((member) => member.role === "sink");
    expect(restoredSession(record, members, HERE)).toBeUndefined();
  });

  test("tells who took part how the session ended, and nobody else", async () => {
    using store: Store = await openStore(await stateFolder(), at);
    const history = new History(store, {
      clock: new ManualClock(),
      warn: () => undefined,
      retention: { sessions: 10 },
      noteEnd: () => undefined,
    });
    begin(store);
    expect(history.past(session, "sink", sink.identity)).toBeUndefined();
    const summary = summaryOf([provenOutcome(sink)]);
    store.ended(session.id, { at, result: "complete", summary });
    expect(history.past(session, "sink", sink.identity)).toEqual({
      session,
      member: { id: sink.id, name: "alpha" },
      summary,
    });
    expect(history.past(session, "source", source.identity)?.summary).toEqual(summary);
    expect(history.past({ ...session, epoch: 2 }, "sink", sink.identity)).toBeUndefined();
    expect(history.past(session, "sink", source.identity)).toBeUndefined();
    expect(history.past({ ...session, id: "other" }, "sink", sink.identity)).toBeUndefined();
  });

  test("makes a check no younger when its sink tells of it late, or once more", async () => {
    using store: Store = await openStore(await stateFolder(), at);
    const clock = new ManualClock();
    const history = new History(store, {
      clock,
      warn: () => undefined,
      retention: { sessions: 10 },
      noteEnd: () => undefined,
    });
    const check = {
      session: "photos",
      result: "equal",
      trees: 1,
      files: 1,
      bytes: 1,
      differing: 0,
      missing: 0,
    } as const;
    const checkedAt = () => store.verified.all().get(sink.identity)?.at;
    const endedAt = clock.date().toISOString();
    clock.advance(29 * 86_400_000);
    history.sinkTold(sink.identity, { report: "the first", check, endedAt });
    expect(checkedAt()).toBe(endedAt);
    // Its clock is ahead.
    history.sinkTold(sink.identity, { report: "the second", check, endedAt: "2999-01-01T00:00:00.000Z" });
    expect(checkedAt()).toBe(clock.date().toISOString());
  });
});

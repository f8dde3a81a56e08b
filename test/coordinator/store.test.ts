import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openStore, type Store } from "../../src/coordinator/store.ts";
import { stateFolder } from "./coordinator-fixture.ts";
import { provenOutcome, summaryOf } from "./series-driver.ts";

const at = new Date("2026-01-02T03:04:05Z");
const session = { id: "abc123abc123", epoch: 1 };
const holder = { memberId: "k1k1k1", name: "alpha", role: "sink", sessionId: session.id } as const;

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

  test("takes the lock of a process that was killed, and ends what it left running", async () => {
    const folder = await stateFolder();
    const module = new URL("../../src/coordinator/store.ts", import.meta.url).href;
    const script = `import { openStore } from ${JSON.stringify(module)};
      const store = await openStore(${JSON.stringify(folder)}, new Date());
      store.opened(${JSON.stringify(session)}, "default", new Date());
      store.started(${JSON.stringify(session.id)}, new Date());
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
    expect(store.sessions(9)).toMatchObject([
      { id: session.id, state: "ended", result: "interrupted", ended: at.toISOString() },
    ]);
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

  test("refuses the state of a newer version", async () => {
    const folder = await stateFolder();
    (await openStore(folder, at)).close();
    const { DatabaseSync } = await import("node:sqlite");
    const database = new DatabaseSync(join(folder, "coordinator.db"));
    database.exec("PRAGMA user_version = 99");
    database.close();
    await expect(openStore(folder, at)).rejects.toMatchObject({
      code: "usage",
      message: expect.stringContaining("99"),
    });
  });
});

describe("Store", () => {
  test("keeps a session, its members and its summary", async () => {
    using store: Store = await openStore(await stateFolder(), at);
    const summary = summaryOf([provenOutcome({ id: holder.memberId, name: holder.name })]);
    store.opened(session, "default", at);
    store.joined(holder, "ef".repeat(32));
    store.started(session.id, at);
    store.ended(session.id, { at, result: "complete", summary });
    const [record] = store.sessions(1);
    expect(record).toMatchObject({ id: session.id, name: "default", epoch: 1, state: "ended", result: "complete" });
    expect(JSON.parse(record?.summary ?? "")).toEqual(summary);
    expect(store.members(session.id)).toEqual([
      { role: "sink", member_id: "k1k1k1", name: "alpha", secret_hash: "ef".repeat(32) },
    ]);
  });

  test("forgets a session that never started, with its members", async () => {
    using store: Store = await openStore(await stateFolder(), at);
    store.opened(session, "default", at);
    store.joined(holder, "ef".repeat(32));
    store.forgotten(session.id);
    expect(store.sessions(9)).toEqual([]);
    expect(store.members(session.id)).toEqual([]);
  });

  test("never has a secret on disk, only its hash", async () => {
    const folder = await stateFolder();
    const { openCoordinator } = await import("../../src/coordinator/coordinator.ts");
    const { ControlClient } = await import("./control-client.ts");
    const coordinator = await openCoordinator({ port: 0, stateDir: folder, signal: new AbortController().signal });
    using client = await ControlClient.connect(coordinator.port);
    const secret = "cd".repeat(32);
    await client.enter("sink", { secret });
    await coordinator.close();
    expect((await readFile(join(folder, "coordinator.db"))).includes(secret)).toBe(false);
  });
});

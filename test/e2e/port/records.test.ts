import { mkdirSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Environment } from "../../../src/cli/process/program-io.ts";
import type { SessionDetail, SessionEntry } from "../../../src/protocol/api/answer-schemas.ts";
import type { SessionView } from "../../../src/protocol/messages/session-view.ts";
import { CliLab, COMMAND, type Ended } from "../../helpers/processes/cli.ts";
import { content, makeManyFiles } from "../../helpers/trees/tree.ts";
import { copyAndCompare, E2E_MS, startCopy } from "../copying.ts";

interface SessionsAnswer {
  readonly runs: boolean;
  readonly more: boolean;
  readonly sessions: readonly SessionEntry[];
  readonly live: readonly SessionView[];
}

/** Runs a command that only looks. */
function lookerOf(lab: CliLab, place: readonly string[], env: Environment = {}) {
  const look = (...args: readonly string[]): Promise<Ended> => lab.command([...args, ...place], env);
  const ask = async <T>(...args: readonly string[]): Promise<T> => {
    const { status, stdout, stderr } = await look(...args, "--json");
    expect([status, stderr]).toEqual([0, ""]);
    return JSON.parse(stdout) as T;
  };
  return { look, ask };
}

/** The lines of a table, as what stands under each head. */
function rowsOf(text: string): readonly (readonly string[])[] {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => line.split(/ {2,}/));
}

describe("what a coordinator knows", { timeout: E2E_MS }, () => {
  test("is told near it and from elsewhere, and a session by the beginning of its id", async () => {
    await using lab = await CliLab.open("open");
    const from = lab.path("source");
    makeManyFiles(from, 20);
    const stateDir = lab.path("state");
    const { address } = await lab.coordinator({ args: ["--state-dir", stateDir] });
    const { look, ask } = lookerOf(lab, ["--state-dir", stateDir]);
    const remote = lookerOf(lab, ["--coordinator", address]);
    expect(await look("sessions")).toMatchObject({ status: 0, stdout: "", stderr: "There was no session yet.\n" });
    expect(await look("fleet")).toMatchObject({ status: 0, stdout: "", stderr: "No sink is known yet.\n" });
    expect(await look("session", "last")).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("there was none"),
    });

    const to = [lab.path("alpha"), lab.path("beta")];
    const summary = await copyAndCompare(lab, { address, from, to, session: "photos" });
    await copyAndCompare(lab, { address, from, to: [lab.path("alpha")], session: "other" });
    const { sessions, live, more } = await ask<SessionsAnswer>("sessions");
    expect(sessions).toMatchObject([
      { session: "other", result: "unchanged", sinks: 1 },
      { session: "photos", result: "complete", sinks: 2, digest: summary.digest, bytes: summary.bytes },
    ]);
    expect([live, more]).toEqual([[], false]);
    const [, photos] = sessions;
    const id = photos?.sessionId ?? "";
    expect(await remote.ask("sessions")).toEqual(await ask("sessions"));
    expect((await ask<SessionsAnswer>("sessions", "--limit", "1")).more).toBe(true);
    const listed = await look("sessions", "--session", "photos");
    expect(rowsOf(listed.stdout)).toEqual([
      ["ID", "SESSION", "OPENED (UTC)", "RESULT", "TOOK", "SOURCE", "DIRECTORY", "SINKS", "FILES", "BYTES", "PROBLEMS"],
      [
        id.slice(0, 6),
        "photos",
        photos?.opened.slice(0, 16).replace("T", " "),
        "complete",
        expect.stringMatching(/ s$/),
        photos?.source,
        "source",
        "2",
        String(summary.files),
        expect.stringMatching(/B$/),
        "0",
      ],
    ]);

    const page = await look("session", id.slice(0, 8));
    expect(page.stdout).toContain(`complete: ${summary.files} files`);
    expect(page.stdout).toContain(summary.digest);
    expect(page.stdout).toMatch(/^ +sinks +\S+ {2,}proven$/m);
    expect(page.stdout.match(/^\S+ +\d{4}-\d\d-\d\d \d\d:\d\d +proven /gm)).toHaveLength(2);
    const detail = await ask<SessionDetail>("session", "last", "--session", "photos");
    expect(detail).toMatchObject({ sessionId: id, summary: { digest: summary.digest } });
    expect(detail.members.filter(({ receipt }) => receipt !== undefined)).toHaveLength(2);
    for (const [who, text] of [
      ["zzzz", "cannot find the session"],
      ["NO", "cannot read the id"],
    ] as const)
      expect(await look("session", who)).toMatchObject({ status: 2, stderr: expect.stringContaining(text) });

    const waiting = lab.sink(address, to[1] ?? "", ["--session", "photos"]);
    await waiting.event("waiting");
    const fleet = await look("fleet");
    const rows = rowsOf(fleet.stdout);
    expect(
      rows
        .slice(1)
        .map(([, here, proof, session]) => [here, proof?.split(" ").at(-1), session])
        .sort(),
    ).toEqual([
      ["no", "complete", "other"],
      ["yes", "proven", "photos"],
    ]);
    expect(rows[1]?.[5]).toMatch(/ of .*%( on \d{4}-\d\d-\d\d)?$/);
  });

  test("is told of a copy that runs, and from the state of a coordinator that was killed", async () => {
    await using lab = await CliLab.open("open");
    const from = lab.path("source");
    mkdirSync(from);
    writeFileSync(lab.path("source", "large"), content(8 * 1024 * 1024, 1));
    const stateDir = lab.path("state");
    const { address, process } = await lab.coordinator({ args: ["--state-dir", stateDir] });
    const { look, ask } = lookerOf(lab, ["--state-dir", stateDir]);
    const { sinks } = startCopy(lab, {
      ...{ address, from, to: [lab.path("alpha")], session: "slow" },
      sourceArgs: ["--bwlimit", "256K"],
    });
    await process.event("session", { where: ({ view }) => (view.progress?.bytesDone ?? 0) > 0 });
    const { sessions, live } = await ask<SessionsAnswer>("sessions");
    expect(sessions).toMatchObject([{ session: "slow", state: "running" }]);
    expect(live).toMatchObject([{ session: "slow", state: "running", sinks: [{ freeBytes: expect.any(Number) }] }]);
    expect((await look("sessions")).stdout).toMatch(/ slow .* running, +\d+% /);
    const page = await look("session", "last");
    expect(page.stdout).toMatch(/^result +running, +\d+%$/m);
    expect(page.stdout).toMatch(/of 1 file, .* of 8\.0 MiB/);
    expect(page.stdout).toMatch(/^ +\S+ .*receiving/m);

    process.signal("SIGKILL");
    await process.exit();
    const stopped = await look("sessions");
    expect(stopped.stderr).toBe("The coordinator does not run: this is what its state knows.\n");
    expect(stopped.stdout).toContain("stands still");
    const still = (await look("session", "last")).stdout;
    expect(still).toMatch(/^result +stands still$/m);
    expect(still).toMatch(/^directory +source$/m);
    expect((await look("fleet")).stdout).toMatch(/^\S+ +no +never /m);
    expect(await ask<SessionsAnswer>("sessions")).toMatchObject({ runs: false, live: [] });
    for (const sink of sinks) expect(sink.status).toBeUndefined();
  });

  test("is told to observers where tokens are asked for, and to nobody else", async () => {
    await using lab = await CliLab.open("guarded");
    const from = lab.path("source");
    makeManyFiles(from, 3);
    const stateDir = lab.path("state");
    const { address } = await lab.coordinator({ args: ["--state-dir", stateDir] });
    await copyAndCompare(lab, { address, from, to: [lab.path("alpha")] });
    const create = [COMMAND, "token", "create", "--role", "observer", "--json", "--state-dir", stateDir];
    const made = lab.run<{ type: "never" }>(globalThis.process.execPath, create);
    expect(await made.exit()).toBe(0);
    const { token } = made.events[0] as unknown as { token: string };
    const observer = lookerOf(lab, ["--coordinator", address], { FANFOLD_TOKEN: token });
    expect(await observer.ask<SessionsAnswer>("sessions")).toMatchObject({ sessions: [{ result: "complete" }] });
    expect((await observer.look("session", "last")).stdout).toMatch(/^\S+ +\d{4}-.* proven /m);
    expect((await observer.look("fleet")).stdout).toMatch(/^\S+ +no .* proven /m);
    const nobody = lookerOf(lab, ["--coordinator", `https://${address}`]);
    expect((await nobody.look("sessions")).status).not.toBe(0);
  });

  test("is forgotten as it is told, but for the latest proven copy of each name", async () => {
    await using lab = await CliLab.open("open");
    const from = lab.path("source");
    makeManyFiles(from, 3);
    const stateDir = lab.path("state");
    const args = ["--state-dir", stateDir, "--keep-sessions", "2", "--keep-days", "30"];
    const first = await lab.coordinator({ args });
    for (const session of ["one", "two", "two", "three"])
      await copyAndCompare(lab, { address: first.address, from, to: [lab.path("alpha")], session });
    first.process.signal("SIGTERM");
    await first.process.exit();
    await lab.coordinator({ args });
    const { sessions } = await lookerOf(lab, ["--state-dir", stateDir]).ask<SessionsAnswer>("sessions");
    expect(sessions.map(({ session }) => session)).toEqual(["three", "two", "one"]);
    const refused = lab.start(["coordinator", "--port", "0", "--keep-sessions", "0"]);
    expect(await refused.exit()).toBe(2);
  });
});

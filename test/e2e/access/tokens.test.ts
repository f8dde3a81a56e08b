import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test, vi } from "vitest";
import { formatToken, parseToken } from "../../../src/protocol/access/token.ts";
import { freePort } from "../../helpers/free-ports.ts";
import { CliLab, COMMAND, type RunningCoordinator } from "../../helpers/processes/cli.ts";
import { programsAvailable } from "../../helpers/processes/programs.ts";
import { makeManyFiles } from "../../helpers/trees/tree.ts";
import { E2E_MS, expectCopy, expectProven } from "../copying.ts";

interface Shown {
  readonly id: string;
  readonly token: string;
  readonly line: string;
}

/** A coordinator that wants tokens, and what its operator does at its state. */
class Guarded {
  readonly lab: CliLab;
  readonly port: number;
  #running: RunningCoordinator | undefined;

  constructor(lab: CliLab, port: number) {
    this.lab = lab;
    this.port = port;
  }

  get state(): string {
    return this.lab.path("state");
  }

  get address(): string {
    return `localhost:${this.port}`;
  }

  get process(): RunningCoordinator["process"] {
    if (this.#running === undefined) throw new Error("want a coordinator that was started");
    return this.#running.process;
  }

  async start(): Promise<void> {
    const args = ["--require-token", "--state-dir", this.state];
    this.#running = await this.lab.coordinator({ port: this.port, args });
  }

  async kill(): Promise<void> {
    this.process.signal("SIGKILL");
    await this.process.exit();
  }

  /** What a command of the operator prints. Fails when it ends with another status. */
  async operate(args: readonly string[], { status = 0, env = {}, place = ["--state-dir", this.state] } = {}) {
    const [command = "", verb = "", ...rest] = args;
    const ended = await this.lab.command([command, verb, "--json", ...place, ...rest], env);
    expect(ended.status, ended.stderr).toBe(status);
    return JSON.parse(ended.stdout.trimEnd().split("\n").at(-1) ?? "") as unknown;
  }

  async token(...args: readonly string[]): Promise<Shown> {
    return (await this.operate(["token", "create", ...args])) as Shown;
  }

  /** Resolves when the coordinator's own clock has passed the end of a token. */
  async expiry(id: string): Promise<void> {
    await vi.waitFor(
      async () => {
        const { tokens } = (await this.operate(["token", "list"])) as { tokens: { id: string; state: string }[] };
        expect(tokens.find((token) => token.id === id)?.state).toBe("expired");
      },
      { timeout: E2E_MS, interval: 200 },
    );
  }

  async members(): Promise<readonly { readonly name: string; readonly key: string; readonly role: string }[]> {
    return ((await this.operate(["members", "list"])) as { members: [] }).members;
  }

  sink(folder: string, token?: string, args: readonly string[] = []) {
    return this.lab.sink(
      this.address,
      this.lab.path(folder),
      args,
      token === undefined ? {} : { env: { FANFOLD_TOKEN: token } },
    );
  }

  source(token?: string, args: readonly string[] = []) {
    return this.lab.source(
      this.address,
      this.lab.path("source"),
      args,
      token === undefined ? {} : { env: { FANFOLD_TOKEN: token } },
    );
  }
}

async function guarded(): Promise<Guarded & AsyncDisposable> {
  const lab = await CliLab.open("open");
  makeManyFiles(lab.path("source"), 20);
  const port = await freePort();
  const coordinator = new Guarded(lab, port);
  await coordinator.start();
  return Object.assign(coordinator, { [Symbol.asyncDispose]: () => lab[Symbol.asyncDispose]() });
}

describe("tokens", { timeout: E2E_MS }, () => {
  test("of the first start let a source and a sink in; after that their keys do, also when the tokens are revoked", async () => {
    await using site = await guarded();
    const { tokens } = (await site.operate(["token", "list"])) as {
      tokens: { id: string; role: string; first: boolean }[];
    };
    expect(tokens.map(({ role, first }) => [role, first])).toEqual([
      ["source", true],
      ["sink", true],
    ]);
    const [source, sink] = await Promise.all(
      tokens.map(async ({ id }) => (await site.operate(["token", "show", id])) as Shown),
    );
    expect(sink?.line).toBe(`FANFOLD_TOKEN=${sink?.token} fanfold sink --coordinator ${site.address} DIR`);
    await expectProven(site.source(source?.token), [site.sink("copy", sink?.token)]);
    await expectCopy(site.lab.path("source"), site.lab.path("copy"));
    for (const { id } of tokens) await site.operate(["token", "revoke", id]);
    await expectProven(site.source(), [site.sink("copy")]);
    expect((await site.members()).map(({ role }) => role).sort()).toEqual(["sink", "source"]);
  });

  test("that do not let in end a member with a status of its own each", async () => {
    await using site = await guarded();
    const good = await site.token("--role", "sink");
    const spent = await site.token("--role", "sink", "--uses", "1");
    const brief = await site.token("--role", "sink", "--ttl", "5s");
    await site.sink("other", spent.token).event("waiting");
    const wrong = {
      "token-damaged": [19, good.token.slice(0, -1)],
      "token-role": [23, (await site.token("--role", "source")).token],
      "token-session": [24, (await site.token("--role", "sink", "--session", "night-*")).token],
      "token-expired": [21, brief.token],
      "token-revoked": [22, good.token],
      "token-unknown": [20, formatToken({ ...parseToken(good.token), id: "nobody00" })],
      "token-used-up": [25, spent.token],
    } as const;
    await site.operate(["token", "revoke", good.id]);
    await site.expiry(brief.id);
    for (const [code, [status, token]] of Object.entries(wrong)) {
      const sink = site.sink("copy", token, ["--connect-timeout", "60s"]);
      const failure = await sink.failure();
      expect([failure.code, await sink.exit()], sink.shown()).toEqual([code, status]);
      expect(sink.stdout + sink.stderr).not.toContain(token.slice(-24));
    }
    const sink = site.sink("copy", undefined, ["--connect-timeout", "60s"]);
    expect([(await sink.failure()).code, await sink.exit()], sink.shown()).toEqual(["tls-failed", 28]);
    expect((await site.members()).map(({ name }) => name)).toHaveLength(1);
    expect(readFileSync(`${site.state}/coordinator.db-wal`).includes(good.token.slice(-30, -4))).toBe(false);
    expect(site.process.stdout + site.process.stderr).not.toContain(good.token.slice(-30, -4));
  });

  test("with a count let in exactly so many that come at once, also when the coordinator is killed in between", async () => {
    await using site = await guarded();
    const { token } = await site.token("--role", "sink", "--uses", "3");
    const folders = Array.from({ length: 6 }, (_, index) => `copy${index}`);
    const first = folders.slice(0, 3).map((folder) => site.sink(folder, token, ["--stay"]));
    await Promise.race(first.map((sink) => sink.event("joined")));
    await site.kill();
    await site.start();
    const all = [...first, ...folders.slice(3).map((folder) => site.sink(folder, token, ["--stay"]))];
    const outcomes = await Promise.all(
      all.map((sink) =>
        Promise.race([sink.event("waiting").then(() => "in"), sink.failure().then(({ code }) => code)]),
      ),
    );
    expect(outcomes.filter((outcome) => outcome === "in")).toHaveLength(3);
    expect(outcomes.filter((outcome) => outcome === "token-used-up")).toHaveLength(3);
    expect(await site.members()).toHaveLength(3);
  });

  test("that were revoked stay so when the coordinator is killed at once", async () => {
    await using site = await guarded();
    const { id, token } = await site.token("--role", "sink");
    await site.operate(["token", "revoke", id]);
    await site.kill();
    await site.start();
    expect((await site.sink("copy", token).failure()).code).toBe("token-revoked");
  });

  test("can be made and revoked while no coordinator runs", async () => {
    await using site = await guarded();
    await site.kill();
    const { id, token } = await site.token("--role", "sink");
    const { token: other } = await site.token("--role", "sink");
    await site.operate(["token", "revoke", id]);
    await site.start();
    expect((await site.sink("copy", token).failure()).code).toBe("token-revoked");
    await site.sink("copy", other).event("waiting");
  });
});

describe("an operator", { timeout: E2E_MS }, () => {
  test("works from elsewhere with a token for an admin, and reads with one for an observer", async () => {
    await using site = await guarded();
    const place = ["--coordinator", site.address];
    const as = async (role: string, args: readonly string[], status = 0) => {
      const { token } = await site.token("--role", role);
      return await site.operate(args, { place, env: { FANFOLD_TOKEN: token }, status });
    };
    const made = (await as("admin", ["token", "create", "--role", "sink"])) as Shown;
    await site.sink("copy", made.token).event("waiting");
    expect(await as("observer", ["members", "list"])).toMatchObject({ members: [{ role: "sink", token: made.id }] });
    expect(await as("observer", ["token", "show", made.id], 23)).toMatchObject({ code: "token-role" });
    expect(await as("sink", ["token", "list"], 23)).toMatchObject({ code: "token-role" });
    expect(await site.operate(["token", "list"], { place, status: 18 })).toMatchObject({ code: "token-missing" });
  });

  test("is told what is not there", async () => {
    await using site = await guarded();
    expect(await site.operate(["token", "revoke", "nobody00"], { status: 20 })).toMatchObject({
      code: "token-unknown",
    });
    expect(await site.operate(["token", "show", "nobody00"], { status: 20 })).toMatchObject({ code: "token-unknown" });
    expect(await site.operate(["members", "remove", "nobody"], { status: 34 })).toMatchObject({
      code: "member-unknown",
    });
    const nowhere = { place: ["--state-dir", site.lab.path("nowhere")], status: 2 };
    expect(await site.operate(["token", "list"], nowhere)).toMatchObject({ code: "usage" });
  });

  test("removes a member: its connections are cut at once, and only a later token lets it in", async () => {
    await using site = await guarded();
    const { token } = await site.token("--role", "sink");
    const [alpha, beta] = [
      site.sink("alpha", token, ["--name", "alpha", "--stay"]),
      site.sink("beta", token, ["--name", "beta"]),
    ];
    await Promise.all([alpha, beta].map((sink) => sink.event("waiting")));
    await site.operate(["members", "remove", "alpha"]);
    expect([(await alpha.failure()).code, await alpha.exit()]).toEqual(["member-removed", 30]);
    expect((await site.members()).map(({ name }) => name)).toEqual(["beta"]);
    const again = site.sink("alpha", token);
    expect([(await again.failure()).code, await again.exit()]).toEqual(["member-removed", 30]);
    expect(beta.status).toBeUndefined();
    const later = await site.token("--role", "sink");
    await site.sink("alpha", later.token).event("waiting");
  });

  test("removes a sink in the middle of a session, which goes on without it; then its source, which ends it", async () => {
    await using site = await guarded();
    const [{ token: sinkToken }, { token: sourceToken }] = [
      await site.token("--role", "sink"),
      await site.token("--role", "source"),
    ];
    // Half a minute at this rate.
    writeFileSync(site.lab.path("source", "large"), randomBytes(8 * 1024 * 1024));
    const [alpha, beta] = ["alpha", "beta"].map((name) => site.sink(name, sinkToken, ["--name", name]));
    const source = site.source(sourceToken, [
      ...["--dest-count", "2", "--bwlimit", "256K", "--sink-timeout", "1h", "--seal", "on"],
    ]);
    await Promise.all([alpha, beta].map((sink) => sink?.event("progress")));
    expect(await source.event("started")).toMatchObject({ sealed: true });
    await site.operate(["members", "remove", "alpha"]);
    expect([(await alpha?.failure())?.code, await alpha?.exit()]).toEqual(["member-removed", 30]);
    // Nothing that it says counts any more, and it is not waited for, though it has the key of this session.
    const { outcome } = await source.event("sink", { where: ({ name }) => name === "alpha" });
    expect(outcome).toMatchObject({ outcome: "failed", code: "member-removed" });
    await beta?.event("progress", { nth: 3 });
    expect([source.status, beta?.status]).toEqual([undefined, undefined]);
    const [{ key = "" } = {}] = (await site.members()).filter(({ role }) => role === "source");
    await site.operate(["members", "remove", key]);
    expect([(await source.failure()).code, await source.exit()]).toEqual(["member-removed", 30]);
  });

  test("tells two members of one name apart by their keys, and gives one another name", async () => {
    await using site = await guarded();
    const { token } = await site.token("--role", "sink");
    const sinks = ["one", "two"].map((session) => site.sink(session, token, ["--name", "nas", "--session", session]));
    await Promise.all(sinks.map((sink) => sink.event("waiting")));
    expect(await site.operate(["members", "remove", "nas"], { status: 2 })).toMatchObject({ code: "usage" });
    const [{ key = "" } = {}] = await site.members();
    await site.operate(["members", "rename", key.slice(0, 12), "attic"]);
    expect((await site.members()).map(({ name }) => name).sort()).toEqual(["attic", "nas"]);
    const [other] = (await site.members()).filter((member) => member.name === "nas");
    expect(await site.operate(["members", "rename", other?.key ?? "", "attic"], { status: 5 })).toMatchObject({
      code: "name-taken",
    });
    await site.operate(["members", "remove", "attic"]);
    expect((await site.members()).map(({ name }) => name)).toEqual(["nas"]);
  });
});

describe.skipIf(!programsAvailable("script"))("the first start", { timeout: E2E_MS }, () => {
  test("prints whole lines to paste at a terminal, and only there", async () => {
    await using lab = await CliLab.open();
    const start = async (state: string, through: (words: string) => string) => {
      const port = await freePort();
      const words = [
        process.execPath,
        COMMAND,
        "coordinator",
        "--require-token",
        "--port",
        String(port),
        "--state-dir",
        lab.path(state),
      ];
      const coordinator = lab.run("sh", ["-c", through(words.map((word) => `'${word}'`).join(" "))], {
        plain: true,
        env: { TERM: "xterm" },
      });
      return { coordinator, port };
    };
    const { coordinator, port } = await start(
      "one",
      (words) => `exec script -qec "stty cols 60 rows 20; exec ${words}" /dev/null`,
    );
    await expect.poll(() => coordinator.stdout).toMatch(/prints them again/);
    const line = new RegExp(`FANFOLD_TOKEN=ff1_sink_[a-z0-9_]{90,} fanfold sink --coordinator localhost:${port} DIR`);
    expect(coordinator.stdout).toMatch(line);
    const shown = execFileSync(process.execPath, [COMMAND, "token", "show", "--state-dir", lab.path("one")], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    expect(shown).toMatch(line);
    const silent = await start("two", (words) => `exec ${words}`);
    await expect.poll(() => silent.coordinator.stdout).toMatch(/fanfold token show --state-dir/);
    expect(silent.coordinator.stdout + silent.coordinator.stderr).not.toContain("ff1_");
  });
});

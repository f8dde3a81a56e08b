import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { startGuarded } from "../e2e/access/guarded.ts";
import { E2E_MS, expectCopy, expectProven } from "../e2e/copying.ts";
import { CliLab, COMMAND } from "../helpers/processes/cli.ts";
import { makeManyFiles } from "../helpers/trees/tree.ts";

/** The thief has no token: what was stolen is all that it has. */
const NO_TOKEN = { env: { FANFOLD_TOKEN: "" } };

async function site() {
  const lab = await CliLab.open("guarded");
  const [from, to, stolen] = [lab.path("source"), lab.path("sink"), lab.path("stolen")];
  makeManyFiles(from, 5);
  const coordinator = await startGuarded(lab);
  const steal = (): void => {
    mkdirSync(stolen, { mode: 0o700 });
    cpSync(join(to, ".fanfold"), join(stolen, ".fanfold"), { recursive: true, preserveTimestamps: true });
  };
  return { ...{ lab, from, to, stolen, coordinator, steal }, [Symbol.asyncDispose]: () => lab[Symbol.asyncDispose]() };
}

describe("who has a copy of all that a sink keeps", { timeout: E2E_MS }, () => {
  test("is refused while the sink is there, also in another session, and the sink gets its copy", async () => {
    await using place = await site();
    const { lab, from, to, stolen, coordinator } = place;
    const sink = lab.sink(coordinator.address, to, ["--stay"]);
    await sink.event("waiting");
    place.steal();
    for (const session of ["default", "another"]) {
      const thief = lab.sink(coordinator.address, stolen, ["--session", session, "--connect-timeout", "60s"], NO_TOKEN);
      expect([(await thief.failure()).code, await thief.exit()], thief.shown()).toEqual(["refused", 5]);
    }
    const source = lab.source(coordinator.address, from);
    expect(await source.exit(), source.shown()).toBe(0);
    await sink.event("finished");
    await expectCopy(from, to);
  });

  test("is out for good once the sink is removed", async () => {
    await using place = await site();
    const { lab, from, to, stolen, coordinator } = place;
    await expectProven(lab.source(coordinator.address, from), [lab.sink(coordinator.address, to, ["--name", "lost"])]);
    place.steal();
    const words = [COMMAND, "members", "remove", "lost", "--state-dir", coordinator.stateDir];
    execFileSync(process.execPath, words, { stdio: "ignore" });
    const thief = lab.sink(coordinator.address, stolen, [], NO_TOKEN);
    expect([(await thief.failure()).code, await thief.exit()], thief.shown()).toEqual(["member-removed", 30]);
  });
});

describe("a sink that knows its source by an identity of version 0.1", { timeout: E2E_MS }, () => {
  test("does not take another source for it that claims what everybody could know of it", async () => {
    await using place = await site();
    const { lab, from, to, coordinator } = place;
    await expectProven(lab.source(coordinator.address, from), [lab.sink(coordinator.address, to)]);
    const facts = join(to, ".fanfold/facts");
    const secret = "ab".repeat(32);
    const known = createHash("sha256").update(secret).digest("hex");
    const text = readFileSync(facts, "utf8");
    const { source: pinned } = JSON.parse(text) as { source: string };
    writeFileSync(facts, text.replace(pinned, known));
    // The coordinator and the sinks of version 0.1 knew the hash of the secret; the new key of the source is no secret either.
    for (const [index, former] of [known, pinned].entries()) {
      const file = lab.path(`claim${index}.identity`);
      writeFileSync(file, `ed25519 ${"5".repeat(64)}\nformerly ${former}\n`, { mode: 0o600 });
      const session = ["--session", `claim${index}`];
      const sink = lab.sink(coordinator.address, to, session);
      const thief = lab.source(coordinator.address, from, ["--identity", file, ...session]);
      expect([(await sink.failure()).code, await sink.exit()], sink.shown()).toEqual(["source-changed", 5]);
      thief.signal("SIGKILL");
      await thief.ended;
    }
    const { source } = JSON.parse(readFileSync(facts, "utf8")) as { source: string };
    expect(source).toBe(known);
  });
});

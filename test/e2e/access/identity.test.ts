import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { SigningKey } from "../../../src/lib/crypto/signing-key.ts";
import { CliLab } from "../../helpers/processes/cli.ts";
import { makeManyFiles } from "../../helpers/trees/tree.ts";
import { copyAndCompare, E2E_MS, expectProven } from "../copying.ts";

describe("the identity of a source", { timeout: E2E_MS }, () => {
  test("goes along with a directory that was copied elsewhere, when a file takes it there", async () => {
    await using lab = await CliLab.open();
    const [from, moved, to] = [lab.path("source"), lab.path("moved"), lab.path("sink")];
    makeManyFiles(from, 20);
    const { address } = await lab.coordinator();
    await copyAndCompare(lab, { address, from, to: [to] });
    execFileSync("cp", ["-a", from, moved]);

    const sink = lab.sink(address, to);
    const stranger = lab.source(address, moved);
    expect(await sink.exit()).toBe(5);
    const { code, message } = await sink.failure();
    expect(code).toBe("source-changed");
    expect(message).toMatch(
      /with the identity [0-9a-f-]{19}, and this source has the identity [0-9a-f-]{19}\..*"fanfold identity".*--identity/,
    );
    stranger.signal("SIGKILL");

    const file = lab.path("photos.identity");
    const written = lab.start(["identity", "export", from, file], { plain: true });
    expect(await written.exit(), written.shown()).toBe(0);
    const summary = await copyAndCompare(lab, {
      ...{ address, from: moved, to: [to], session: "again" },
      sourceArgs: ["--identity", file],
    });
    expect(summary).toMatchObject({ result: "unchanged" });
  });

  test("is made and shown before the first copy, and a sink that trusts it takes its tree", async () => {
    await using lab = await CliLab.open();
    const [from, to] = [lab.path("source"), lab.path("sink")];
    makeManyFiles(from, 3);
    const before = lab.start(["identity", "show", from], { plain: true });
    expect(await before.exit(), before.shown()).toBe(0);
    expect(before.stdout).toContain("none yet: the first copy makes one, or --create");
    const show = lab.start(["identity", "show", "--create", from], { plain: true });
    expect(await show.exit(), show.shown()).toBe(0);
    const [, key = ""] = /public key +([0-9a-f]{64})$/m.exec(show.stdout) ?? [];
    const { address } = await lab.coordinator();
    const sink = lab.sink(address, to, ["--trust-source", key]);
    await expectProven(lab.source(address, from), [sink]);
  });

  test("of version 0.1 is known again by its sinks, which know it by its key from then on", async () => {
    await using lab = await CliLab.open();
    const [from, to] = [lab.path("source"), lab.path("sink")];
    makeManyFiles(from, 5);
    const { address } = await lab.coordinator();
    await copyAndCompare(lab, { address, from, to: [to] });
    const file = lab.path("photos.identity");
    const former = "ab".repeat(32);
    writeFileSync(file, former, { mode: 0o600 });
    const facts = join(to, ".fanfold/facts");
    const pinned = () => (JSON.parse(readFileSync(facts, "utf8")) as { source: string }).source;
    writeFileSync(
      facts,
      readFileSync(facts, "utf8").replace(pinned(), createHash("sha256").update(former).digest("hex")),
    );

    for (const session of ["first", "second"])
      await copyAndCompare(lab, { address, from, to: [to], session, sourceArgs: ["--identity", file] });
    const [, seed = ""] = /^ed25519 (\S+)\nformerly/.exec(readFileSync(file, "utf8")) ?? [];
    expect(pinned()).toBe(new SigningKey(seed).publicKey);
  });

  test("decides beforehand whose tree a new folder takes", async () => {
    await using lab = await CliLab.open();
    const [from, to] = [lab.path("source"), lab.path("sink")];
    makeManyFiles(from, 5);
    const { address } = await lab.coordinator();
    const file = lab.path("photos.identity");
    writeFileSync(file, `ed25519 ${"1".repeat(64)}`, { mode: 0o600 });
    const key = new SigningKey("1".repeat(64)).publicKey;

    const wary = lab.sink(address, to, ["--trust-source", key]);
    const stranger = lab.source(address, from);
    expect(await wary.exit()).toBe(5);
    expect(await wary.failure()).toMatchObject({
      code: "source-changed",
      message: expect.stringContaining("--trust-source"),
    });
    stranger.signal("SIGKILL");

    const sink = lab.sink(address, to, ["--trust-source", key, "--session", "again"]);
    const source = lab.source(address, from, ["--identity", file, "--session", "again"]);
    await expectProven(source, [sink]);
  });
});

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readOperatorPass } from "../../src/coordinator/access/local-operator.ts";
import { parseToken } from "../../src/protocol/access/token.ts";
import { startGuarded } from "../e2e/access/guarded.ts";
import { E2E_MS, expectProven } from "../e2e/copying.ts";
import { CliLab } from "../helpers/processes/cli.ts";
import { makeManyFiles } from "../helpers/trees/tree.ts";

/** All files below a folder that hold one of the texts. */
function filesWith(folder: string, texts: readonly string[]): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((file) => {
      const bytes = readFileSync(file);
      return texts.some((text) => bytes.includes(text));
    });
}

function processesBelow(pid: number): number[] {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const children = tasks.flatMap(
    (task) => readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").match(/\d+/g) ?? [],
  );
  return children.map(Number).flatMap((child) => [child, ...processesBelow(child)]);
}

describe("the secret of a token", { timeout: E2E_MS }, () => {
  test("stands in no file of anybody, no list of processes, and nothing that was printed", async () => {
    await using lab = await CliLab.open("guarded");
    const from = lab.path("source");
    makeManyFiles(from, 5);
    const coordinator = await startGuarded(lab, { args: ["--verbose"] });
    const texts = [await coordinator.token("source"), await coordinator.token("sink")];
    const secrets = texts.map((text) => parseToken(text).secret);
    const { token: pass } = readOperatorPass(coordinator.stateDir);
    const file = lab.path("given.token");
    writeFileSync(file, `${texts[1]}\n`, { mode: 0o600 });
    const sink = lab.sink(coordinator.address, lab.path("sink"), ["--verbose", "--token-file", file], {
      env: { FANFOLD_TOKEN: "" },
    });
    await sink.event("waiting");
    const source = lab.source(coordinator.address, from, ["--verbose", "--bwlimit", "4K"]);
    await source.event("started");
    const running = [coordinator.process, sink, source].flatMap(({ pid }) => [pid, ...processesBelow(pid)]);
    const lines = running.map((pid) => readFileSync(`/proc/${pid}/cmdline`, "latin1"));
    // A variable is for its own process alone, which was told so.
    const variables = running
      .filter((pid) => pid !== source.pid)
      .map((pid) => readFileSync(`/proc/${pid}/environ`, "latin1"));
    await expectProven(source, [sink]);
    const printed = [coordinator.process, sink, source].flatMap(({ stdout, stderr }) => [stdout, stderr]);
    for (const secret of [...secrets, parseToken(pass).secret])
      for (const text of [...lines, ...variables, ...printed]) expect(text).not.toContain(secret);
    const hidden = secrets.flatMap((secret) => [secret, Buffer.from(secret).toString("base64").slice(0, -4)]);
    expect(filesWith(lab.folder, hidden)).toEqual([file]);
    expect(filesWith(lab.folder, [parseToken(pass).secret])).toEqual([join(coordinator.stateDir, "local.json")]);
  });

  test("is not told back to who puts a token where something else is wanted", async () => {
    await using lab = await CliLab.open("guarded");
    makeManyFiles(lab.path("source"), 1);
    const coordinator = await startGuarded(lab);
    const token = await coordinator.token("sink");
    const cut = token.slice(0, -1);
    const { secret } = parseToken(token);
    const desk = ["--state-dir", coordinator.stateDir];
    const at = ["--coordinator", coordinator.address];
    const wrong = (text: string) => [
      ["token", "revoke", text, ...desk],
      ["token", "show", text, ...desk],
      ["token", "create", "--role", text, ...desk],
      ["token", "create", "--role", "sink", "--ttl", text, ...desk],
      ["members", "remove", text, ...desk],
      ["members", "rename", text, text, ...desk],
      ["sink", ...at, "--token-file", text, "sink"],
      ["sink", "--coordinator", text, "sink"],
      ["sink", ...at, "--trust-source", text, "sink"],
      ["sink", ...at, "--session", text, "sink"],
      ["sink", ...at, "sink", text],
      ["source", ...at, "--identity", text, "source"],
      ["source", ...at, "--dest-count", text, "source"],
      ["source", ...at, text],
      [text],
    ];
    const all = [wrong(token), wrong(cut)].flatMap((lines, which) => lines.filter((_, index) => index % 2 === which));
    for (const args of all) {
      const run = lab.start(args, { plain: true, env: { FANFOLD_TOKEN: cut } });
      expect(await run.exit(), run.shown()).not.toBe(0);
      expect((run.stdout + run.stderr).replaceAll(/\s+/g, ""), args.join(" ")).not.toContain(secret.slice(0, 12));
    }
  });
});

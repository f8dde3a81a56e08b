import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { CoordinatorEvent } from "../../../src/protocol/messages/coordinator-events.ts";
import type { SinkEvent, SourceEvent } from "../../../src/protocol/messages/events.ts";
import type { VerifyEvent } from "../../../src/protocol/messages/verify-events.ts";
import { CliLab, COMMAND } from "../../helpers/processes/cli.ts";
import { E2E_MS, expectProven } from "../copying.ts";

/** As a shell's `printf` writes it: a byte that is not UTF-8, alone. */
const ODD = String.raw`\351`;
const SURE = Buffer.from([0xe9]);

/** Node.js passes text alone to a program that it starts; a shell passes what it likes. `@` stands for the odd byte. */
function odd<Event extends { readonly type: string }>(
  lab: CliLab,
  words: readonly string[],
  { folder = ".", env = {} }: { readonly folder?: string; readonly env?: NodeJS.ProcessEnv } = {},
) {
  const said = (text: string): string => `"$(printf -- '${text.replaceAll("@", ODD)}')"`;
  const script = `cd ${said(folder)} && exec "$0" "$1" ${words.map(said).join(" ")}`;
  return lab.run<Event>("sh", ["-c", script, process.execPath, COMMAND], { env });
}

function at(lab: CliLab, name: string): Buffer {
  const parts = name.split("@").map((part) => Buffer.from(part));
  const bytes = parts.flatMap((part, index) => (index === 0 ? [part] : [SURE, part]));
  return Buffer.concat([Buffer.from(`${lab.folder}/`), ...bytes]);
}

function namesIn(lab: CliLab, name: string): readonly string[] {
  return readdirSync(at(lab, name), { encoding: "latin1" }).sort();
}

describe.concurrent("paths that are no UTF-8", { timeout: E2E_MS }, () => {
  test.each([
    ["natively", {}],
    ["without native calls", { FANFOLD_NATIVE: "0" }],
  ])("are taken byte for byte by every command, %s", async (_, env) => {
    await using lab = await CliLab.open();
    mkdirSync(at(lab, "from@"));
    mkdirSync(lab.path("home/state"), { recursive: true });
    for (const name of ["from@/kept", "from@/gone@", "from@/listed@"]) writeFileSync(at(lab, name), name);
    writeFileSync(at(lab, "list@"), Buffer.from("listed\xe9\n", "latin1"));
    const coordinator = odd<CoordinatorEvent>(lab, ["coordinator", "--json", "--port", "0", "--state-dir", "state@"]);
    const { addresses } = await coordinator.event("listening");
    const to = ["--json", "--coordinator", addresses[0] ?? ""];
    const more = ["--exclude", "gone@", "--exclude-from", "list@", "--state-dir", "own@"];
    const sink = odd<SinkEvent>(lab, ["sink", ...to, "k@"], { env });
    const source = odd<SourceEvent>(lab, ["source", ...to, ...more, "from@"]);
    await expectProven(source, [sink]);
    expect(namesIn(lab, "k@")).toEqual([".fanfold", "kept"]);
    const verify = odd<VerifyEvent>(lab, ["verify", "--json", "k@"], { env });
    expect(await verify.exit(), verify.shown()).toBe(0);
    expect(await verify.event("verifying")).toMatchObject({ folder: `${lab.folder}/k\\xe9` });
    expect(namesIn(lab, "")).toEqual(["from\xe9", "home", "k\xe9", "list\xe9", "own\xe9", "state\xe9"]);
    expect(namesIn(lab, "state@")).toContain("coordinator.db");
    expect(namesIn(lab, "own@")).toEqual(["hashes", "sources"]);
  });

  test("are taken by the working directory too", async () => {
    await using lab = await CliLab.open("open");
    for (const name of ["from@", "to@"]) mkdirSync(at(lab, name));
    writeFileSync(at(lab, "from@/file"), "content");
    const { address } = await lab.coordinator();
    const to = ["--json", "--coordinator", address];
    const sinks = [
      odd<SinkEvent>(lab, ["sink", ...to, "."], { folder: "to@" }),
      odd<SinkEvent>(lab, ["sink", ...to, "in"], { folder: "to@" }),
    ];
    await sinks[0]?.event("waiting");
    const source = odd<SourceEvent>(lab, ["source", ...to, "--dest-count", "2", "."], { folder: "from@" });
    await expectProven(source, sinks);
    for (const name of ["to@/file", "to@/in/file"]) expect(readFileSync(at(lab, name), "utf8")).toBe("content");
    expect(await odd(lab, ["verify", "--json", "."], { folder: "to@" }).exit()).toBe(0);
    expect(namesIn(lab, "")).toEqual(["from\xe9", "home", "to\xe9"]);
  });

  test("are named by their bytes in what is wrong with them", async () => {
    await using lab = await CliLab.open();
    const source = odd(lab, ["source", "--coordinator", "localhost:1", "missing@"]);
    expect(await source.exit()).toBe(8);
    expect(source.stderr).toBe('fanfold: cannot read the directory "missing\\xe9": no such directory\n');
    const name = odd(lab, ["sink", "--name", "a@", "--coordinator", "localhost:1", "to"]);
    expect(await name.exit()).toBe(2);
    expect(name.stderr).toContain('cannot read --name "a\\xe9"');
    expect(readdirSync(lab.folder)).toEqual(["home"]);
  });
});

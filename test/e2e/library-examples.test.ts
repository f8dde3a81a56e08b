import { appendFileSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { tempFolder as longLivedFolder } from "../helpers/brokers/broker-process.ts";
import { CliLab } from "../helpers/processes/cli.ts";
import type { CliProcess } from "../helpers/processes/cli-process.ts";
import { packProject, runToItsEnd } from "../helpers/processes/packed.ts";
import { makeManyFiles } from "../helpers/trees/tree.ts";
import { E2E_MS, expectCopy } from "./copying.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const EXAMPLES = readdirSync(join(ROOT, "examples")).sort();
const POLL = { timeout: E2E_MS / 2 };

describe("the examples of the library, beside the package that npm makes", { timeout: E2E_MS }, () => {
  /** Where somebody has installed the package and copied the examples. */
  let place: string;
  beforeAll(async () => {
    const { path, remove } = await longLivedFolder("examples");
    packProject(path);
    writeFileSync(join(path, "package.json"), '{ "type": "module" }');
    cpSync(join(ROOT, "examples"), join(path, "examples"), { recursive: true });
    place = path;
    return remove;
  }, E2E_MS);

  const start = (lab: CliLab, name: string, ...args: readonly string[]) =>
    lab.run(process.execPath, [join(place, "examples", name), ...args], { plain: true });
  const says = (process: CliProcess<never>, text: RegExp) =>
    expect.poll(() => process.stdout + process.stderr, POLL).toMatch(text);

  test("fit the types of the package", () => {
    const compilerOptions = {
      ...{ target: "es2024", lib: ["es2024", "esnext.disposable"], module: "nodenext", types: ["node"] },
      ...{ strict: true, exactOptionalPropertyTypes: true, noPropertyAccessFromIndexSignature: true, noEmit: true },
      ...{ noUncheckedIndexedAccess: true, erasableSyntaxOnly: true },
    };
    writeFileSync(join(place, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["examples"] }));
    const compiler = join(ROOT, "node_modules/typescript/bin/tsc");
    expect(runToItsEnd(process.execPath, [compiler, "-p", "."], place)).toBe("");
  });

  test("are all on the page about the library", () => {
    const page = readFileSync(join(ROOT, "docs/library.md"), "utf8");
    expect(EXAMPLES).toEqual(["cancel.ts", "coordinator.ts", "copy.ts", "sink.ts", "verify.ts"]);
    for (const name of EXAMPLES) expect(page).toContain(`(../examples/${name})`);
  });

  test("copy.ts copies, and verify.ts finds what was changed later", async () => {
    await using lab = await CliLab.open("open");
    const from = lab.path("from");
    mkdirSync(from);
    for (const name of ["a", "b"]) writeFileSync(join(from, name), "content");
    const [one, two] = [lab.path("one"), lab.path("two")];
    const copy = start(lab, "copy.ts", from, one, two);
    expect(await copy.exit(), copy.shown()).toBe(0);
    expect(copy.stdout.match(/: proven$/gm)).toHaveLength(2);
    for (const folder of [one, two]) await expectCopy(from, folder);
    const good = start(lab, "verify.ts", one);
    expect(await good.exit(), good.shown()).toBe(0);
    expect(good.stdout).toBe("2 files: equal\n");
    appendFileSync(join(one, "b"), "x");
    const bad = start(lab, "verify.ts", one);
    expect(await bad.exit(), bad.shown()).toBe(1);
    expect(bad.stdout).toMatch(/^b: size.*\n2 files: differs\n$/);
  });

  test("coordinator.ts and sink.ts serve a source, and end when they are told to", async () => {
    await using lab = await CliLab.open("open");
    const from = lab.path("from");
    makeManyFiles(from, 4);
    const hub = start(lab, "coordinator.ts");
    await says(hub as CliProcess<never>, /^listening at \S+:\d+$/m);
    const [, address = ""] = /^listening at (\S+)$/m.exec(hub.stdout) ?? [];
    const sink = start(lab, "sink.ts", address, lab.path("copy"));
    const source = lab.source(address, from);
    expect(await source.exit(), source.shown()).toBe(0);
    await says(sink as CliProcess<never>, /^proven after \d+ ms$/m);
    await expectCopy(from, lab.path("copy"));
    await says(hub as CliProcess<never>, /^session default: complete, 4 files to 1 sinks$/m);
    for (const each of [sink, hub]) {
      each.signal("SIGTERM");
      expect(await each.exit(), each.shown()).toBe(0);
    }
  });

  test("cancel.ts ends the session of its own source, and says why it cannot end another", async () => {
    await using lab = await CliLab.open("open");
    const [from, other] = [lab.path("from"), lab.path("other")];
    makeManyFiles(from, 2);
    mkdirSync(other);
    const { address } = await lab.coordinator();
    const source = lab.source(address, from, ["--dest-count", "2"]);
    await source.event("waiting");
    const wrong = start(lab, "cancel.ts", address, other);
    expect(await wrong.exit(), wrong.shown()).toBe(1);
    expect(wrong.stderr).toMatch(/^[a-z-]+: cannot /m);
    const right = start(lab, "cancel.ts", address, from);
    expect(await right.exit(), right.shown()).toBe(0);
    expect(right.stdout).toBe("session default is cancelled\n");
    expect((await source.failure()).code).toBe("cancelled");
  });
});

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { manPages, withManPages } from "../../scripts/docs/man-pages.ts";
import { roff } from "../../scripts/docs/roff.ts";
import { createProgram } from "../../src/cli/commands/program.ts";
import { visible } from "../../src/cli/completion/completion-model.ts";
import { memoryIo } from "../cli/terminal/memory-io.ts";
import { programsAvailable } from "../helpers/processes/programs.ts";

const pages = manPages();
const commands = visible(createProgram(memoryIo(), () => undefined));

test("there is a page for every command, with all of its options, in the build too", () => {
  expect([...pages.keys()].sort()).toEqual(
    ["fanfold.1", ...commands.map((command) => `fanfold-${command.name()}.1`)].sort(),
  );
  for (const command of commands) {
    const text = pages.get(`fanfold-${command.name()}.1`) ?? "";
    for (const each of [command, ...command.commands].filter(({ commands: below }) => below.length === 0))
      for (const { long } of each.options) expect(text).toContain(roff(long ?? ""));
  }
  const folder = new URL("../../dist/man/", import.meta.url);
  for (const name of readdirSync(folder)) expect(readFileSync(new URL(name, folder), "utf8")).toBe(pages.get(name));
  expect(readdirSync(folder).length).toBe(pages.size);
});

test("package.json names all of them: `npm run docs` writes the list", () => {
  const settings = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  expect(settings).toContain('"./dist/man/fanfold-source.1"');
  expect(withManPages(settings)).toBe(settings);
});

test("what looks like a request of roff is text", () => {
  expect(roff(".so /etc/passwd\n'x' \\fB --a ~ é")).toBe(
    "\\&.so /etc/passwd\n\\(aqx\\(aq \\efB \\-\\-a \\(ti \\[u00E9]",
  );
});

describe.skipIf(!programsAvailable("mandoc"))("mandoc", () => {
  test("finds nothing wrong in any page, and shows the options", () => {
    const folder = mkdtempSync(join(tmpdir(), "fanfold-man-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    for (const [name, text] of pages) writeFileSync(join(folder, name), text);
    const files = [...pages.keys()].map((name) => join(folder, name));
    const { stdout } = spawnSync("mandoc", ["-T", "lint", "-W", "warning", ...files], { encoding: "utf8" });
    // A date would make each build another one.
    expect(stdout.split("\n").filter((line) => line !== "" && !line.includes("missing date"))).toEqual([]);
    const { stdout: shown } = spawnSync("mandoc", ["-T", "ascii", join(folder, "fanfold-source.1")], {
      encoding: "utf8",
    });
    expect(shown.replaceAll(/.\u0008/g, "")).toMatch(/--dest-count count\n +start when this many sinks are registered/);
  });
});

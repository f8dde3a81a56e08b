import { spawnSync } from "node:child_process";
import { copyFileSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createProgram } from "../../src/cli/commands/program.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { findProgram } from "../helpers/brokers/broker-programs.ts";
import { tempFolder } from "../helpers/disks/temp-folder.ts";

const FOLDER = new URL("../../packaging/systemd/", import.meta.url).pathname;
const HAS_SYSTEMD = findProgram("systemd-analyze") !== undefined;
if (!HAS_SYSTEMD) console.warn("SKIPPED systemd's own look at its units. Not installed: systemd-analyze");
const UNITS = readdirSync(FOLDER).filter((name) => name.endsWith(".service"));

describe.each(UNITS)("%s", (unit) => {
  const text = readFileSync(join(FOLDER, unit), "utf8");

  test("starts a command with options that it has", () => {
    const [, name = "", words = ""] = /^ExecStart=\/usr\/bin\/env fanfold (\S+) (.*)$/m.exec(text) ?? [];
    const used = words.split(" ").filter((word) => word.startsWith("-"));
    expect(used.length).toBeGreaterThan(0);
    expect(optionsOf(name)).toEqual(expect.arrayContaining(used));
  });

  test.skipIf(!HAS_SYSTEMD)("is one that systemd takes", () => {
    // A template is looked at as one of its instances.
    const file = join(tempFolder(), unit.replace("@.", "@photos."));
    copyFileSync(join(FOLDER, unit), file);
    const { status, stdout, stderr } = spawnSync("systemd-analyze", ["verify", file], { encoding: "utf8" });
    expect([status, stdout + stderr]).toEqual([0, ""]);
  });
});

test("docker-compose.yml starts coordinators with options that they have", () => {
  const compose = readFileSync(new URL("../../docker-compose.yml", import.meta.url), "utf8");
  const commands = [...compose.matchAll(/^ {6}- coordinator\n((?: {6}- .*\n)+)/gm)].map(([, words = ""]) => words);
  expect(commands).toHaveLength(2);
  for (const words of commands) {
    const used = words.match(/--[a-z-]+/g) ?? [];
    expect(optionsOf("coordinator")).toEqual(expect.arrayContaining(used));
  }
});

function optionsOf(name: string): readonly (string | undefined)[] {
  const output = { write: () => true };
  const program = createProgram({ stdout: output, stderr: output, env: {}, clock: systemClock }, () => undefined);
  const command = program.commands.find((each) => each.name() === name);
  return command?.options.map(({ long }) => long) ?? [];
}

import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { createProgram } from "../../../src/cli/commands/program.ts";
import {
  isRepeatable,
  isSwitch,
  keyOf,
  settableCommands,
  settableOptions,
  variableOf,
  wordsOf,
} from "../../../src/cli/configuration/option-keys.ts";
import { memoryIo } from "../terminal/memory-io.ts";
import { ConfigLab } from "./config-lab.ts";

const commands = settableCommands(createProgram(memoryIo(), () => undefined));

async function findings(text: string): Promise<string[]> {
  using lab = new ConfigLab();
  const file = lab.write(text);
  const { err, status } = await lab.run(["config", "check", file]);
  expect(status).toBe(err === "" ? 0 : 35);
  return err.replaceAll(`${file}:`, "").split("\n").slice(0, -1);
}

describe("what a file may say", () => {
  test.each([
    ['sesion = "x"', '1: found the unknown key "sesion"; did you mean "session"?'],
    [
      "[source]\n\ndest_count = 2",
      '3: found the unknown key "dest_count" of "fanfold source"; did you mean "dest-count"?',
    ],
    ["[source]\nstay = true", '2: found the unknown key "stay" of "fanfold source"; it is an option of "fanfold sink"'],
    ["[sink]\ndelete = false", '"no-delete = true" is what switches it off'],
    ["[profile.p.sauce]\nwait = '1s'", '1: found the unknown table "sauce"; did you mean "source"?'],
    ['[source]\nwait = "30"', '2: "wait": cannot read --wait "30": found no unit; write 30s for seconds'],
    ['links = "all"', '1: "links": cannot read --links "all": want one of keep, safe, skip'],
    ['delete = "yes"', '1: "delete": found a text, want true or false'],
    ["session = true", '1: "session": found true or false, want a text or a number'],
    ["session = 2026-11-29", '1: "session": found a date'],
    ['session = ["a"]', '1: "session": found an array, want one value'],
    ["[source]\ncancel = true", '2: found the unknown key "cancel" of "fanfold source"; it can only be typed'],
    ['config = "x"', "it can only be typed"],
    ["directory = 3", '1: "directory": found a number, want a path'],
    ["[[profile]]\nx = 1", "1: found an array, want a table for each profile: [profile.NAME]"],
    ["profile.photos = 1", "1: found a number, want a table: [profile.photos]"],
    ["[config.show]\njson = true", '1: found the unknown table "config"'],
    ["__proto__ = 1\n[constructor]\n[profile.__proto__]\ntoString = 1", '1: found the unknown key "__proto__"'],
    ["[all.source]\nwait = '1s'", '1: found the unknown table "source"'],
    ["a.b.c = 1", '1: found the unknown table "a"'],
  ])("%j is told as %j", async (text, part) => {
    expect((await findings(text)).join("\n")).toContain(part);
  });

  test("names all that is wrong, in order; a command names the first and says how many there are", async () => {
    const text = 'wait = "3"\n[sink]\nx = 1\n[source]\ny = 2\n';
    expect((await findings(text)).map((line) => line.split(":")[0])).toEqual(["1", "3", "5"]);
    using lab = new ConfigLab();
    const { err, status } = await lab.run(["sink", "--config", lab.write(text), "folder"]);
    expect(status).toBe(35);
    expect(err).toMatch(/line 1: "wait": .* \(and 2 more: fanfold config check FILE names all\)\n$/);
  });

  test("a token in it is refused and never shown", async () => {
    const token = "ff1_sink_abcdefghijklmnopqrstuvwxyz234567";
    for (const text of [
      `token = "${token}"`,
      `name = "${token}"`,
      `[source]\nreceipt = "${token}"`,
      `"${token}" = 1`,
      token,
    ]) {
      const told = (await findings(text)).join("\n");
      expect(told).not.toBe("");
      expect(told).not.toContain("klmnop");
    }
    expect((await findings(`name = "${token}"`)).join()).toContain("name that with token-file");
  });

  test("every option of every command can stand in a file, under its own name", async () => {
    using lab = new ConfigLab();
    for (const command of commands) {
      const switches = settableOptions(command).filter(isSwitch);
      const lines = switches.map((option) => `${keyOf(option)} = false`);
      const file = lab.write(`[${wordsOf(command).join(".")}]\n${lines.join("\n")}`);
      expect(await lab.run(["config", "check", file])).toMatchObject({ status: 0, err: "" });
      const shown = await lab.show([...wordsOf(command), "--config", file]);
      for (const option of switches)
        expect(shown.get(`--${keyOf(option)}`)).toMatchObject({ from: "file", value: false });
    }
  });

  test("no two options of a command share a variable, and those that take several values say so", () => {
    for (const command of commands) {
      const variables = settableOptions(command).map(variableOf);
      expect(new Set(variables).size).toBe(variables.length);
      for (const option of settableOptions(command).filter((each) => !isSwitch(each) && !isRepeatable(each)))
        expect(
          (option.parseArg ?? (() => 0)).length,
          `${option.flags} collects, and does not say (repeatable)`,
        ).toBeLessThan(option.argChoices === undefined ? 2 : 3);
    }
  });
});

describe("a file that cannot be one", () => {
  const hostile: Record<string, (lab: ConfigLab) => string> = {
    "it is not text in UTF-8": (lab) => lab.write(Uint8Array.of(0x61, 0x3d, 0xff, 0xfe)),
    "it has more than 256 KiB": (lab) => lab.write("# much\n".repeat(1_500_000)),
    "found a directory": (lab) => {
      mkdirSync(lab.path("directory"));
      return lab.path("directory");
    },
    "found something else": (lab) => {
      execFileSync("mkfifo", [lab.path("pipe")]);
      return lab.path("pipe");
    },
    "no such file": (lab) => lab.path("nothing"),
    "line 1: it is not TOML": (lab) => lab.write(`a = ${"[".repeat(100_000)}`),
    "line 3: it is not TOML (column 5)": (lab) => lab.write("[source]\n\na = b"),
    "line 1: it is not TOML (column": (lab) => lab.write("\0\u0001\u001b[2J"),
    "line 2: it is not TOML": (lab) => lab.write("a = 1\na = 2"),
    "write the key under [all]": (lab) => lab.write('coordinator = "x"\n[coordinator]\nport = 1'),
  };

  test.each(Object.entries(hostile))("%s", async (part, make) => {
    using lab = new ConfigLab();
    const { status, err } = await lab.run(["sink", "--config", make(lab), "folder"]);
    expect(status).toBe(35);
    expect(err).toContain(part);
    expect(err).toMatch(/^fanfold: cannot (use|read) the configuration [^\n]+\n$/);
    expect(err).not.toContain("\u001b");
  });

  test("keys of enormous depth and number take no time", async () => {
    const deep = `[${"a.".repeat(60_000)}a]\n${Array.from({ length: 10_000 }, (_, at) => `k${at}=1`).join("\n")}`;
    expect((await findings(deep)).length).toBe(1);
    expect((await findings(`${"a.".repeat(120_000)}a = 1`)).length).toBe(1);
  });
});

describe("a file that others may write", () => {
  test("is refused where nobody named it, as ssh does, and read where somebody did", async () => {
    using lab = new ConfigLab();
    chmodSync(lab.writeUser('name = "x"'), 0o664);
    const { status, err } = await lab.run(["config", "show", "sink"]);
    expect({ status, err }).toEqual({
      status: 35,
      err: expect.stringContaining("others may write it (mode 664); chmod go-w it"),
    });
    expect((await lab.show(["sink", "--config", lab.user])).get("--name")?.value).toBe("x");
    expect((await lab.run(["config", "check", lab.user])).err).toContain("warning");
  });

  test("must not name a program, wherever it is", async () => {
    using lab = new ConfigLab();
    const file = lab.write('on-end = "./tell"');
    const shown = await lab.show(["coordinator", "--config", file]);
    expect(shown.get("--on-end")?.value).toBe(`${lab.folder}/./tell`);
    chmodSync(file, 0o666);
    const { status, err } = await lab.run(["coordinator", "--config", file]);
    expect({ status, err }).toEqual({
      status: 35,
      err: expect.stringContaining('"on-end": it is a program to run, but of this file others may write it (mode 666)'),
    });
  });

  test.runIf(process.getuid?.() === 0)("is one that belongs to somebody else, too", async () => {
    using lab = new ConfigLab();
    chownSync(lab.writeUser('name = "x"'), 1234, 1234);
    expect((await lab.run(["config", "show", "sink"])).err).toContain("it belongs to another user (number 1234)");
  });
});

test("a profile that is not there is named, with the one that was meant", async () => {
  using lab = new ConfigLab();
  lab.writeUser("[profile.photos]");
  const { status, err } = await lab.run(["source", "--profile", "photo"]);
  expect({ status, err }).toEqual({
    status: 35,
    err: expect.stringMatching(/profile "photo": .* did you mean "photos"\?\n$/),
  });
  expect((await lab.run(["source", "--profile", "x", "--config", "/dev/null"])).err).toContain(
    "there is no configuration file",
  );
});

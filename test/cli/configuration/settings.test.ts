import { homedir } from "node:os";
import { describe, expect, test } from "vitest";
import { ConfigLab } from "./config-lab.ts";

describe("where an option comes from", () => {
  const FILE = `
name = "top"
[all]
session = "everybody"
name = "all"
[source]
session = "table"
[profile.p]
session = "profile"
[profile.p.source]
session = "inner"
`;

  test.each([
    [["source", "--session", "typed", "--profile", "p"], { FANFOLD_SESSION: "variable" }, "typed", { from: "flag" }],
    [["source", "--profile", "p"], { FANFOLD_SESSION: "variable" }, "variable", { variable: "FANFOLD_SESSION" }],
    [["source", "--profile", "p"], { FANFOLD_SESSION: "" }, "inner", { line: 11 }],
    [["sink", "--profile", "p"], {}, "profile", { line: 9 }],
    [["sink"], { FANFOLD_PROFILE: "p" }, "profile", { line: 9 }],
    [["source"], {}, "table", { line: 7 }],
    [["sink"], {}, "everybody", { line: 4 }],
  ])("%j with %j has %j", async (args, env, value, origin) => {
    using lab = new ConfigLab();
    lab.writeUser(FILE);
    expect((await lab.show(args, env)).get("--session")).toMatchObject({ value, ...origin });
  });

  test("a key under [all] counts more than one at the top", async () => {
    using lab = new ConfigLab();
    lab.writeUser('name = "top"\n[all]\nname = "all"\n[profile.p]\nsession = "x"\n[profile.p.all]\nname = "inner"');
    expect((await lab.show(["sink"])).get("--name")).toMatchObject({ value: "all", line: 3 });
    expect((await lab.show(["sink", "--profile", "p"])).get("--name")).toMatchObject({ value: "inner", line: 7 });
  });

  test("a named file counts alone, by flag and by variable", async () => {
    using lab = new ConfigLab();
    lab.writeUser('session = "user"\nname = "user"');
    const file = lab.write('session = "named"');
    for (const options of [
      await lab.show(["sink", "--config", file]),
      await lab.show(["sink"], { FANFOLD_CONFIG: file }),
    ]) {
      expect(options.get("--session")).toMatchObject({ value: "named", file, line: 1 });
      expect(options.get("--name")).toMatchObject({ from: "default" });
    }
    expect((await lab.show(["sink"], { FANFOLD_CONFIG: "/dev/null" })).get("--name")).toMatchObject({
      from: "default",
    });
  });

  test("false takes back what a lower place says, and what is typed takes back all", async () => {
    using lab = new ConfigLab();
    lab.writeUser("delete = true\n[profile.p]\ndelete = false");
    expect((await lab.show(["source"])).get("--delete")).toMatchObject({ value: true });
    expect((await lab.show(["source", "--profile", "p"])).get("--delete")).toMatchObject({ value: false, line: 3 });
    expect((await lab.show(["source"], { FANFOLD_DELETE: "no" })).get("--delete")).toMatchObject({ value: false });
    expect((await lab.show(["source", "--delete=false"])).get("--delete")).toMatchObject({ value: false });
    expect((await lab.show(["source", "--delete=true", "--profile", "p"])).get("--delete")).toMatchObject({
      value: true,
      from: "flag",
    });
  });

  test("an array is replaced as a whole, and the filters are one array", async () => {
    using lab = new ConfigLab();
    lab.writeUser('expect = ["a", "b"]\ninclude = ["keep"]\nexclude = ["*.tmp"]');
    const fromFile = await lab.show(["source"]);
    expect(fromFile.get("--expect")?.value).toEqual(["a", "b"]);
    expect(fromFile.get("--include")?.value).toBe("keep");
    const typed = await lab.show(["source", "--expect", "c", "--exclude", "/x"]);
    expect(typed.get("--expect")).toMatchObject({ value: "c", instead: [{ line: 1 }] });
    expect(typed.get("--include")).toMatchObject({ from: "default", instead: [{ line: 2 }] });
    expect((await lab.show(["source"], { FANFOLD_EXCLUDE: "a b\nc" })).get("--exclude")?.value).toEqual(["a b", "c"]);
  });

  test("what cannot be used with something weightier is left out; of one place it is refused", async () => {
    using lab = new ConfigLab();
    lab.writeUser("json = true\n[profile.p]\nquiet = true\n[profile.q]\nquiet = true\nverbose = true");
    expect((await lab.show(["source", "--verbose", "--quiet=false"])).get("--json")?.value).toBe(true);
    expect((await lab.show(["source", "--quiet"])).get("--json")?.value).toBe(false);
    expect((await lab.show(["source", "--profile", "p"])).get("--json")?.value).toBe(false);
    const { status, err } = await lab.run(["config", "show", "source", "--profile", "q"]);
    expect({ status, err }).toEqual({
      status: 35,
      err: expect.stringContaining('line 6: "verbose": it cannot be used together with "quiet"'),
    });
  });

  test("a token of the environment counts more than a file of a token that a configuration names", async () => {
    using lab = new ConfigLab();
    const file = lab.writeUser('token-file = "secret"');
    expect((await lab.show(["sink"])).get("--token-file")?.value).toBe(file.replace("fanfold.toml", "secret"));
    const variable = await lab.show(["sink"], { FANFOLD_TOKEN: "x" });
    expect(variable.get("--token-file")).toMatchObject({ from: "default", instead: [{ line: 1 }] });
    expect((await lab.show(["sink", "--token-file", "typed"], { FANFOLD_TOKEN: "x" })).get("--token-file")?.value).toBe(
      "typed",
    );
  });

  test("folders are those of the profile, unless they are typed", async () => {
    using lab = new ConfigLab();
    const file = lab.writeUser('[profile.p]\ndirectory = "photos"\nfolder = "/backup"');
    expect((await lab.show(["source", "--profile", "p"])).get("DIR")).toMatchObject({
      value: file.replace("fanfold.toml", "photos"),
      line: 2,
    });
    expect((await lab.show(["sink", "--profile", "p"])).get("FOLDER")?.value).toBe("/backup");
    expect((await lab.show(["source", "--profile", "p", "typed"])).get("DIR")).toMatchObject({
      value: "typed",
      from: "flag",
    });
    expect((await lab.run(["source"])).err).toContain("missing required argument 'dir'");
  });
});

test("a program to run is a path, but for a name alone", async () => {
  using lab = new ConfigLab();
  const shownFor = async (program: string): Promise<unknown> => {
    const file = lab.write(`[coordinator]\non-end = "${program}"`);
    return (await lab.show(["coordinator", "--config", file])).get("--on-end")?.value;
  };
  expect(await shownFor("tell/mail")).toBe(lab.path("tell/mail"));
  expect(await shownFor("~/mail")).toBe(`${homedir()}/mail`);
  expect(await shownFor("/bin/mail")).toBe("/bin/mail");
  expect(await shownFor("mail")).toBe("mail");
});

describe("the environment", () => {
  test("a wrong value is refused with the name of its variable", async () => {
    using lab = new ConfigLab();
    const refused = async (args: readonly string[], env: Readonly<Record<string, string>>, part: string) => {
      const { status, err } = await lab.run(args, env);
      expect({ status, err }).toEqual({ status: 2, err: expect.stringContaining(part) });
    };
    await refused(["source", "x"], { FANFOLD_WAIT: "5" }, "FANFOLD_WAIT: cannot read --wait");
    await refused(
      ["source", "x"],
      { FANFOLD_LINKS: "some" },
      'FANFOLD_LINKS: cannot read --links "some": want one of keep,',
    );
    await refused(["sink", "x"], { FANFOLD_STAY: "maybe" }, 'FANFOLD_STAY: found "maybe", want true or false');
  });

  test("the address that Kubernetes sets for a service is no port, and an option that is only typed has no variable", async () => {
    using lab = new ConfigLab();
    const options = await lab.show(["coordinator"], { FANFOLD_PORT: "tcp://10.0.0.1:7337" });
    expect(options.get("--port")).toMatchObject({ value: "7337", from: "default" });
    expect((await lab.show(["source"], { FANFOLD_CANCEL: "1" })).has("--cancel")).toBe(false);
  });

  test("a variable with a slip in its name is told", async () => {
    using lab = new ConfigLab();
    const { err } = await lab.run(["config", "show"], { FANFOLD_SESION: "x", FANFOLD_ELEPHANT: "x" });
    expect(err).toBe("fanfold: warning: FANFOLD_SESION is the variable of no option; did you mean FANFOLD_SESSION?\n");
  });

  test("help and version do not look at wrong settings", async () => {
    using lab = new ConfigLab();
    lab.writeUser("nonsense = ");
    for (const args of [["source", "--help"], ["--version"], ["help", "sink"], ["config", "show", "--help"]])
      expect((await lab.run(args, { FANFOLD_WAIT: "5" })).status).toBe(0);
    expect((await lab.run(["source", "x"])).status).toBe(35);
  });
});

import { describe, expect, test } from "vitest";
import { createProgram } from "../../../src/cli/commands/program.ts";
import { main } from "../../../src/cli/main.ts";
import { memoryIo } from "../terminal/memory-io.ts";

async function run(args: readonly string[], env = {}): Promise<{ status: number; out: string; err: string }> {
  const io = memoryIo(env);
  const status = await main(args, io);
  return { status, out: io.stdout.text, err: io.stderr.text };
}

describe("main()", () => {
  test.each(["--help", "coordinator --help", "source --help", "sink --help", "verify --help", "help source"])(
    "prints help with examples for %j and ends with 0",
    async (args) => {
      const { status, out, err } = await run(args.split(" "));
      expect(status).toBe(0);
      expect(out).toContain("Usage: fanfold");
      expect(out).toContain("Examples:");
      expect(err).toBe("");
    },
  );

  test.each(["--help", "coordinator --help", "source --help", "sink --help", "verify --help"])(
    "fits the help of %j into 80 columns, and into fewer without breaking a word that fits",
    async (args) => {
      const lines = (await run(args.split(" "))).out.split("\n");
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
      const io = memoryIo();
      Object.assign(io.stdout, { isTTY: true, columns: 60 });
      await main(args.split(" "), io);
      // A word that is wider than its column stands alone.
      for (const line of io.stdout.lines) if (line.length > 60) expect(line.trim()).not.toContain(" ");
    },
  );

  test.each([
    ["--help", "fanfold COMMAND --help"],
    ["token --help", "fanfold token COMMAND --help"],
    ["help members", "fanfold members COMMAND --help"],
  ])("the last line of the help of %j says how to get that of a command", async (args, command) => {
    const { out } = await run(args.split(" "));
    expect(out.trimEnd().split("\n").at(-1)).toBe(`Use "${command}" for the options of a command.`);
  });

  const everyName = createProgram(memoryIo(), () => undefined).commands.map((command) => command.name());
  test.each(everyName)("makes %j alone where it is asked for, the same as among all commands", (name) => {
    const [whole, alone] = [undefined, name].map((asked) => createProgram(memoryIo(), () => undefined, { asked }));
    const helpIn = (program = whole) => program?.commands.find((command) => command.name() === name)?.helpInformation();
    expect(helpIn(alone)).toBe(helpIn(whole));
    expect(alone?.commands.length).toBeLessThanOrEqual(3);
    expect(whole?.commands.length).toBe(everyName.length);
  });

  test("--version prints the version alone", async () => {
    expect(await run(["--version"])).toEqual({ status: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), err: "" });
  });

  test.each([
    ["sorce", "source"],
    ["source --dest-cont 3 dir", "--dest-count"],
    ["source", "dir"],
    ["source a b", "too many arguments"],
    ["source --dest-count 0 dir", "from 1 to 256"],
    ["source --dest-count", "--dest-count"],
    ["source --wait-timeout 30 dir", "write 30s"],
    ["source --coordinator host:notaport dir", "host:notaport"],
    ["source --session ../x dir", "--session"],
    ["source -q -v dir", "cannot be used with"],
    ["sink --name= folder", "--name"],
    ["verify", "folder"],
    ["verify --name x folder", "--name"],
    ["coordinator --port 65536", "from 0 to 65535"],
    ["coordinator --broker http://x", "embedded"],
    ["coordinator --broker-credentials /nowhere/file", "no such file"],
  ])("answers %j with one line on standard error and 2", async (args, part) => {
    const { status, out, err } = await run(args.split(" "));
    expect(status).toBe(2);
    expect(out).toBe("");
    // What a coordinator says has the time.
    expect(err).toMatch(/^(\S+Z )?fanfold: [^\n]+\n$/);
    expect(err).toContain(part);
  });

  test("without a command shows the help on standard error and ends with 2", async () => {
    const { status, err } = await run([]);
    expect(status).toBe(2);
    expect(err).toContain("Usage: fanfold");
  });

  test("the help of a command that takes settings says so once; that of others does not", async () => {
    for (const command of ["source", "coordinator", "token create", "receipt verify"])
      expect((await run([...command.split(" "), "--help"])).out.split("FANFOLD_SOME_NAME").length).toBe(2);
    for (const command of ["config show", "config"])
      expect((await run([...command.split(" "), "--help"])).out).not.toContain("FANFOLD_SOME_NAME");
  });

  test("--json says a usage error as an object, too", async () => {
    const { out } = await run(["coordinator", "--json", "--broker", "http://x"]);
    expect(JSON.parse(out)).toMatchObject({ type: "error", code: "usage" });
  });

  test("never shows the password of a broker that it refuses", async () => {
    const { err } = await run(["coordinator", "--broker", "http://user:secret@host"]);
    expect(err).not.toContain("secret");
  });
});

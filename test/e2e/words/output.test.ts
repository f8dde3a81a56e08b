import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, linkSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { CliLab, COMMAND } from "../../helpers/processes/cli.ts";
import { permissionsTestable, programsAvailable } from "../../helpers/processes/programs.ts";
import { makeLongTree, makeManyFiles, makeSparseFile } from "../../helpers/trees/tree.ts";
import { expectEqualTrees, expectWholeFiles } from "../../helpers/trees/tree-judge.ts";
import { copyAndCompare, E2E_MS, expectDocumentedEvents } from "../copying.ts";

const ODD = "\u001b]0;title\u0007\u001b[5;31mred\nline";
const ODD_ESCAPED = "\\x1b]0;title\\x07\\x1b[5;31mred\\nline";

describe.concurrent("what people and programs are told", { timeout: E2E_MS }, () => {
  test("with --json every line of every program is a documented event, and progress is true", async () => {
    await using lab = await CliLab.open();
    const from = lab.path("source");
    makeLongTree(from, { files: 5, mibEach: 16 });
    makeManyFiles(lab.path("source", "small"), 2000);
    const { address, process: coordinator } = await lab.coordinator();
    const to = [lab.path("one"), lab.path("two")];
    // Progress and names are checked there, for each process.
    const summary = await copyAndCompare(lab, { address, from, to });
    const ended = await coordinator.event("finished");
    // The coordinator gets each receipt from its sink.
    expect(ended.summary).toEqual({ ...summary, sinks: summary.sinks.map(({ receipt: _, ...sink }) => sink) });
    coordinator.signal("SIGTERM");
    await coordinator.exit();
    expectDocumentedEvents(coordinator);
    const types = new Set(coordinator.events.map(({ type }) => type));
    expect([...types].sort()).toEqual(expect.arrayContaining(["finished", "listening", "registered", "session"]));
    for (const event of coordinator.events) {
      if (event.type !== "session" || event.view.progress === undefined) continue;
      expect(event.view.progress.bytesDone).toBeLessThanOrEqual(event.view.progress.bytesFound);
      for (const sink of event.view.sinks)
        expect(sink.progress.bytesDone).toBeLessThanOrEqual(80 * 1024 * 1024 + 2000 * 300);
    }
  });

  test("with --quiet a copy that goes well prints nothing", async () => {
    await using lab = await CliLab.open();
    makeManyFiles(lab.path("source"), 50);
    const { address } = await lab.coordinator();
    const sink = lab.sink(address, lab.path("sink"), ["--quiet"], { plain: true });
    const source = lab.source(address, lab.path("source"), ["--quiet"], { plain: true });
    expect([await source.exit(), await sink.exit()]).toEqual([0, 0]);
    for (const process of [source, sink] as const) expect([process.stdout, process.stderr]).toEqual(["", ""]);
    await expectEqualTrees(lab.path("source"), lab.path("sink"));
  });

  test("without a terminal a copy is told in plain lines, without escape codes", async () => {
    await using lab = await CliLab.open();
    makeManyFiles(lab.path("source"), 50);
    writeFileSync(`${lab.path("source")}/${ODD}`, "");
    const { address } = await lab.coordinator();
    const sink = lab.sink(address, lab.path("sink"), ["--name", "alpha", "--verbose"], { plain: true });
    const source = lab.source(address, lab.path("source"), ["--verbose"], { plain: true });
    expect([await source.exit(), await sink.exit()]).toEqual([0, 0]);
    expect(source.stdout).toMatch(/waiting for sinks|started with sink alpha/);
    expect(source.stdout).toMatch(/complete: 51 files, .* to 1 sink in /);
    expect(sink.stdout).toMatch(/proven: 51 files/);
    for (const process of [source, sink] as const) {
      expect(process.stdout).toContain(ODD_ESCAPED);
      expect(process.stdout + process.stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
    }
  });

  test("at its end waits for a reader that is slow", async () => {
    await using lab = await CliLab.open();
    makeManyFiles(lab.path("source"), 2000);
    const { address } = await lab.coordinator();
    const sink = lab.sink(address, lab.path("sink"));
    // More is printed than a pipe holds, and nothing of it is read before the session and the grace for what lingers are over.
    const words = [process.execPath, COMMAND, "source", "--json", "--coordinator", address, lab.path("source")];
    const source = lab.run("sh", ["-c", '"$@" | (sleep 6; cat)', "sh", ...words]);
    expect([await sink.exit(), await source.exit()]).toEqual([0, 0]);
    expect(source.events.filter(({ type }) => type === "file")).toHaveLength(2000);
    expect(source.events.some(({ type }) => type === "finished")).toBe(true);
  });

  test.skipIf(!programsAvailable("script"))("on a terminal names of files cannot send it anything", async () => {
    await using lab = await CliLab.open();
    makeManyFiles(lab.path("source"), 50);
    writeFileSync(`${lab.path("source")}/${ODD}`, "");
    const { address } = await lab.coordinator();
    const sink = lab.sink(address, lab.path("sink"), ["--name", "alpha"]);
    const command = [process.execPath, COMMAND, "source", "--verbose", "--coordinator", address, lab.path("source")];
    const quoted = command.map((word) => `'${word}'`).join(" ");
    // `script` gives it a terminal of its own, and passes on every byte that it gets.
    const terminal = lab.run("script", ["-qec", `stty cols 100 rows 30; exec ${quoted}`, "/dev/null"], {
      plain: true,
      env: { TERM: "xterm-256color" },
    });
    expect([await terminal.exit(), await sink.exit()]).toEqual([0, 0]);
    // It is a terminal: fanfold moves its cursor.
    expect(terminal.stdout).toContain("\u001b[");
    expect(terminal.stdout).toContain(ODD_ESCAPED);
    expect(terminal.stdout).toContain("complete");
    expect(terminal.stdout).not.toContain("\u001b]0;");
    expect(terminal.stdout).not.toContain("\u0007");
    expect(terminal.stdout).not.toContain("\u001b[5;31m");
  });

  test("kinds of entries that are not carried are counted by name at the end", async () => {
    await using lab = await CliLab.open();
    const from = lab.path("source");
    makeManyFiles(from, 5);
    execFileSync("mkfifo", [`${from}/fifo 1`, `${from}/fifo 2`]);
    const server = createServer().listen(`${from}/socket`);
    await once(server, "listening");
    linkSync(`${from}/d0/f1`, `${from}/hard link`);
    makeSparseFile(`${from}/sparse`, 10_000_000);
    const { address } = await lab.coordinator();
    const sink = lab.sink(address, lab.path("sink"));
    const source = lab.source(address, from, [], { plain: true });
    expect([await source.exit(), await sink.exit()]).toEqual([0, 0]);
    expect(source.stderr).toContain("sockets skipped: 1 (socket)");
    expect(source.stderr).not.toMatch(/FIFO|hard link|sparse/);
    expect(expectWholeFiles(from, lab.path("sink"))).toHaveLength(7);
    server.close();
  });

  test.skipIf(!permissionsTestable())(
    "what cannot be read, or is gone, is listed, and the rest is copied",
    async () => {
      await using lab = await CliLab.open();
      const from = lab.path("source");
      makeManyFiles(from, 40);
      writeFileSync(`${from}/closed file`, "secret");
      chmodSync(`${from}/closed file`, 0);
      mkdirSync(`${from}/closed directory`);
      writeFileSync(`${from}/closed directory/inside`, "");
      chmodSync(`${from}/closed directory`, 0);
      writeFileSync(`${from}/vanishing`, "not for long");
      const { address } = await lab.coordinator();
      const sink = lab.sink(address, lab.path("sink"), ["--name", "alpha"]);
      await sink.event("waiting");
      // Frozen, it does not yet want what is found, so nothing is read before the file is gone.
      sink.signal("SIGSTOP");
      const source = lab.source(address, from, [], { unprivileged: true });
      await source.event("progress", { where: ({ progress }) => progress.discoveryEnded });
      rmSync(`${from}/vanishing`);
      sink.signal("SIGCONT");

      expect(await source.exit()).toBe(3);
      const { summary } = await source.event("finished");
      expect(summary).toMatchObject({ result: "incomplete", problemCount: 3 });
      expect(summary.problems.map(({ path, kind }) => [path, kind]).sort()).toEqual([
        ["closed directory", "unreadable"],
        ["closed file", "unreadable"],
        ["vanishing", "vanished"],
      ]);
      expect(await sink.exit()).toBe(0);
      expect(summary.sinks[0]).toMatchObject({ name: "alpha", outcome: "proven" });
      // The directory is there, with its mode, and without what could not be read in it.
      expect(statSync(lab.path("sink", "closed directory")).mode & 0o777).toBe(0);
      chmodSync(lab.path("sink", "closed directory"), 0o700);
      expect(expectWholeFiles(from, lab.path("sink"))).toHaveLength(40);

      // For people the same stands on standard error.
      const other = lab.sink(address, lab.path("sink 2"));
      const plain = lab.source(address, from, [], { plain: true, unprivileged: true });
      expect([await plain.exit(), await other.exit()]).toEqual([3, 0]);
      expect(plain.stderr).toContain("2 entries are missing or not exact in the copy");
      expect(plain.stderr).toContain("unreadable  closed file: unreadable: permission denied");
    },
  );
});

import {
  appendFileSync,
  chmodSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { describe, expect, test } from "vitest";
import { CliLab } from "../../helpers/processes/cli.ts";
import { content, makeManyFiles } from "../../helpers/trees/tree.ts";
import { expectEqualTrees, expectWholeFiles, treeDifferences } from "../../helpers/trees/tree-judge.ts";
import { copyAndCompare, E2E_MS, expectProven, startCopy } from "../copying.ts";

describe.concurrent("what stands in a sink's folder already", { timeout: E2E_MS }, () => {
  test("a second run replaces what has changed and leaves alone what the source does not have", async () => {
    await using lab = await CliLab.open();
    const [from, to] = [lab.path("source"), lab.path("sink")];
    makeManyFiles(from, 60);
    symlinkSync("old target", `${from}/link`);
    const { address } = await lab.coordinator();
    await copyAndCompare(lab, { address, from, to: [to] });

    writeFileSync(`${from}/d0/f1`, "other content");
    appendFileSync(`${from}/d0/f2`, "more");
    // The same size, and a time that is restored: only reading it shows the change.
    const { atime, mtime } = lstatSync(`${from}/d0/f3`);
    writeFileSync(`${from}/d0/f3`, content(300, 99));
    utimesSync(`${from}/d0/f3`, atime, mtime);
    chmodSync(`${from}/d0/f4`, 0o600);
    utimesSync(`${from}/d0/f5`, 1, 1);
    rmSync(`${from}/d0/f6`);
    rmSync(`${from}/link`);
    symlinkSync("new target", `${from}/link`);
    mkdirSync(`${to}/extra`);
    writeFileSync(`${to}/extra/file`, "not in the source");
    const { source, sinks } = startCopy(lab, { address, from, to: [to] });
    await expectProven(source, sinks);

    // All else is as at the source, the time of a directory with an entry of its own included.
    const extra = ["d0/f6", "extra/file", "extra"].map((name) => `${name}: not in the source`);
    expect(treeDifferences(from, to).sort()).toEqual(extra);
    expect(readFileSync(`${to}/extra/file`, "utf8")).toBe("not in the source");
  });

  test("files, links and directories take each other's places, but never that of a directory that holds something", async () => {
    await using lab = await CliLab.open();
    const [from, to] = [lab.path("source"), lab.path("sink")];
    for (const folder of [from, to]) mkdirSync(folder);
    const outside = lab.path("outside");
    mkdirSync(outside);
    writeFileSync(`${outside}/file`, "must stay");
    const kinds = ["file", "directory", "link"] as const;
    const make = {
      file: (path: string, text: string) => writeFileSync(path, text),
      directory: (path: string) => mkdirSync(path),
      link: (path: string) => symlinkSync(outside, path),
    };
    for (const one of kinds)
      for (const other of kinds) {
        make[one](`${from}/${one} over ${other}`, "from the source");
        make[other](`${to}/${one} over ${other}`, "from before");
      }
    mkdirSync(`${from}/directory over link/inner`);
    writeFileSync(`${from}/directory over link/file`, "goes into the copy, not through the link");
    for (const kind of ["file", "link"] as const) {
      make[kind](`${from}/${kind} over full directory`, "from the source");
      mkdirSync(`${to}/${kind} over full directory`);
      writeFileSync(`${to}/${kind} over full directory/kept`, "from before");
    }
    const { address } = await lab.coordinator();
    const { source, sinks } = startCopy(lab, { address, from, to: [to] });
    const [sink] = sinks;

    expect(await source.exit()).toBe(3);
    expect(await sink?.exit()).toBe(3);
    const { summary } = await source.event("finished");
    expect(summary.sinks[0]).toMatchObject({ outcome: "incomplete", problemCount: 2 });
    for (const kind of ["file", "link"]) {
      expect(summary.sinks[0]?.problems.map(({ path }) => path)).toContain(`${kind} over full directory`);
      await sink?.event("problem", { where: ({ problem }) => problem.path === `${kind} over full directory` });
      expect(readFileSync(`${to}/${kind} over full directory/kept`, "utf8")).toBe("from before");
    }
    expect(summary.sinks[0]?.problems[0]?.message).toContain("a directory that is not empty is in its place");
    expect(readFileSync(`${outside}/file`, "utf8")).toBe("must stay");
    expect(readlinkSync(`${to}/link over file`)).toBe(outside);
    await expectEqualTrees(from, to, ["file over full directory", "link over full directory"]);
  });

  test("a file in use keeps its old content under its name until the new one is whole", async () => {
    await using lab = await CliLab.open();
    const [from, to] = [lab.path("source"), lab.path("sink")];
    mkdirSync(from);
    writeFileSync(`${from}/file`, content(100_000, 1));
    const { address } = await lab.coordinator();
    await copyAndCompare(lab, { address, from, to: [to] });
    const { ino } = lstatSync(`${to}/file`);
    writeFileSync(`${from}/file`, content(100_000, 2));
    await copyAndCompare(lab, { address, from, to: [to] });
    expect(lstatSync(`${to}/file`).ino).not.toBe(ino);
  });

  test("a source that holds the folder of its own sink skips that folder with a warning", async () => {
    await using lab = await CliLab.open();
    const from = lab.path("source");
    makeManyFiles(from, 20);
    mkdirSync(`${from}/backups`);
    const { address } = await lab.coordinator();
    const { source, sinks } = startCopy(lab, { address, from, to: [`${from}/backups/sink`] });
    await expectProven(source, sinks);
    const { message } = await source.event("warning", { where: ({ code }) => code === "sink-folder-skipped" });
    expect(message).toContain('"backups/sink"');
    expect(source.stderr).toBe("");
    expect(expectWholeFiles(from, `${from}/backups/sink`)).toHaveLength(20);
    expect(lstatSync(`${from}/backups/sink/backups/sink`, { throwIfNoEntry: false })?.isDirectory() ?? true).toBe(true);
  });

  test("a folder that belongs to one source refuses another one, unless it is told to accept it", async () => {
    await using lab = await CliLab.open();
    const to = lab.path("sink");
    makeManyFiles(lab.path("first"), 20);
    makeManyFiles(lab.path("other"), 30);
    const { address } = await lab.coordinator();
    await copyAndCompare(lab, { address, from: lab.path("first"), to: [to] });

    const refused = startCopy(lab, { address, from: lab.path("other"), to: [to] });
    expect(await refused.sinks[0]?.exit()).toBe(5);
    expect(refused.sinks[0]?.stderr).toContain("--accept-new-source");
    expect(await refused.source.exit()).toBe(4);
    const { outcome } = await refused.source.event("sink");
    expect(outcome).toMatchObject({ outcome: "failed", code: "source-changed" });
    await expectEqualTrees(lab.path("first"), to);

    for (const round of [1, 2]) {
      // It belongs to the new source from then on.
      const sink = lab.sink(address, to, round === 1 ? ["--accept-new-source"] : []);
      await expectProven(lab.source(address, lab.path("other")), [sink]);
    }
    await expectEqualTrees(lab.path("other"), to);
    const back = startCopy(lab, { address, from: lab.path("first"), to: [to] });
    expect(await back.sinks[0]?.exit()).toBe(5);
  });
});

import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { WHOLE } from "../helpers/copies/whole-copy.ts";
import { CliLab } from "../helpers/processes/cli.ts";
import { AS_ORDINARY_USER, giveToOrdinaryUser } from "../helpers/processes/ordinary-user.ts";
import { makeManyFiles } from "../helpers/trees/tree.ts";
import { expectEqualTrees, expectExactTrees } from "../helpers/trees/tree-judge.ts";
import { E2E_MS, expectDocumentedEvents } from "./copying.ts";

interface MirrorOrder {
  readonly address: string;
  readonly from: string;
  readonly args?: readonly string[];
  /** Folders, with the options of the sinks that fill them. */
  readonly to: ReadonlyMap<string, readonly string[]>;
}

/** One session with `--delete`; the exit statuses of source and sinks, and what the source says. */
async function mirror(lab: CliLab, { address, from, args = [], to }: MirrorOrder) {
  const sinks = [...to].map(([folder, own]) =>
    lab.sink(address, folder, ["--name", folder.split("/").at(-1) ?? "", ...own]),
  );
  const source = lab.source(address, from, ["--delete", "--dest-count", `${to.size}`, ...args]);
  const status = await source.exit();
  const statuses = await Promise.all(sinks.map((sink) => sink.exit()));
  for (const process of [source, ...sinks]) expectDocumentedEvents(process);
  const { summary } = await source.event("finished");
  const deletions = new Map(summary.sinks.map(({ name, deletion }) => [name, deletion]));
  return { status, statuses, summary, deletions, source, sinks };
}

describe("fanfold source --delete", { timeout: E2E_MS }, () => {
  test("makes each folder what the source is, says what went, and finds nothing more the next time", async () => {
    await using lab = await CliLab.open();
    const [from, one, two] = [lab.path("source"), lab.path("one"), lab.path("two")];
    makeManyFiles(from, 60);
    writeFileSync(`${from}/.fanfoldignore`, "*.mine\n");
    mkdirSync(`${two}/old/er`, { recursive: true });
    for (const name of ["old/er/file", "old/x", "kept.mine"]) writeFileSync(`${two}/${name}`, name);
    const { address } = await lab.coordinator();
    const order = {
      address,
      from,
      to: new Map([
        [one, []],
        [two, []],
      ]),
    };
    const first = await mirror(lab, order);
    expect([first.status, ...first.statuses]).toEqual([0, 0, 0]);
    expect(first.summary.result).toBe("complete");
    expect(first.deletions.get("one")).toMatchObject({ result: "done", entries: 0 });
    expect(first.deletions.get("two")).toMatchObject({ result: "done", entries: 4 });
    expect(first.deletions.get("two")?.examples).toContain("old/er/file");
    const deleted = first.sinks[1]?.events.flatMap((event) => (event.type === "deleted" ? [event.path] : []));
    expect(deleted?.sort()).toEqual(["old", "old/er", "old/er/file", "old/x"]);
    await expectEqualTrees(from, one);
    expect(readdirSync(two)).toContain("kept.mine");
    rmSync(`${two}/kept.mine`);
    rmSync(`${from}/d0/f1`);
    const second = await mirror(lab, order);
    expect([second.status, second.deletions.get("one")?.examples]).toEqual([0, ["d0/f1"]]);
    expect(second.summary).toMatchObject({ result: "complete", bytesSent: 0 });
    await expectEqualTrees(from, one);
    await expectEqualTrees(from, two);
    const third = await mirror(lab, order);
    expect(third.summary.result).toBe("unchanged");
  });

  test("is refused where too much would go, forbidden by a sink, and the copies are proven all the same", async () => {
    await using lab = await CliLab.open();
    const [from, open, tight, closed] = ["source", "open", "tight", "closed"].map((name) => lab.path(name)) as string[];
    if (from === undefined || open === undefined || tight === undefined || closed === undefined) return;
    makeManyFiles(from, 20);
    for (const folder of [open, tight, closed]) {
      mkdirSync(folder);
      for (let index = 0; index < 15; index += 1) writeFileSync(`${folder}/old ${index}`, "");
    }
    const { address } = await lab.coordinator();
    const to = new Map([
      [open, []],
      [tight, ["--max-delete", "14"]],
      [closed, ["--no-delete"]],
    ] as const);
    const refused = await mirror(lab, { address, from, to });
    expect([refused.status, ...refused.statuses]).toEqual([16, 16, 16, 0]);
    expect(refused.summary.result).toBe("complete");
    expect(refused.deletions.get("open")).toMatchObject({ result: "refused", entries: 15, allowed: 10 });
    expect(refused.deletions.get("closed")).toMatchObject({ result: "forbidden", entries: 0 });
    const allowed = await mirror(lab, { address, from, to, args: ["--max-delete", "100%"] });
    expect([allowed.status, ...allowed.statuses]).toEqual([16, 0, 16, 0]);
    expect(allowed.deletions.get("tight")).toMatchObject({ result: "refused", allowed: 14 });
    await expectEqualTrees(from, open);
    for (const folder of [tight, closed]) expect(existsSync(`${folder}/old 14`)).toBe(true);
  });

  test("is withheld when the source is empty, or could not be read as a whole", async () => {
    await using lab = await CliLab.open();
    const [from, to] = [lab.path("source"), lab.path("sink")];
    for (const folder of [from, to]) mkdirSync(folder);
    writeFileSync(`${to}/old`, "");
    const { address } = await lab.coordinator();
    const empty = await mirror(lab, { address, from, to: new Map([[to, []]]), args: ["--max-delete", "100%"] });
    expect([empty.status, ...empty.statuses]).toEqual([16, 0]);
    expect(empty.summary).toMatchObject({ deletionWithheld: { code: "source-empty" } });
    makeManyFiles(from, 10);
    mkdirSync(`${from}/d0/.fanfoldignore`);
    const unread = await mirror(lab, { address, from, to: new Map([[to, []]]), args: ["--max-delete", "100%"] });
    expect([unread.status, ...unread.statuses]).toEqual([3, 0]);
    expect(unread.summary).toMatchObject({
      deletionWithheld: { code: "source-incomplete" },
      problems: [{ path: "d0/.fanfoldignore", kind: "ignore-file" }],
    });
    expect(existsSync(`${to}/old`)).toBe(true);
    expect(unread.deletions.get("sink")).toBeUndefined();
  });

  test.skipIf(process.getuid?.() !== 0)(
    "looks into directories that their owner may not read, or says so",
    async () => {
      await using lab = await CliLab.open();
      const [from, to] = [lab.path("source"), lab.path("sink")];
      const modes = new Map([
        ["300", 0o300],
        ["111", 0o111],
        ["000", 0o000],
      ]);
      for (const name of modes.keys()) {
        mkdirSync(`${from}/${name}/inner`, { recursive: true });
        writeFileSync(`${from}/${name}/kept`, name);
      }
      const shut = (folder: string): void => {
        for (const [name, mode] of modes)
          for (const path of [`${name}/inner`, name]) chmodSync(`${folder}/${path}`, mode);
      };
      shut(from);
      chmodSync(lab.folder, 0o755);
      mkdirSync(to);
      giveToOrdinaryUser(to);
      const { address } = await lab.coordinator();
      const run = async (...args: readonly string[]) => {
        const sink = lab.sink(address, to, [], { through: AS_ORDINARY_USER });
        const source = lab.source(address, from, ["--delete", "--max-delete", "100%", "--no-owner", ...args]);
        const statuses = [await source.exit(), await sink.exit()];
        const { summary } = await source.event("finished");
        return { statuses, sink, deletion: summary.sinks[0]?.deletion, problems: summary.sinks[0]?.problems ?? [] };
      };
      expect(await run()).toMatchObject({ statuses: [0, 0], problems: [] });
      for (const [name, mode] of modes) {
        mkdirSync(`${to}/gone ${name}`);
        for (const path of [`${name}/old`, `${name}/inner/old`, `gone ${name}/old`]) writeFileSync(`${to}/${path}`, "");
        giveToOrdinaryUser(`${to}/gone ${name}`);
        chmodSync(`${to}/gone ${name}`, mode);
      }
      const dry = await run("-n");
      // Nothing is changed for it, so that what is in them cannot be counted.
      expect(dry.deletion?.entries).toBe(0);
      expect(dry.sink.events.filter(({ type }) => type === "problem")).toHaveLength(6);
      expect(await run()).toMatchObject({ statuses: [0, 0], problems: [], deletion: { result: "done", entries: 12 } });
      await expectExactTrees(from, to, { but: ["owner"] });
      // Somebody else's: that is told, and no copy is called whole.
      mkdirSync(`${to}/theirs`, { mode: 0o700 });
      writeFileSync(`${to}/theirs/file`, "");
      const foreign = await run();
      expect([foreign.statuses, foreign.problems]).toMatchObject([[3, 3], [{ path: "theirs", kind: "not-deleted" }]]);
    },
  );

  test("empties a directory that has become a file at the source, as a dry run says before", async () => {
    await using lab = await CliLab.open();
    const [from, to] = [lab.path("source"), lab.path("sink")];
    makeManyFiles(from, 20);
    mkdirSync(`${to}/d0/f5/deep`, { recursive: true });
    for (const name of ["d0/f5/deep/x", "d0/f5/y", "old"]) writeFileSync(`${to}/${name}`, name);
    const { address } = await lab.coordinator();
    const folders = new Map([[to, []]]);
    const dry = await mirror(lab, { address, from, args: ["-n"], to: folders });
    expect([dry.status, dry.deletions.get("sink")]).toMatchObject([0, { result: "dry-run", entries: 4 }]);
    const refused = await mirror(lab, { address, from, args: ["--max-delete", "3"], to: folders });
    expect([refused.status, ...refused.statuses]).toEqual([3, 3]);
    expect(existsSync(`${to}/d0/f5/deep/x`)).toBe(true);
    const done = await mirror(lab, { address, from, args: ["--max-delete", "4"], to: folders });
    expect([done.status, done.deletions.get("sink")]).toMatchObject([0, { result: "done", entries: 4 }]);
    const deleted = done.sinks[0]?.events.flatMap((event) => (event.type === "deleted" ? [event.path] : []));
    expect(deleted?.toSorted()).toEqual(["d0/f5/deep", "d0/f5/deep/x", "d0/f5/y", "old"]);
    await expectEqualTrees(from, to);
  });

  test("as a dry run says for each sink what would be sent, replaced and deleted, and changes nothing", async () => {
    await using lab = await CliLab.open();
    const [from, to] = [lab.path("source"), lab.path("sink")];
    makeManyFiles(from, 20);
    mkdirSync(`${to}/old`, { recursive: true });
    mkdirSync(`${to}/d0`);
    for (const name of ["old/x", "d0/f5"]) writeFileSync(`${to}/${name}`, "other content");
    const { address } = await lab.coordinator();
    const { status, summary } = await mirror(lab, { address, from, args: ["-n"], to: new Map([[to, []]]) });
    expect([status, summary.result]).toEqual([0, "dry-run"]);
    expect(summary.sinks).toMatchObject([
      { filesWanted: 20, filesReplaced: 1, deletion: { result: "dry-run", entries: 2 } },
    ]);
    expect(existsSync(`${to}/old/x`)).toBe(true);
    const sink = lab.sink(address, to, ["--name", "attic"], { plain: true });
    const source = lab.source(address, from, ["-n", "--delete", "--verbose"], { plain: true });
    expect([await source.exit(), await sink.exit()]).toEqual([0, 0]);
    expect(source.stdout).toMatch(/attic +20 files, .* \(1 replace other content\); 2 entries would be deleted/);
    expect(source.stdout).toMatch(/sink attic: would be deleted: old\/x, old/);
  });

  test("goes on where it was killed, by the same command, on a lane of the same session", async () => {
    await using lab = await CliLab.open();
    const [from, to] = [lab.path("source"), lab.path("sink")];
    makeManyFiles(from, 500);
    makeManyFiles(`${to}/old`, 20_000, 10);
    const { address } = await lab.coordinator();
    const killed = lab.sink(address, to, ["--name", "attic"]);
    const source = lab.source(address, from, ["--delete", "--max-delete", "100%"]);
    await killed.event("deleted");
    killed.signal("SIGKILL");
    await killed.exit();
    expect(readdirSync(`${to}/old`).length).toBeGreaterThan(0);
    const again = lab.sink(address, to, ["--name", "attic"]);
    expect([await source.exit(), await again.exit()]).toEqual([0, 0]);
    const { summary } = await source.event("finished");
    const [outcome] = summary.sinks;
    expect(outcome).toMatchObject({ outcome: WHOLE, caughtUp: true, deletion: { result: "done" } });
    expect(outcome?.deletion?.entries).toBeLessThan(20_201);
    await expectEqualTrees(from, to);
  });
});

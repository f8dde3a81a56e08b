import { execFileSync } from "node:child_process";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { describe, expect, test } from "vitest";
import { CliLab } from "../helpers/processes/cli.ts";
import { pathsIn } from "../helpers/trees/tree-differences.ts";
import { copyAndCompare, E2E_MS } from "./copying.ts";

const OLD = 1_000_000;

/** A session without the comparison of everything; its summary. */
async function copy(
  lab: CliLab,
  { address, from, to, args }: { address: string; from: string; to: string; args: readonly string[] },
) {
  const sink = lab.sink(address, to);
  const source = lab.source(address, from, args);
  expect([await source.exit(), await sink.exit()]).toEqual([0, 0]);
  return (await source.event("finished")).summary;
}

const modeOf = (path: string): string => (lstatSync(path).mode & 0o7777).toString(8);

describe("options of a source", { timeout: E2E_MS }, () => {
  test("--no-perms leaves modes to the sinks: what stands there keeps its own, what is new gets it less the umask", async () => {
    await using lab = await CliLab.open();
    const { address } = await lab.coordinator();
    const [from, to] = [lab.path("source"), lab.path("sink")];
    for (const folder of [from, to]) mkdirSync(`${folder}/old`, { recursive: true });
    mkdirSync(`${from}/new`);
    for (const path of ["file", "new/file", "old/file", "old/equal"]) writeFileSync(`${from}/${path}`, path);
    for (const path of ["file", "new/file", "new"]) chmodSync(`${from}/${path}`, 0o777);
    for (const path of ["old/file", "old/equal"]) writeFileSync(`${to}/${path}`, path === "old/equal" ? path : "other");
    for (const path of ["old/file", "old/equal", "old"]) {
      chmodSync(`${from}/${path}`, 0o770);
      chmodSync(`${to}/${path}`, 0o705);
      utimesSync(`${from}/${path}`, OLD, OLD);
    }
    utimesSync(`${to}/old/equal`, OLD, OLD);
    const summary = await copy(lab, { address, from, to, args: ["--no-perms"] });
    // What no copy has proven is read.
    expect(summary.sinks).toMatchObject([{ outcome: "proven", filesUnchanged: 1 }]);
    const umask = (mode: number): string => (mode & ~process.umask()).toString(8);
    expect(["file", "new/file", "new"].map((path) => modeOf(`${to}/${path}`))).toEqual(
      [0o777, 0o777, 0o777].map(umask),
    );
    expect(["old", "old/file", "old/equal"].map((path) => modeOf(`${to}/${path}`))).toEqual(["705", "705", "705"]);
    expect(readFileSync(`${to}/old/file`, "utf8")).toBe("old/file");
    expect(
      execFileSync("rsync", ["-rltnic", "--no-perms", "--exclude=/.fanfold", `${from}/`, `${to}/`], {
        encoding: "utf8",
      }),
    ).toBe("");
    const verify = lab.start(["verify", "--", to]);
    expect(await verify.exit()).toBe(0);
  });

  test("--no-times compares by content, sets no times, and sends nothing the second time", async () => {
    await using lab = await CliLab.open();
    const { address } = await lab.coordinator();
    const [from, to] = [lab.path("source"), lab.path("sink")];
    mkdirSync(`${from}/dir`, { recursive: true });
    for (const path of ["file", "dir/file"]) writeFileSync(`${from}/${path}`, path);
    symlinkSync("file", `${from}/link`);
    for (const path of ["file", "dir/file", "dir"]) utimesSync(`${from}/${path}`, OLD, OLD);
    const first = await copy(lab, { address, from, to, args: ["--no-times"] });
    expect(first.bytesSent).toBe(12);
    for (const path of ["file", "dir/file", "dir"])
      expect(lstatSync(`${to}/${path}`).mtimeMs).toBeGreaterThan(OLD * 1000);
    const times = readdirSync(to, { recursive: true, encoding: "utf8" })
      .filter((path) => !path.startsWith(".fanfold"))
      .map((path) => [path, lstatSync(`${to}/${path}`).ctimeMs, lstatSync(`${to}/${path}`).ino]);
    const second = await copy(lab, { address, from, to, args: ["--no-times"] });
    expect(second).toMatchObject({ result: "unchanged", bytesSent: 0 });
    const after = times.map(([path]) => [path, lstatSync(`${to}/${path}`).ctimeMs, lstatSync(`${to}/${path}`).ino]);
    expect(after).toEqual(times);
    const verify = lab.start(["verify", "--", to]);
    expect(await verify.exit()).toBe(0);
  });

  test("--links safe leaves out those that lead out of the directory, and skip all", async () => {
    await using lab = await CliLab.open();
    const { address } = await lab.coordinator();
    const [from, to] = [lab.path("source"), lab.path("sink")];
    mkdirSync(`${from}/dir/deep`, { recursive: true });
    const links = {
      ...{ "dir/up": "../file", "dir/deep/up": "../../file", here: "file", dangling: "dir/nothing", dot: "./dir/." },
      ...{ absolute: "/etc", out: "../file", "dir/out": "../../file", "dir/turn": "deep/../../file", "dir/self": ".." },
    };
    for (const [path, target] of Object.entries(links)) symlinkSync(target, `${from}/${path}`);
    writeFileSync(`${from}/file`, "");
    const linksIn = (folder: string) =>
      pathsIn(folder, [])
        .map(String)
        .filter((path) => lstatSync(`${folder}/${path}`).isSymbolicLink())
        .sort();
    const summary = await copy(lab, { address, from, to, args: ["--links", "safe"] });
    expect(linksIn(to)).toEqual(["dangling", "dir/deep/up", "dir/self", "dir/up", "dot", "here"]);
    expect(summary.notCarried).toEqual({ "link-leads-out": 4 });
    const none = await copy(lab, { address, from, to: lab.path("none"), args: ["--links", "skip"] });
    expect([linksIn(lab.path("none")), none.notCarried]).toEqual([[], { "link-skipped": 10 }]);
  });

  test.skipIf(process.getuid?.() !== 0)("--one-file-system carries a mount point and nothing in it", async () => {
    await using lab = await CliLab.open();
    const { address } = await lab.coordinator();
    const [from, to] = [lab.path("source"), lab.path("sink")];
    mkdirSync(`${from}/mounted`, { recursive: true });
    writeFileSync(`${from}/file`, "");
    execFileSync("mount", ["-t", "tmpfs", "none", `${from}/mounted`]);
    try {
      writeFileSync(`${from}/mounted/inside`, "");
      mkdirSync(`${to}/mounted`, { recursive: true });
      writeFileSync(`${to}/mounted/mine`, "");
      const summary = await copy(lab, { address, from, to, args: ["-x", "--delete"] });
      expect(summary.notCarried).toEqual({ "other-file-system": 1 });
      expect(readdirSync(`${to}/mounted`)).toEqual(["mine"]);
      await copyAndCompare(lab, { address, from, to: [lab.path("all")] });
      expect(readdirSync(`${lab.path("all")}/mounted`)).toEqual(["inside"]);
    } finally {
      execFileSync("umount", [`${from}/mounted`]);
    }
  });
});

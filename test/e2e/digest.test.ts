import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { DigestEvent } from "../../src/protocol/messages/digest-events.ts";
import { CliLab } from "../helpers/processes/cli.ts";
import { makeLongTree, makeManyFiles, makeOddTree } from "../helpers/trees/tree.ts";
import { copyAndCompare, E2E_MS } from "./copying.ts";

const digest = (lab: CliLab, folder: string, args: readonly string[] = []) =>
  lab.start<DigestEvent>(["digest", ...args, "--", folder]);

describe.concurrent("fanfold digest", { timeout: E2E_MS }, () => {
  test("prints the digest that a session proves, of the source and of the copy, also where filters leave out entries", async () => {
    await using lab = await CliLab.open();
    const [from, to] = [lab.path("source"), lab.path("sink")];
    await makeOddTree(from);
    makeManyFiles(from, 300);
    const { address } = await lab.coordinator();
    const first = await copyAndCompare(lab, { address, from, to: [to] });
    const second = await copyAndCompare(lab, { address, from, to: [to] });
    expect([first.result, second.result]).toEqual(["complete", "unchanged"]);
    const digests = [first.digest, second.digest];
    for (const folder of [from, to]) {
      const run = digest(lab, folder);
      expect(await run.exit(), run.shown()).toBe(0);
      const { digest: found, counts, problemCount } = await run.event("finished");
      digests.push(found);
      expect({ files: counts.files, problemCount }).toEqual({ files: first.files, problemCount: 0 });
    }
    expect(new Set(digests).size).toBe(1);
    const plain = lab.start<DigestEvent>(["digest", from], { plain: true });
    expect(await plain.exit()).toBe(0);
    expect(plain.stdout).toMatch(new RegExp(`^ {2}digest {2}${first.digest}$`, "m"));
    const filtered = digest(lab, from, ["--exclude", "f1*", "--no-owner"]);
    expect(await filtered.exit()).toBe(0);
    expect((await filtered.event("finished")).digest).not.toBe(first.digest);
  });

  test("is that of a copy which was killed in its middle and went on, by a source that remembers what it had read", async () => {
    await using lab = await CliLab.open();
    const [from, to] = [lab.path("source"), lab.path("sink")];
    mkdirSync(from);
    makeLongTree(from, { files: 12, mibEach: 2 });
    const { address } = await lab.coordinator();
    lab.sink(address, to);
    const source = lab.source(address, from, ["--bwlimit", "2M"]);
    await source.event("progress", { where: ({ progress }) => progress.filesDone > 1 });
    source.signal("SIGKILL");
    await source.exit();
    const again = lab.source(address, from);
    expect(await again.exit(), again.shown()).toBe(0);
    const { summary } = await again.event("finished");
    const run = digest(lab, to);
    expect(await run.exit(), run.shown()).toBe(0);
    expect((await run.event("finished")).digest).toBe(summary.digest);
  });

  test("changes nothing, and says what it cannot read", async () => {
    await using lab = await CliLab.open();
    const from = lab.path("source");
    makeManyFiles(from, 3);
    const before = readdirSync(lab.folder);
    expect(await digest(lab, from).exit()).toBe(0);
    expect(readdirSync(lab.folder)).toEqual(before);
    rmSync(from, { recursive: true });
    const missing = digest(lab, from);
    expect(await missing.exit()).toBe(8);
    expect(await missing.failure()).toMatchObject({ code: "folder-missing" });
  });
});

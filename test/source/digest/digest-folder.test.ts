import { execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../../src/lib/clock.ts";
import { type DigestOptions, digestFolder } from "../../../src/source/digest/digest-folder.ts";
import { TreeReading } from "../../../src/source/digest/tree-reading.ts";
import { flipByte } from "../../helpers/copies/verified.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { content, makeOddTree } from "../../helpers/trees/tree.ts";

const never = () => new AbortController().signal;
const digestOf = async (folder: string, options: Partial<DigestOptions> = {}) =>
  (await digestFolder({ folder, signal: never(), ...options }).result).digest;

/** A small tree with times of its own. */
function makeSmall(root: string): void {
  mkdirSync(join(root, "a/b"), { recursive: true });
  writeFileSync(join(root, "a/file"), content(3_000_000, 1));
  writeFileSync(join(root, "a/b/other"), "other");
  symlinkSync("file", join(root, "a/link"));
  linkSync(join(root, "a/file"), join(root, "z"));
  for (const path of ["a/file", "a/b/other", "a/b", "a", "."]) utimesSync(join(root, path), 1e9, 1e9);
  lutimesSync(join(root, "a/link"), 1e9, 1e9);
}

describe("the digest of a directory", () => {
  test("is that of a copy of it in another place, and says what it is of", async () => {
    const [one, two] = [join(tempFolder(), "one"), join(tempFolder(), "two")];
    mkdirSync(one);
    await makeOddTree(one);
    execFileSync("cp", ["-a", one, two]);
    expect(await digestOf(two)).toBe(await digestOf(one));
    const small = tempFolder();
    makeSmall(small);
    const { counts, problemCount } = await digestFolder({ folder: small, signal: never() }).result;
    expect(counts).toMatchObject({ files: 2, directories: 3, symlinks: 1, hardlinks: 1, bytes: 3_000_005 });
    expect(problemCount).toBe(0);
  });

  test.each<[string, (root: string) => void]>([
    ["one byte, with size and time as before", (root) => flipByte(join(root, "a/file"), 2_999_999)],
    ["a mode", (root) => chmodSync(join(root, "a/file"), 0o600)],
    ["a time", (root) => utimesSync(join(root, "a/b"), 1e9, 1e9 + 1)],
    [
      "a link's target",
      (root) => {
        unlinkSync(join(root, "a/link"));
        symlinkSync("none", join(root, "a/link"));
        lutimesSync(join(root, "a/link"), 1e9, 1e9);
        utimesSync(join(root, "a"), 1e9, 1e9);
      },
    ],
    [
      "a name that is a file of its own",
      (root) => {
        rmSync(join(root, "z"));
        cpSync(join(root, "a/file"), join(root, "z"), { preserveTimestamps: true });
        utimesSync(root, 1e9, 1e9);
      },
    ],
    [
      "a further file",
      (root) => {
        writeFileSync(join(root, "a/new"), "");
        utimesSync(join(root, "a"), 1e9, 1e9);
      },
    ],
    [
      "a file that is gone",
      (root) => {
        rmSync(join(root, "a/b/other"));
        utimesSync(join(root, "a/b"), 1e9, 1e9);
      },
    ],
  ])("changes with %s", async (_, change) => {
    const root = tempFolder();
    makeSmall(root);
    const before = await digestOf(root);
    expect(await digestOf(root)).toBe(before);
    change(root);
    expect(await digestOf(root)).not.toBe(before);
  });

  test("leaves out what filters leave out, and a sink's own folder", async () => {
    const root = tempFolder();
    makeSmall(root);
    const before = await digestOf(root);
    mkdirSync(join(root, ".fanfold"));
    writeFileSync(join(root, ".fanfold/manifest"), "own");
    writeFileSync(join(root, "a/x.tmp"), "left out");
    for (const path of ["a", "."]) utimesSync(join(root, path), 1e9, 1e9);
    expect(await digestOf(root, { filters: [{ exclude: "*.tmp" }] })).toBe(before);
    expect(await digestOf(root)).not.toBe(before);
  });

  test("says which file changes all the time, and that the digest is not that of the whole tree", () => {
    const root = tempFolder();
    makeSmall(root);
    const problems: string[] = [];
    const out = { warning: () => undefined, notCarried: () => undefined, file: () => undefined };
    using reading = new TreeReading(Buffer.from(root), {}, { ...out, problem: ({ kind }) => problems.push(kind) });
    let writes = 0;
    for (const _ of reading.run()) {
      writes += 1;
      // Over its beginning, and longer: it never reads the same twice.
      writeFileSync(join(root, "a/file"), content(3_000_000 + writes, writes));
    }
    expect(problems).toEqual(["changed"]);
    expect(writes).toBeGreaterThan(2);
  });

  test("takes a file that changes once as it is in the end", async () => {
    const root = tempFolder();
    makeSmall(root);
    const out = {
      problem: () => undefined,
      warning: () => undefined,
      notCarried: () => undefined,
      file: () => undefined,
    };
    using reading = new TreeReading(Buffer.from(root), {}, out);
    const steps = reading.run();
    steps.next();
    writeFileSync(join(root, "a/file"), content(3_000_001, 2));
    let next = steps.next();
    while (next.done !== true) next = steps.next();
    expect(next.value.toString("hex")).toBe(await digestOf(root));
  });

  test("ends when it is told to, without a result", async () => {
    const root = tempFolder();
    makeSmall(root);
    const stop = new AbortController();
    // A clock on which each step is longer than a slice.
    let now = 0;
    const nowMs = (): number => {
      now += 60;
      return now;
    };
    const run = digestFolder({ folder: root, signal: stop.signal, clock: { ...systemClock, nowMs } });
    stop.abort(new Error("enough"));
    await expect(run.result).rejects.toThrow("enough");
  });

  test("of what is no directory is an error that says so", async () => {
    const root = tempFolder();
    writeFileSync(join(root, "file"), "");
    await expect(digestOf(join(root, "file"))).rejects.toMatchObject({ code: "folder-not-a-directory" });
    await expect(digestOf(join(root, "none"))).rejects.toMatchObject({ code: "folder-missing" });
  });
});

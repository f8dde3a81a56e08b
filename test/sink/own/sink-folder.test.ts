import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { loadNative } from "../../../src/lib/disk/native.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { openSinkFolder, type SinkFolder } from "../../../src/sink/own/sink-folder.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { thrownCode } from "../../helpers/thrown.ts";

const open = (folder: string): SinkFolder => openSinkFolder(folder, systemRandom);
const codeOf = (folder: string): string => thrownCode(() => open(folder)[Symbol.dispose]());

/** The file of the lock of a folder, in it. */
const lockIn = (folder: string): string => `.fanfold/lock-${statSync(join(folder, ".fanfold"), { bigint: true }).ino}`;

describe("openSinkFolder()", () => {
  test("makes the folder and keeps its key and the source it belongs to", () => {
    const path = join(tempFolder(), "a/b");
    const first = open(path);
    expect(first.key.publicKey).toMatch(/^[0-9a-f]{64}$/);
    expect(first.pinnedSource).toBeUndefined();
    first.pinSource("one");
    first.pinSource("two");
    first[Symbol.dispose]();
    using second = open(path);
    expect([second.key.publicKey, second.pinnedSource, second.path.toString()]).toEqual([
      first.key.publicKey,
      "two",
      path,
    ]);
    expect(statSync(join(path, ".fanfold")).mode & 0o777).toBe(0o700);
  });

  test("gives another folder another key", () => {
    using one = open(tempFolder());
    using two = open(tempFolder());
    expect(one.key.publicKey).not.toBe(two.key.publicKey);
  });

  test("refuses a folder that is in use, also in the same process and through a link", () => {
    const folder = tempFolder();
    const link = join(tempFolder(), "link");
    symlinkSync(folder, link);
    {
      using _first = open(folder);
      expect([codeOf(folder), codeOf(link)]).toEqual(["folder-busy", "folder-busy"]);
    }
    expect(codeOf(link)).toBe("nothing");
  });

  test("refuses a folder that another process has open, until that process is killed", async () => {
    const folder = tempFolder();
    const program = fileURLToPath(new URL("../../helpers/processes/hold-folder-program.ts", import.meta.url));
    const child = spawn(process.execPath, [program, folder], { stdio: ["ignore", "pipe", "inherit"] });
    onTestFinished(() => {
      child.kill("SIGKILL");
    });
    const [secret] = (await once(child.stdout, "data")) as [Buffer];
    expect(codeOf(folder)).toBe("folder-busy");
    child.kill("SIGKILL");
    await once(child, "exit");
    using taken = open(folder);
    expect(taken.key.publicKey).toBe(secret.toString().trim());
  });

  test("refuses links in the place of its own folder and the file of its lock, and writes nothing through them", () => {
    for (const what of ["folder", "lock"]) {
      const [folder, outside] = [tempFolder(), tempFolder()];
      const target = what === "folder" ? outside : join(outside, "new.db");
      if (what === "lock") mkdirSync(join(folder, ".fanfold"));
      const place = what === "folder" ? ".fanfold" : lockIn(folder);
      symlinkSync(target, join(folder, place));
      expect(codeOf(folder)).toBe("folder-denied");
      rmSync(join(folder, place));
      symlinkSync(join(outside, "missing"), join(folder, place));
      expect(codeOf(folder)).toMatch(/^folder-/);
      expect([existsSync(join(outside, "new.db")), existsSync(join(outside, "missing"))]).toEqual([false, false]);
    }
  });

  test("says of damaged facts what they are and what to do, and leaves them", () => {
    const folder = tempFolder();
    const facts = join(folder, ".fanfold/facts");
    open(folder)[Symbol.dispose]();
    const good = readFileSync(facts, "utf8");
    for (const bad of ["", "{}", good.slice(0, -3), good.replace('"seed":"', '"seed":"x'), " ".repeat(16_385) + good]) {
      writeFileSync(facts, bad);
      expect(codeOf(folder)).toBe("folder-denied");
      expect(() => open(folder)).toThrow(/facts" in it is damaged: remove that file/);
      expect(readFileSync(facts, "utf8")).toBe(bad);
    }
    rmSync(facts);
    mkdirSync(facts);
    expect(() => open(folder)).toThrow(/not a regular file/);
    rmSync(facts, { recursive: true });
    expect(codeOf(folder)).toBe("nothing");
  });

  test("trusts nothing that stands in a folder whose mark is lost, once a copy was proven there", () => {
    const folder = tempFolder();
    const facts = join(folder, ".fanfold/facts");
    open(folder)[Symbol.dispose]();
    rmSync(facts);
    writeFileSync(join(folder, ".fanfold/manifest"), "");
    const doubtsOf = (): number => {
      using opened = open(folder);
      return opened.doubts.length;
    };
    expect(doubtsOf()).toBe(1);
    for (const mark of [{ bootId: 7 }, undefined]) {
      writeFileSync(facts, JSON.stringify({ ...JSON.parse(readFileSync(facts, "utf8")), mark }));
      expect(doubtsOf()).toBe(1);
    }
  });

  test("writes its facts for its owner alone, into no other file, and only when they change", () => {
    const folder = tempFolder();
    const facts = join(folder, ".fanfold/facts");
    const inode = (): bigint => statSync(facts, { bigint: true }).ino;
    writeFileSync(join(folder, "another"), "");
    {
      using opened = open(folder);
      expect(statSync(facts).mode & 0o777).toBe(0o600);
      linkSync(facts, join(folder, "kept"));
      opened.pinSource("one");
      const written = inode();
      opened.pinSource("one");
      opened.markSynced(opened.syncedBefore);
      expect(inode()).toBe(written);
      expect(readFileSync(join(folder, "kept"), "utf8")).not.toContain("one");
    }
    const written = inode();
    open(folder)[Symbol.dispose]();
    expect(inode()).toBe(written);
    expect(readdirSync(join(folder, ".fanfold")).toSorted()).toEqual(["facts", basename(lockIn(folder))]);
    expect(statSync(join(folder, lockIn(folder))).size).toBe(0);
  });

  test("writes its facts into the directory that it locked, whatever takes its name", () => {
    const [folder, elsewhere] = [tempFolder(), tempFolder()];
    using opened = open(folder);
    renameSync(join(folder, ".fanfold"), join(folder, "moved"));
    symlinkSync(elsewhere, join(folder, ".fanfold"));
    opened.pinSource("one");
    expect(readdirSync(elsewhere)).toEqual([]);
    expect(readFileSync(join(folder, "moved/facts"), "utf8")).toContain('"source":"one"');
  });

  test("starts anew with an empty file of the lock, which is what a kill at the very start leaves", () => {
    const folder = tempFolder();
    mkdirSync(join(folder, ".fanfold"));
    writeFileSync(join(folder, lockIn(folder)), "");
    expect(codeOf(folder)).toBe("nothing");
  });

  test("refuses a file, and a folder below a file", () => {
    const file = join(tempFolder(), "file");
    writeFileSync(file, "");
    expect([codeOf(file), codeOf(join(file, "below"))]).toEqual(["folder-not-a-directory", "folder-not-a-directory"]);
    const folder = tempFolder();
    writeFileSync(join(folder, ".fanfold"), "");
    expect(codeOf(folder)).toMatch(/^folder-/);
  });

  test.skipIf(loadNative() === undefined)("takes a folder whose path is longer than SQLite knows them", () => {
    const folder = join(tempFolder(), ...Array.from({ length: 4 }, () => "d".repeat(200)));
    using _held = open(folder);
    expect(codeOf(folder)).toBe("folder-busy");
  });

  test("takes the mode of its own folder back to private", () => {
    const folder = tempFolder();
    mkdirSync(join(folder, ".fanfold"));
    chmodSync(join(folder, ".fanfold"), 0o777);
    expect(codeOf(folder)).toBe("nothing");
    expect(statSync(join(folder, ".fanfold")).mode & 0o777).toBe(0o700);
  });
});

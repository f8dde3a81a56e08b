import {
  chmodSync,
  closeSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { SymlinkEntry } from "../../../src/protocol/frame/page.ts";
import { placeLeaf } from "../../../src/sink/disk/place-entry.ts";
import { Root } from "../../../src/sink/disk/root.ts";
import type { MetadataEntry } from "../../../src/sink/metadata/metadata.ts";
import { TIME } from "../../helpers/copies/hand-source.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { thrownCode } from "../../helpers/thrown.ts";
import { makeFifo } from "../../helpers/trees/special-files.ts";

const bytes = (text: string): Buffer => Buffer.from(text);
const NOWHERE = bytes("");
const NOW_MS = 1_800_000_000_000;

/** The same rules hold with pinned directories (Linux) and with the checks that other systems get. */
describe.each<NodeJS.Platform>(process.platform === "linux" ? ["linux", "darwin"] : [process.platform])(
  "Root as on %s",
  (platform) => {
    function open(folder = tempFolder()): {
      folder: string;
      root: Root;
      put: (directory: string, name: string, content: string) => void;
    } {
      const root = Root.open(bytes(folder), { platform });
      onTestFinished(() => root[Symbol.dispose]());
      root.partials.prepare(NOW_MS, () => false);
      let id = 0;
      const put = (directory: string, name: string, content: string): void => {
        id += 1;
        const partial = root.partials.create(bytes(directory), `${id}`);
        writeSync(partial.fd, content);
        closeSync(partial.fd);
        try {
          root.commit(partial, bytes(directory), bytes(name));
        } catch (thrown) {
          root.partials.discard(partial);
          throw thrown;
        }
      };
      return { folder, root, put };
    }
    /** A folder outside with a file that must stay as it is. */
    function canary(): { outside: string; isUntouched: () => boolean } {
      const outside = tempFolder();
      writeFileSync(join(outside, "file"), "alive");
      const isUntouched = (): boolean =>
        readdirSync(outside).join() === "file" &&
        readFileSync(join(outside, "file"), "utf8") === "alive" &&
        (statSync(outside).mode & 0o7777) === 0o755;
      return { outside, isUntouched };
    }
    const linkAt = (directory: string, name: string, target = "t"): SymlinkEntry => ({
      ...{ kind: "symlink", entry: 99, directory: bytes(directory), name: bytes(name) },
      ...{ target: bytes(target), mode: 0o777, mtime: TIME },
    });
    const directory = (mode: number): MetadataEntry => ({
      entry: 1,
      kind: "directory",
      wanted: { mode, mtime: TIME },
      shown: undefined,
    });
    const options = { specials: false };

    test("places a file over nothing, a file, a link, a FIFO and an empty directory", () => {
      const { folder, put } = open();
      const { outside, isUntouched } = canary();
      writeFileSync(join(folder, "file"), "old");
      symlinkSync(join(outside, "file"), join(folder, "link"));
      makeFifo(join(folder, "fifo"));
      mkdirSync(join(folder, "empty"));
      for (const name of ["new", "file", "link", "fifo", "empty"]) {
        put("", name, name);
        expect(lstatSync(join(folder, name)).isFile()).toBe(true);
        expect(readFileSync(join(folder, name), "utf8")).toBe(name);
      }
      expect(isUntouched()).toBe(true);
    });

    test("leaves the other name of a hard link its content", () => {
      const { folder, put } = open();
      writeFileSync(join(folder, "one"), "old");
      linkSync(join(folder, "one"), join(folder, "two"));
      put("", "one", "new");
      expect(["one", "two"].map((name) => readFileSync(join(folder, name), "utf8"))).toEqual(["new", "old"]);
    });

    test("refuses to place a file or a link over a directory that holds something, and leaves that whole", () => {
      const { folder, root, put } = open();
      mkdirSync(join(folder, "full"));
      writeFileSync(join(folder, "full/kept"), "kept");
      expect(thrownCode(() => put("", "full", "x"))).toBe("ENOTEMPTY");
      expect(thrownCode(() => placeLeaf(root, linkAt("", "full"), options))).toBe("ENOTEMPTY");
      expect(readFileSync(join(folder, "full/kept"), "utf8")).toBe("kept");
      expect(readdirSync(join(folder, ".fanfold/partial"))).toEqual([]);
    });

    test("places a link over nothing, a file, another link and an empty directory, and never follows one", () => {
      const { folder, root } = open();
      const { outside, isUntouched } = canary();
      writeFileSync(join(folder, "file"), "old");
      symlinkSync(outside, join(folder, "link"));
      mkdirSync(join(folder, "empty"));
      for (const name of ["new", "file", "link", "empty", "link"])
        placeLeaf(root, linkAt("", name, "/no/where"), options);
      for (const name of ["new", "file", "link", "empty"]) {
        expect(readlinkSync(join(folder, name))).toBe("/no/where");
        expect(lstatSync(join(folder, name), { bigint: true }).mtimeNs / 1000n).toBe(1_600_000_000_123_456n);
      }
      expect(isUntouched()).toBe(true);
    });

    test("makes a link and a node although one of an earlier try is left in our own folder", () => {
      const { folder, root } = open();
      const { outside, isUntouched } = canary();
      const fifo = { ...linkAt("", "fifo"), kind: "fifo" as const };
      for (const leaf of [linkAt("", "link", "/no/where"), ...(root.native === undefined ? [] : [fifo])]) {
        symlinkSync(outside, join(folder, ".fanfold/partial/leaf-99"));
        placeLeaf(root, leaf, options);
      }
      expect(readlinkSync(join(folder, "link"))).toBe("/no/where");
      if (root.native !== undefined) expect(lstatSync(join(folder, "fifo")).isFIFO()).toBe(true);
      expect(readdirSync(join(folder, ".fanfold/partial"))).toEqual([]);
      expect(isUntouched()).toBe(true);
    });

    test("makes a directory over a file, a link and a FIFO; a directory stays, and can be filled", () => {
      const { folder, root, put } = open();
      const { outside, isUntouched } = canary();
      writeFileSync(join(folder, "file"), "old");
      symlinkSync(outside, join(folder, "link"));
      symlinkSync("nowhere", join(folder, "dangling"));
      makeFifo(join(folder, "fifo"));
      mkdirSync(join(folder, "there"));
      writeFileSync(join(folder, "there/kept"), "kept");
      chmodSync(join(folder, "there"), 0o500);
      for (const name of ["new", "file", "link", "dangling", "fifo", "there"]) {
        root.ensureDirectory(NOWHERE, bytes(name));
        put(name, "inner", name);
        expect(lstatSync(join(folder, name)).isDirectory()).toBe(true);
        // What no mode stops changes none.
        const mode = name === "there" && process.platform === "linux" && process.getuid?.() === 0 ? 0o500 : 0o700;
        expect(lstatSync(join(folder, name)).mode & 0o700).toBe(mode);
        expect(readFileSync(join(folder, name, "inner"), "utf8")).toBe(name);
      }
      expect(existsSync(join(folder, "there/kept"))).toBe(true);
      expect(isUntouched()).toBe(true);
    });

    test("does nothing through a parent that is a link, at any depth", () => {
      const { folder, root, put } = open();
      const { outside, isUntouched } = canary();
      mkdirSync(join(outside, "inner"));
      mkdirSync(join(folder, "real"));
      symlinkSync(outside, join(folder, "direct"));
      symlinkSync("../direct", join(folder, "real/second"));
      for (const parent of ["direct", "direct/inner", "real/second", "real/second/inner"]) {
        for (const work of [
          () => put(parent, "file", "x"),
          () => placeLeaf(root, linkAt(parent, "file"), options),
          () => root.ensureDirectory(bytes(parent), bytes("dir")),
          () => root.finishDirectory(bytes(parent), directory(0o700)),
        ])
          expect(["ENOTDIR", "ELOOP"]).toContain(thrownCode(work));
      }
      rmSync(join(outside, "inner"), { recursive: true });
      expect(isUntouched()).toBe(true);
    });

    test("never reaches a folder outside when a directory it knows is swapped for a link to there", () => {
      const { folder, root, put } = open();
      const { outside, isUntouched } = canary();
      root.ensureDirectory(NOWHERE, bytes("dir"));
      put("dir", "first", "x");
      const partial = root.partials.create(bytes("dir"), "50");
      closeSync(partial.fd);
      renameSync(join(folder, "dir"), join(folder, "moved"));
      symlinkSync(outside, join(folder, "dir"));
      const attempts = [
        () => put("dir", "file", "x"),
        () => root.commit(partial, bytes("dir"), bytes("file")),
        () => placeLeaf(root, linkAt("dir", "file"), options),
        () => root.ensureDirectory(bytes("dir"), bytes("new")),
        () => root.finishDirectory(bytes("dir"), directory(0o711)),
      ];
      for (const attempt of attempts) thrownCode(attempt);
      expect(isUntouched()).toBe(true);
    });

    test("sets modes that forbid everything, and times, last", () => {
      const { folder, root } = open();
      for (const mode of [0o555, 0o000, 0o1777, 0o2755]) {
        root.ensureDirectory(NOWHERE, bytes("dir"));
        root.finishDirectory(bytes("dir"), directory(mode));
        const stats = lstatSync(join(folder, "dir"), { bigint: true });
        expect([Number(stats.mode) & 0o7777, stats.mtimeNs / 1000n]).toEqual([mode, 1_600_000_000_123_456n]);
      }
      root.finishDirectory(NOWHERE, directory(0o750));
      expect(statSync(folder, { bigint: true }).mtimeNs / 1000n).toBe(1_600_000_000_123_456n);
      expect(statSync(folder).mode & 0o7777).toBe(0o750);
    });

    test("clears what is left of partial files, whatever it is, and never what a link there points to", () => {
      const folder = tempFolder();
      const { outside, isUntouched } = canary();
      mkdirSync(join(folder, ".fanfold/partial/dir/inner"), { recursive: true });
      writeFileSync(join(folder, ".fanfold/partial/7"), "half");
      symlinkSync(outside, join(folder, ".fanfold/partial/link-8"));
      open(folder);
      expect(readdirSync(join(folder, ".fanfold/partial"))).toEqual([]);
      expect(isUntouched()).toBe(true);
    });

    test("never writes its partial files through a link in the place of their folder", () => {
      const folder = tempFolder();
      const { outside, isUntouched } = canary();
      mkdirSync(join(folder, ".fanfold"));
      symlinkSync(outside, join(folder, ".fanfold/partial"));
      const { put } = open(folder);
      put("", "a", "a");
      expect(isUntouched()).toBe(true);
      expect(readFileSync(join(folder, "a"), "utf8")).toBe("a");
    });
  },
);

test("Root gives back every descriptor it opened", () => {
  const folder = tempFolder();
  const openDescriptors = (): number => readdirSync("/proc/self/fd").length;
  const before = openDescriptors();
  const root = Root.open(bytes(folder));
  root.partials.prepare(NOW_MS, () => false);
  for (let index = 0; index < 600; index += 1) {
    root.ensureDirectory(NOWHERE, bytes(`d${index}`));
    root.ensureDirectory(bytes(`d${index}`), bytes("inner"));
  }
  expect(openDescriptors()).toBeLessThan(before + 300);
  root[Symbol.dispose]();
  expect(openDescriptors()).toBe(before);
});

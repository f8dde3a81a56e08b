import { spawnSync } from "node:child_process";
import {
  closeSync,
  constants,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { namesByPath } from "../../../src/lib/disk/directory-names.ts";
import { type EntryStats, entryStats } from "../../../src/lib/disk/entry-stats.ts";
import { NameList } from "../../../src/lib/disk/name-list.ts";
import { loadNative } from "../../../src/lib/disk/native.ts";
import type { Native } from "../../../src/lib/disk/native-calls.ts";
import { StatxBuffer } from "../../../src/lib/disk/statx-stats.ts";
import { TakenName } from "../../../src/lib/disk/taken-name.ts";
import { memoryFolder, tempFolder } from "../../helpers/disks/temp-folder.ts";
import { thrown, thrownCode } from "../../helpers/thrown.ts";
import { makeFifo } from "../../helpers/trees/special-files.ts";

const isRoot = process.getuid?.() === 0;
afterEach(() => vi.unstubAllEnvs());

function native(): Native {
  const calls = loadNative();
  if (calls === undefined) throw new Error("no native calls on this machine");
  return calls;
}

function taken(name: string): TakenName {
  const into = new TakenName();
  expect(into.take(Buffer.from(name))).toBe(true);
  return into;
}

function openFile(path: string, flags: string): number {
  const fd = openSync(path, flags);
  onTestFinished(() => closeSync(fd));
  return fd;
}

describe.skipIf(process.platform !== "linux")("loadNative()", () => {
  test("gives nothing when FANFOLD_NATIVE is 0, and the calls otherwise", () => {
    vi.stubEnv("FANFOLD_NATIVE", "0");
    expect(loadNative()).toBeUndefined();
    vi.unstubAllEnvs();
    expect(loadNative()).toBe(native());
  });

  test("serves several threads that come and go", async () => {
    const module = new URL("../../../src/lib/disk/native.ts", import.meta.url).href;
    const program = `import(${JSON.stringify(module)}).then(({ loadNative }) => {
      require("node:worker_threads").parentPort.postMessage(loadNative().listAttributes(Buffer.from("/")).length);
    })`;
    const threads = Array.from({ length: 6 }, () => {
      const worker = new Worker(program, { eval: true });
      return new Promise<number>((resolve, reject) => {
        worker.once("error", reject);
        worker.once("message", (count: number) => {
          worker.terminate().then(() => resolve(count), reject);
        });
      });
    });
    expect(await Promise.all(threads)).toHaveLength(6);
  });

  test("is not asked by a command that needs no files", () => {
    const cli = new URL("../../../src/cli.ts", import.meta.url).pathname;
    const trace = join(tempFolder(), "trace");
    const listing = `process.on("exit", () => require("node:fs").writeFileSync(${JSON.stringify(trace)}, JSON.stringify(process.report.getReport().sharedObjects)))`;
    const hook = join(tempFolder(), "hook.cjs");
    writeFileSync(hook, listing);
    expect(spawnSync(process.execPath, ["--require", hook, cli, "--version"]).status).toBe(0);
    expect(String(spawnSync("cat", [trace]).stdout)).toContain("libc");
    expect(String(spawnSync("cat", [trace]).stdout)).not.toContain("koffi");
  });
});

describe.skipIf(process.platform !== "linux")("native calls", () => {
  test("find what is data and what is a hole, beyond 4 GiB too", () => {
    const path = join(tempFolder(), "sparse");
    const fd = openFile(path, "w+");
    const far = 5 * 2 ** 30;
    ftruncateSync(fd, far + 2 ** 20);
    writeSync(fd, Buffer.alloc(4096, 1), 0, 4096, far);
    const data = native().seekData(fd, 0);
    expect(data).toBe(far);
    expect(native().seekHole(fd, 0)).toBe(0);
    expect(native().seekHole(fd, far)).toBe(far + 4096);
    expect(native().seekData(fd, far + 4096)).toBeUndefined();
    expect(thrownCode(() => native().seekHole(fd, far + 2 ** 21))).toBe("ENXIO");
  });

  test.each([
    { seconds: 1_700_000_000, nanoseconds: 123_456_789 },
    { seconds: -1, nanoseconds: 999_999_999 },
    { seconds: -1_000_000_000, nanoseconds: 1 },
    { seconds: 2 ** 33, nanoseconds: 987_654_321 },
  ])("set the time $seconds.$nanoseconds exactly, and leave that of the access", (time) => {
    const folder = tempFolder();
    const link = join(folder, "link");
    symlinkSync("file", link);
    const fd = openFile(join(folder, "file"), "w");
    const accessed = statSync(join(folder, "file"), { bigint: true }).atimeNs;
    const wanted = BigInt(time.seconds) * 1_000_000_000n + BigInt(time.nanoseconds);
    native().setTimes(Buffer.from(link), time);
    expect(lstatSync(link, { bigint: true }).mtimeNs).toBe(wanted);
    expect(statSync(link, { bigint: true }).mtimeNs).not.toBe(wanted);
    native().setTimes(fd, time);
    expect(statSync(link, { bigint: true })).toMatchObject({ mtimeNs: wanted, atimeNs: accessed });
  });

  test("carry attributes of files by path and by descriptor, with any bytes, and never through a link", () => {
    const folder = tempFolder();
    const path = Buffer.from(join(folder, "file"));
    const link = Buffer.from(join(folder, "link"));
    const fd = openFile(path.toString(), "w");
    symlinkSync("file", link);
    const name = Buffer.concat([Buffer.from("user."), Buffer.from([0xff, 0x0a, 0x80])]);
    const value = Buffer.from([0, 1, 255, 0]);
    native().setAttribute(path, name, value);
    native().setAttribute(fd, Buffer.from("user.empty"), Buffer.alloc(0));
    expect(native().listAttributes(fd).map(String).toSorted()).toEqual([String(name), "user.empty"].toSorted());
    expect(native().getAttribute(path, name)).toEqual(value);
    expect(native().getAttribute(path, Buffer.from("user.empty"))).toEqual(Buffer.alloc(0));
    expect(native().getAttribute(link, name)).toBeUndefined();
    expect(thrownCode(() => native().setAttribute(link, name, value))).toBe("EPERM");
    native().removeAttribute(path, name);
    native().removeAttribute(fd, name);
    expect(native().listAttributes(path).map(String)).toEqual(["user.empty"]);
  });

  test("list attributes whose names take more room than most", () => {
    const folder = tempFolder();
    const path = Buffer.from(join(folder, "file"));
    const fd = openFile(path.toString(), "w");
    const names = Array.from({ length: 24 }, (_, index) => `user.${String(index).padStart(100, "n")}`);
    for (const name of names) native().setAttribute(fd, Buffer.from(name), Buffer.alloc(0));
    const directory = openFile(folder, "r");
    for (const place of [fd, path, { directory, name: Buffer.from("file") }])
      expect(native().listAttributes(place).map(String).toSorted()).toEqual(names.toSorted());
  });

  test("make a FIFO, and as root a device", () => {
    const folder = tempFolder();
    const fifo = join(folder, "fifo");
    native().makeNode(Buffer.from(fifo), constants.S_IFIFO | 0o600);
    expect(lstatSync(fifo).isFIFO()).toBe(true);
    expect(thrownCode(() => native().makeNode(Buffer.from(fifo), constants.S_IFIFO | 0o600))).toBe("EEXIST");
    if (!isRoot) return;
    const device = join(folder, "device");
    native().makeNode(Buffer.from(device), constants.S_IFCHR | 0o600, { major: 300, minor: 70_000 });
    const shown = spawnSync("stat", ["-c", "%t %T", device], { encoding: "utf8" }).stdout.trim();
    expect(shown.split(" ").map((hex) => Number.parseInt(hex, 16))).toEqual([300, 70_000]);
  });

  test("sync the file system of a descriptor, and say when they cannot", async () => {
    const fd = openFile(tempFolder(), "r");
    await native().syncFileSystem(fd);
    native().syncFileSystemNow(fd);
    expect(() => native().syncFileSystemNow(-1)).toThrow(/EBADF/);
    await expect(native().syncFileSystem(-1)).rejects.toMatchObject({ code: "EBADF", syscall: "syncfs" });
  });

  test("throw as node:fs does, and take no NUL for an end", () => {
    const missing = Buffer.from(join(tempFolder(), "missing"));
    const time = { seconds: 0, nanoseconds: 0 };
    expect(thrown(() => native().setTimes(missing, time))).toMatchObject({
      code: "ENOENT",
      syscall: "utimensat",
      message: "ENOENT: no such file or directory, utimensat",
    });
    const folder = tempFolder();
    mkdirSync(join(folder, "a"));
    expect(thrownCode(() => native().setTimes(Buffer.from(`${folder}/a\0b`), time))).toBe("EINVAL");
    expect(thrownCode(() => native().getAttribute(Buffer.from(folder), Buffer.from("user.x\0y")))).toBe("EINVAL");
    expect(
      thrownCode(() => native().setAttribute(Buffer.from(folder), Buffer.from("nonsense.x"), Buffer.alloc(1))),
    ).toBe("ENOTSUP");
  });

  test("lock bytes of a file for who opened it, beyond 4 GiB too, until it is closed", () => {
    const path = join(tempFolder(), "locked");
    const [one, other] = [openSync(path, "w+"), openFile(path, "r+")];
    const write = { kind: "write", startBytes: 5 * 2 ** 30, lengthBytes: 2 } as const;
    const read = { ...write, kind: "read" } as const;
    expect(native().lockRange(one, write)).toBe(true);
    expect([native().lockRange(other, write), native().lockRange(other, read)]).toEqual([false, false]);
    for (const startBytes of [write.startBytes - 1, write.startBytes + 2])
      expect(native().lockRange(other, { ...write, startBytes, lengthBytes: 1 })).toBe(true);
    closeSync(openSync(path, "r"));
    expect(native().lockRange(other, read)).toBe(false);
    expect(native().lockRange(one, read)).toBe(true);
    expect([native().lockRange(other, read), native().lockRange(other, write)]).toEqual([true, false]);
    closeSync(one);
    expect(native().lockRange(other, write)).toBe(true);
    expect(thrownCode(() => native().lockRange(openFile(path, "r"), write))).toBe("EBADF");
  });
});

describe.skipIf(process.platform !== "linux")("calls for names in an open directory", () => {
  test("statName() says of every kind of entry what lstat does, and undefined of none", () => {
    const folder = tempFolder();
    writeFileSync(join(folder, "file"), "content", { mode: 0o640 });
    writeFileSync(join(folder, "old"), "");
    utimesSync(join(folder, "old"), "-1.5", "-1.5");
    truncateSync(join(folder, "old"), 2 ** 40);
    mkdirSync(join(folder, "directory"));
    symlinkSync("nowhere", join(folder, "link"));
    makeFifo(join(folder, "fifo"));
    symlinkSync("/dev/null", join(folder, "to null"));
    const directory = openFile(folder, "r");
    const device = openFile("/dev", "r");
    const places = ["file", "old", "directory", "link", "fifo", "to null"].map((name) => ({ directory, name }));
    for (const { directory: fd, name } of [...places, { directory: device, name: "null" }]) {
      const path = join(fd === device ? "/dev" : folder, name);
      expect(traitsOf(native().statName({ directory: fd, name: Buffer.from(name) })), name).toEqual(
        traitsOf(entryStats(lstatSync(path, { bigint: true }))),
      );
    }
    expect(native().statName({ directory, name: Buffer.from("none") })).toBeUndefined();
  });

  test("a name that was taken leads to the same, and where it cannot be told, nothing is thrown", () => {
    const folder = tempFolder();
    writeFileSync(join(folder, "file"), "content", { mode: 0o640 });
    symlinkSync("nowhere", join(folder, "link"));
    const directory = openFile(folder, "r");
    const [quick, usual] = [new StatxBuffer(), new StatxBuffer()];
    for (const name of ["file", "link"]) {
      expect(native().lookTaken(directory, taken(name), quick)).toBe(
        native().lookName(directory, Buffer.from(name), usual),
      );
      expect(traitsOf(quick.take())).toEqual(traitsOf(usual.take()));
    }
    const fd = native().openTaken(directory, taken("file"), constants.O_RDONLY | constants.O_NOFOLLOW);
    const content = Buffer.alloc(7);
    expect([native().readAt(fd, content, 0), content.toString()]).toEqual([7, "content"]);
    native().close(fd);
    expect(native().lookTaken(directory, taken("none"), quick)).toBe(false);
    expect(native().openTaken(directory, taken("none"), constants.O_RDONLY)).toBeLessThan(0);
    expect(native().openTaken(directory, taken("link"), constants.O_NOFOLLOW)).toBeLessThan(0);
  });

  test("fail as calls by path do", () => {
    const folder = tempFolder();
    symlinkSync("/etc/hostname", join(folder, "link"));
    const directory = openFile(folder, "r");
    const read = constants.O_RDONLY | constants.O_NOFOLLOW;
    const codeOf = (name: Uint8Array): unknown => thrownCode(() => native().openName({ directory, name }, read));
    expect(codeOf(Buffer.from("none"))).toBe("ENOENT");
    expect(codeOf(Buffer.from("link"))).toBe("ELOOP");
    expect(codeOf(Buffer.alloc(256, "n"))).toBe("ENAMETOOLONG");
    expect(codeOf(Buffer.from("a\0b"))).toBe("EINVAL");
    expect(thrownCode(() => native().listAttributes({ directory, name: Buffer.from("none") }))).toBe("ENOENT");
  });

  test("attributes of a name are those of what stands there, and of a link none of what it leads to", () => {
    const folder = memoryFolder();
    writeFileSync(join(folder, "file"), "");
    symlinkSync("file", join(folder, "link"));
    native().setAttribute(Buffer.from(join(folder, "file")), Buffer.from("user.a"), Buffer.from("b"));
    const directory = openFile(folder, "r");
    const [file, link] = ["file", "link"].map((name) => ({ directory, name: Buffer.from(name) }));
    if (file === undefined || link === undefined) throw new Error("no places");
    expect(native().listAttributes(file).map(String)).toEqual(["user.a"]);
    expect(String(native().getAttribute(file, Buffer.from("user.a")))).toBe("b");
    expect(native().listAttributes(link)).toEqual([]);
    const lengthOf = (name: string): number => native().attributesTaken(directory, taken(name));
    // Older systems cannot tell it in this way.
    expect([
      ["user.a".length + 1, 0],
      [-1, -1],
    ]).toContainEqual([lengthOf("file"), lengthOf("link")]);
    expect(lengthOf("none")).toBeLessThan(0);
  });

  test("readNames() gives every name of a large directory, whatever its bytes, and again from the beginning", () => {
    const folder = tempFolder();
    const odd = [Buffer.from([0xff, 0x0a]), Buffer.from("..a"), Buffer.from("..."), Buffer.alloc(255, "n")];
    const names = [...odd, ...Array.from({ length: 3000 }, (_, index) => Buffer.from(`a longer name ${index}`))];
    const directory = openFile(folder, "r");
    for (const name of names) writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), name]), "");
    const textsOf = (some: Iterable<Buffer[]>) => [...some].flat().map((name) => name.toString("latin1"));
    const wanted = names.map((name) => name.toString("latin1")).sort();
    for (let round = 0; round < 2; round += 1) expect(textsOf(native().readNames(directory)).sort()).toEqual(wanted);
    const list = new NameList();
    for (let isFirst = true; native().moreNames?.(directory, list, isFirst) === true; ) isFirst = false;
    const listed = Array.from({ length: list.count }, (_, index) => list.name(index).toString("latin1"));
    expect(listed.sort()).toEqual(wanted);
    expect(textsOf(namesByPath(Buffer.from(folder))).sort()).toEqual(wanted);
    const file = openFile(join(folder, "..."), "r");
    expect(thrownCode(() => [...native().readNames(file)])).toBe("ENOTDIR");
  });

  test("what openName() makes has the mode, and renameName() puts it in the place of another", () => {
    const folder = tempFolder();
    writeFileSync(join(folder, "b"), "old");
    mkdirSync(join(folder, "full"));
    const directory = openFile(folder, "r");
    const [a, b, full] = ["a", "b", "full"].map((name) => ({ directory, name: Buffer.from(name) }));
    if (a === undefined || b === undefined || full === undefined) throw new Error("no places");
    const fd = native().openName(a, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
    writeSync(fd, "new");
    expect(traitsOf(native().statOpen(fd))).toEqual(
      traitsOf(entryStats(lstatSync(join(folder, "a"), { bigint: true }))),
    );
    expect(statSync(join(folder, "a")).mode & 0o777).toBe(0o600);
    native().close(fd);
    expect(thrownCode(() => native().statOpen(fd))).toBe("EBADF");
    expect(thrownCode(() => native().renameName(a, full))).toBe("EISDIR");
    native().renameName(a, b);
    expect(readFileSync(join(folder, "b"), "utf8")).toBe("new");
    expect(thrownCode(() => native().renameName(a, b))).toBe("ENOENT");
  });
});

/** What both ways of asking give. */
function traitsOf(stats: EntryStats | undefined) {
  if (stats === undefined) return undefined;
  const { dev, ino, mode, nlink, uid, gid, size, blocks, mtimeNs, ctimeNs, ctimeMs } = stats;
  const kinds = [stats.isFile(), stats.isDirectory(), stats.isSymbolicLink(), stats.isFIFO(), stats.isSocket()];
  const rdev = stats.isCharacterDevice() ? stats.rdev : undefined;
  return { dev, ino, mode, nlink, uid, gid, size, blocks, mtimeNs, ctimeNs, ctimeMs, kinds, rdev };
}

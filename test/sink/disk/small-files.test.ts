import {
  closeSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { loadNative } from "../../../src/lib/disk/native.ts";
import type { FileEntry } from "../../../src/protocol/frame/page.ts";
import { FidelityTally } from "../../../src/protocol/messages/fidelity.ts";
import { Root } from "../../../src/sink/disk/root.ts";
import type { RootOptions } from "../../../src/sink/disk/root-options.ts";
import { SmallFiles } from "../../../src/sink/disk/small-files.ts";
import { PartialFiles } from "../../../src/sink/own/partial-files.ts";
import { prepareFolder } from "../../../src/sink/own/probe-folder.ts";
import { file, finalOf } from "../../helpers/copies/hand-source.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";

const isRoot = process.getuid?.() === 0;
const CONTENT = Buffer.from("content");
const MTIME = { seconds: 1_600_000_000, nanoseconds: 123_456_789 };
const SIZE = { size: CONTENT.length };

function begin(options: RootOptions = {}) {
  const folder = tempFolder();
  mkdirSync(join(folder, "in"));
  const tally = new FidelityTally();
  const root = Root.open(Buffer.from(folder), { tally, ...options });
  onTestFinished(() => root[Symbol.dispose]());
  prepareFolder(root, 0, () => false);
  const small = new SmallFiles(root);
  const directory = Buffer.from("in");
  const entry = (name: string, change: Partial<FileEntry> = {}) =>
    ({ ...file(name, CONTENT.length), directory, ...change }) as FileEntry;
  return {
    root,
    folder,
    entry,
    place: (one: FileEntry, mode = 0o644, bytes = CONTENT) =>
      small.place(one, bytes, { ...finalOf(bytes), mode, mtime: MTIME }),
    at: (name: string) => join(folder, "in", name),
    left: () => readdirSync(join(folder, ".fanfold/partial")),
    told: () => tally.report(),
  };
}

describe.runIf(loadNative() !== undefined)("a small file that comes whole", () => {
  test("has its content, mode and time under its name, the first and each further one of a directory", () => {
    const { place, entry, at, left, told } = begin();
    for (const [number, mode] of [0o644, 0o644, 0o666, 0o400, 0o666, 0o000, 0o777].entries()) {
      expect(place(entry(`f${number}`, { entry: number + 1 }), mode)).toBe("named");
      const { mode: found, mtimeNs } = lstatSync(at(`f${number}`), { bigint: true });
      expect([Number(found) & 0o7777, mtimeNs]).toEqual([mode, 1_600_000_000_123_456_789n]);
      if (isRoot || mode >= 0o400) expect(readFileSync(at(`f${number}`))).toEqual(CONTENT);
    }
    expect(place(entry("empty", { entry: 9, size: 0 }), 0o644, Buffer.alloc(0))).toBe("named");
    expect([lstatSync(at("empty")).size, left(), told()]).toEqual([0, [], []]);
  });

  test("takes the place of a file or a link, which is not followed", () => {
    const { place, entry, at, folder } = begin();
    writeFileSync(join(folder, "elsewhere"), "elsewhere");
    writeFileSync(at("file"), "before");
    symlinkSync("../elsewhere", at("link"));
    for (const [number, name] of ["file", "link"].entries()) {
      expect(place(entry(name, { entry: number + 1 }))).toBe("named");
      expect([lstatSync(at(name)).isFile(), readFileSync(at(name))]).toEqual([true, CONTENT]);
    }
    expect(readFileSync(join(folder, "elsewhere"), "utf8")).toBe("elsewhere");
  });

  test("is handed back when a directory that holds something is in its place", () => {
    const { place, entry, at, left, root } = begin();
    mkdirSync(at("file/full"), { recursive: true });
    const draft = place(entry("file", { entry: 1 }));
    if (draft === undefined || draft === "named") throw new Error("it was not handed back");
    expect(left()).toEqual([draft.name.toString()]);
    root.partials.discard(draft);
    expect([left(), readdirSync(at("file"))]).toEqual([[], ["full"]]);
  });

  test("takes the place of what is left under the name of its partial file", () => {
    const { place, entry, at, folder, left } = begin();
    writeFileSync(join(folder, ".fanfold/partial/1"), "from another time, and longer");
    expect(place(entry("file", { entry: 1 }))).toBe("named");
    expect([readFileSync(at("file")), left()]).toEqual([CONTENT, []]);
  });

  test.runIf(isRoot)("belongs to whom it belonged, also when others of its directory belong to others", () => {
    const { place, entry, at, told } = begin();
    const owners = [
      { uid: 12_345, gid: 23_456 },
      { uid: 0, gid: 0 },
    ];
    for (let number = 0; number < 6; number += 1) {
      const owner = owners[number % 2];
      expect(place(entry(`f${number}`, { entry: number + 1, owner }), 0o666)).toBe("named");
      const { uid, gid, mode } = lstatSync(at(`f${number}`));
      expect([{ uid, gid }, mode & 0o7777]).toEqual([owner, 0o666]);
    }
    expect(told()).toEqual([]);
  });

  test.each<[what: string, change: Partial<FileEntry>, mode: number, options: RootOptions]>([
    ["attributes", { attributes: [{ name: Buffer.from("user.a"), value: Buffer.from("b") }] }, 0o644, {}],
    ["holes", { roomBytes: 0 }, 0o644, {}],
    ["a beginning that an earlier session may have kept", { size: 128 * 1024 }, 0o644, {}],
    ["a set-user-id bit", SIZE, 0o4755, {}],
    ["a sticky bit", SIZE, 0o1644, {}],
    ["a sync of its own", SIZE, 0o644, { fsync: () => undefined }],
    ["no native calls", SIZE, 0o644, { native: undefined }],
  ])("is left to the careful way with %s, and nothing of it is made", (_, change, mode, options) => {
    const { place, entry, at, left } = begin(options);
    expect(place(entry("file", { entry: 1, ...change }), mode)).toBeUndefined();
    expect([left(), readdirSync(at("."))]).toEqual([[], []]);
  });

  test("is left to it where modes or times are not carried", () => {
    for (const keeps of [
      { perms: false, times: true },
      { perms: true, times: false },
    ]) {
      const { place, entry, root, left } = begin();
      root.keeps = keeps;
      expect([place(entry("file", { entry: 1 })), left()]).toEqual([undefined, []]);
    }
  });

  test("is left to it when what was made is not as it should be, and so are all like it in its directory", () => {
    const { place, entry, at, left, root } = begin();
    const { native } = root;
    if (native === undefined) throw new Error("there are no native calls");
    let timesSet = 0;
    const setTimes = (): void => {
      timesSet += 1;
    };
    const forgetful = { ...native, setTimes };
    Object.defineProperty(root, "native", { value: forgetful });
    for (const number of [1, 2, 3]) expect(place(entry("file", { entry: number }))).toBeUndefined();
    expect([timesSet, left(), readdirSync(at("."))]).toEqual([1, [], []]);
  });

  test("has no content yet when it is left to it because it lies where others may open it", () => {
    const { place, entry, folder, root } = begin();
    const { partials } = root;
    const opened: number[] = [];
    vi.spyOn(partials, "create").mockImplementation((...made) => {
      const partial = PartialFiles.prototype.create.apply(partials, made);
      opened.push(openSync(join(folder, ".fanfold/partial", partial.name.toString()), "r"));
      return { ...partial, isBare: false };
    });
    for (const number of [1, 2]) expect(place(entry("file", { entry: number }))).toBeUndefined();
    // The second one of the same mode is not even made.
    expect(opened.map((fd) => fstatSync(fd).size)).toEqual([0]);
    for (const fd of opened) closeSync(fd);
  });

  test("is left to it when it cannot be written, and nothing of it stays", () => {
    const { place, entry, at, left, root } = begin();
    const { native } = root;
    if (native === undefined) throw new Error("there are no native calls");
    const refusing = {
      ...native,
      setTimes: () => {
        throw Object.assign(new Error("no"), { code: "EPERM" });
      },
    };
    Object.defineProperty(root, "native", { value: refusing });
    expect(place(entry("file", { entry: 1 }))).toBeUndefined();
    expect([left(), readdirSync(at("."))]).toEqual([[], []]);
  });
});

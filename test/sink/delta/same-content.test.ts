import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { FileEntry } from "../../../src/protocol/frame/page.ts";
import { DELTA_FILE_BYTES_MIN, LEAF_BYTES, PIECE_HASH_BYTES } from "../../../src/protocol/limits.ts";
import { noise } from "../../delta/recipes.ts";
import {
  AS_LISTED,
  dataFrame,
  directory,
  file,
  finalOf,
  symlink,
  TIME,
  unchanged,
} from "../../helpers/copies/hand-source.ts";
import { copied, named, sendWhole } from "../../helpers/copies/proven-copy.ts";
import { beginRecipes, putOwn, type RecipeEngineOptions } from "../../helpers/copies/recipe-engine.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";

const OLD = noise(1, 3000);
const LATER = { seconds: TIME.seconds + 1, nanoseconds: 0 };
const NEW: RecipeEngineOptions = { entry: named("new") };

/** What a sink offers of `new`, in a folder that has a proven `file`. */
function begin(bytes = OLD, options = NEW, old = bytes, folder = tempFolder()) {
  copied(folder, old);
  return { folder, ...beginRecipes(folder, bytes, options) };
}

const hashOf = (bytes: Buffer): string =>
  Buffer.from(finalOf(bytes).hash.subarray(0, PIECE_HASH_BYTES)).toString("base64");
const offerOf = (bytes: Buffer) => ({ bits: Buffer.from([2]).toString("base64"), hashes: hashOf(bytes) });

function expectWhole({ folder, problems }: ReturnType<typeof begin>, bytes: Buffer, name = "new"): void {
  expect(problems).toEqual([]);
  expect(readFileSync(join(folder, name)).equals(bytes)).toBe(true);
}

describe("a small file that is new under its name", () => {
  test.each([
    ["a few bytes", 300],
    ["some leaves", 3 * LEAF_BYTES + 5],
    ["what an interrupted copy would go on with", 9 * LEAF_BYTES],
    ["the most", DELTA_FILE_BYTES_MIN - 1],
  ])("is made of one that looks the same, when nothing but its close mark comes (%s)", (_, size) => {
    const bytes = noise(2, size);
    const sink = begin(bytes);
    expect(sink.wants).toEqual([{ type: "want", page: 0, want: "all", same: offerOf(bytes) }]);
    sink.send([dataFrame([], [{ entry: 1, final: sink.final }])]);
    expect(sink.engine.counts).toMatchObject({ bytesDone: size, bytesKept: size, filesDone: 1 });
    sink.finish();
    sink.prove();
    expectWhole(sink, bytes);
    expect(statSync(join(sink.folder, "new")).mode & 0o777).toBe(0o644);
    expect(readdirSync(join(sink.folder, ".fanfold/partial"))).toEqual([]);
  });

  test("takes no room before its close mark comes", () => {
    const { folder } = begin();
    expect(readdirSync(join(folder, ".fanfold/partial"))).toEqual([]);
  });

  test.each([
    ["a file", file("file", 3)],
    ["a link", symlink("file", "new")],
    ["a directory", directory("file")],
  ])("is made of it although %s of this copy takes its place before the close mark comes", (_, other) => {
    for (const size of [300, 9 * LEAF_BYTES]) {
      const bytes = noise(2, size);
      const sink = begin(bytes);
      sink.accept(sink.source.page([other]).payload);
      const another = Buffer.from("new");
      if (other.kind === "file")
        sink.send([dataFrame([{ entry: 2, bytes: another }], [{ entry: 2, final: finalOf(another) }])]);
      sink.send([dataFrame([], [{ entry: 1, final: sink.final }])]);
      expectWhole(sink, bytes);
      expect(readdirSync(join(sink.folder, ".fanfold/partial"))).toEqual([]);
    }
  });

  test("comes as it is when it was made already, and the source has other content", () => {
    const [bytes, another] = [noise(3, 9 * LEAF_BYTES), Buffer.from("new")];
    const sink = begin(bytes, { ...NEW, more: [file("file", 3)] }, noise(4, bytes.length));
    sink.send([dataFrame([{ entry: 2, bytes: another }], [{ entry: 2, final: finalOf(another) }])]);
    expect(readdirSync(join(sink.folder, ".fanfold/partial"))).toHaveLength(1);
    sendWhole(sink, bytes);
    expectWhole(sink, bytes);
    expect(readdirSync(join(sink.folder, ".fanfold/partial"))).toEqual([]);
  });

  test.each([
    ["removes it", (path: string) => rmSync(path)],
    ["writes to it", (path: string) => writeFileSync(path, "another")],
  ])("is a problem when somebody else %s before the close mark comes, and the next session wants it", (_, spoil) => {
    const sink = begin();
    spoil(join(sink.folder, "file"));
    sink.send([dataFrame([], [{ entry: 1, final: sink.final }])]);
    sink.finish();
    expect(sink.problems).toMatchObject([{ path: "new", kind: "not-carried" }]);
    expect(existsSync(join(sink.folder, "new"))).toBe(false);
    sink[Symbol.dispose]();
    expect(beginRecipes(sink.folder, OLD, NEW).wants).toEqual([{ type: "want", page: 0, want: "all" }]);
  });

  test.each(["no close mark alone", "a close mark alone"])("takes the room that its page said, once (%s)", (what) => {
    const sink = begin(OLD, { ...NEW, freeBytes: () => OLD.length });
    if (what === "a close mark alone") sink.send([dataFrame([], [{ entry: 1, final: sink.final }])]);
    else sendWhole(sink, OLD);
    const page = (size: number) => () => sink.accept(sink.source.page([file(`more-${size}`, size)]).payload);
    expect(page(OLD.length)).not.toThrow();
    expect(page(1)).toThrow("cannot store the copy");
  });

  test("comes as it is when the source has other content", () => {
    for (const bytes of [noise(3, OLD.length), noise(3, 9 * LEAF_BYTES)]) {
      const sink = begin(bytes, NEW, noise(4, bytes.length));
      expect(sink.wants[0]?.same).toEqual(offerOf(noise(4, bytes.length)));
      sendWhole(sink, bytes);
      sink.finish();
      expectWhole(sink, bytes);
    }
  });

  test("comes from where it has grown behind what is here", () => {
    const [bytes, more] = [noise(3, 4 * LEAF_BYTES), noise(4, 100)];
    const sink = begin(bytes);
    const final = finalOf(Buffer.concat([bytes, more]));
    sink.send([dataFrame([{ entry: 1, offset: bytes.length, bytes: more }], [{ entry: 1, final }])]);
    expectWhole(sink, Buffer.concat([bytes, more]));
  });

  test("is the source's fault when its close mark says other content, and none comes", () => {
    const sink = begin();
    expect(() =>
      sink.send([dataFrame([], [{ entry: 1, final: { ...sink.final, hash: finalOf(noise(5, 9)).hash } }])]),
    ).toThrow("differ");
    expect(existsSync(join(sink.folder, "new"))).toBe(false);
  });

  test("may not have another name and another time, be large or empty, or have holes", () => {
    const same = (entry: Partial<FileEntry>, bytes = OLD) => begin(bytes, { entry }).wants[0]?.same;
    expect(same({ ...named("new"), mtime: LATER })).toBeUndefined();
    expect(same({ ...named("new"), roomBytes: 512 })).toBeUndefined();
    expect(same(named("new"), noise(2, DELTA_FILE_BYTES_MIN))).toBeUndefined();
    expect(same(named("new"), Buffer.alloc(0))).toBeUndefined();
  });

  test("has the hash that its page tells, if that tells one", () => {
    const same = (hash: Uint8Array) => begin(OLD, { entry: { ...named("new"), hash } }).wants[0]?.same;
    expect(same(finalOf(OLD).hash)).toEqual(offerOf(OLD));
    expect(same(finalOf(noise(2, 9)).hash)).toBeUndefined();
  });

  test("is not made of one that has rotted, is gone, or has become longer", () => {
    for (const spoil of [
      (path: string) => writeFileSync(path, noise(7, OLD.length)),
      (path: string) => rmSync(path),
      (path: string) => writeFileSync(path, OLD, { flag: "a" }),
    ]) {
      const folder = tempFolder();
      copied(folder, OLD);
      spoil(join(folder, "file"));
      const sink = beginRecipes(folder, OLD, NEW);
      expect(sink.wants).toEqual([{ type: "want", page: 0, want: "all" }]);
      expect(readdirSync(join(folder, ".fanfold/partial"))).toEqual([]);
    }
  });

  test("is not looked for where the manifest is damaged, or has far more bytes than what is wanted", () => {
    expect(begin(noise(1, 3)).wants[0]?.same).toBeUndefined();
    const folder = tempFolder();
    copied(folder, OLD);
    writeFileSync(join(folder, ".fanfold/manifest"), "fanfoldM");
    expect(beginRecipes(folder, OLD, NEW).wants[0]?.same).toBeUndefined();
  });

  test("leaves nothing behind when the copy is broken off", () => {
    const [bytes, another] = [noise(3, 9 * LEAF_BYTES), Buffer.from("new")];
    const sink = begin(bytes, { ...NEW, more: [file("file", 3)] });
    sink.send([dataFrame([{ entry: 2, bytes: another }], [{ entry: 2, final: finalOf(another) }])]);
    expect(readdirSync(join(sink.folder, ".fanfold/partial"))).toHaveLength(1);
    sink[Symbol.dispose]();
    expect(readdirSync(join(sink.folder, ".fanfold/partial"))).toEqual([]);
  });
});

describe("a close mark alone, of a file that a sink did not want,", () => {
  test("leaves its own alone when that is the same", () => {
    const folder = tempFolder();
    const path = putOwn(folder, OLD, true);
    const { ino, ctimeMs } = statSync(path);
    const sink = beginRecipes(folder, OLD);
    expect(sink.wants[0]?.want).toBe("none");
    sink.send([dataFrame([], [{ entry: 1, final: sink.final }])]);
    sink.finish();
    expect(sink.problems).toEqual([]);
    expect(statSync(path)).toMatchObject({ ino, ctimeMs });
  });

  test("is a problem when its own has other content, and the next session wants it", () => {
    const folder = tempFolder();
    putOwn(folder, noise(9, OLD.length), true);
    const sink = beginRecipes(folder, OLD);
    sink.send([dataFrame([], [{ entry: 1, final: sink.final }])]);
    sink.finish();
    expect(sink.problems).toMatchObject([{ path: "file", kind: "not-carried" }]);
    expect(beginRecipes(folder, OLD).wants[0]?.want).toBe("all");
  });
});

test("a file that was taken as unchanged since is known as well", () => {
  const folder = tempFolder();
  copied(folder, OLD);
  {
    using again = beginRecipes(folder, OLD);
    again.accept(again.source.trailer(again.page, [AS_LISTED, unchanged(OLD)]));
    again.accept(again.source.end());
    again.prove();
  }
  expect(beginRecipes(folder, OLD, NEW).wants[0]?.same).toEqual(offerOf(OLD));
});

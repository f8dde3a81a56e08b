import { existsSync, readdirSync, readFileSync, rmdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { encodeWalked } from "../../../src/protocol/frame/marks.ts";
import { KEEPS_ALL } from "../../../src/protocol/frame/page.ts";
import {
  AS_LISTED,
  dataFrame,
  delivered,
  directory,
  file,
  finalOf,
  HandSource,
  rootEntry,
  seal,
  symlink,
  unchanged,
  WITHDRAWN,
} from "../../helpers/copies/hand-source.ts";
import { type OpenEngine, openEngine } from "../../helpers/copies/open-engine.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { thrownCode } from "../../helpers/thrown.ts";

const LEAF = 32 * 1024;
const CONTENT = Buffer.from("content");

interface Begun extends OpenEngine {
  readonly folder: string;
  readonly source: HandSource;
}

/** A sink that has one page: the root, the file `file` (1), the directory `dir` (2) and the link `link` (3). */
function begin(folder = tempFolder()): Begun & { readonly page: ReturnType<HandSource["page"]>["page"] } {
  const sink = openEngine(folder);
  onTestFinished(() => sink[Symbol.dispose]());
  const source = new HandSource();
  const { payload, page } = source.page([rootEntry, file("file", 7), directory("dir"), symlink("link", "nowhere")]);
  sink.accept(payload);
  return Object.assign(sink, { folder, source, page });
}

/** What a folder shows to people, and what is left over in the folder of partial files. */
function shown(folder: string): string[] {
  return readdirSync(folder).filter((name) => name !== ".fanfold");
}

const STATES = [AS_LISTED, delivered(CONTENT), AS_LISTED, AS_LISTED];
const CLOSE = { entry: 1, final: finalOf(CONTENT) };
const whole = dataFrame([{ entry: 1, bytes: CONTENT }], [CLOSE]);

describe("a frame that cannot be right ends the copy, with nothing under the final name", () => {
  test.each<[string, string, Buffer]>([
    ["a chunk for an entry that has not come", "damaged", dataFrame([{ entry: 4, bytes: CONTENT }])],
    ["a chunk for an entry far beyond", "damaged", dataFrame([{ entry: Number.MAX_SAFE_INTEGER, bytes: CONTENT }])],
    ["a close mark for an entry that has not come", "damaged", dataFrame([], [{ entry: 4, final: finalOf(CONTENT) }])],
    ["a chunk for the root", "damaged", dataFrame([{ entry: 0, bytes: CONTENT }])],
    ["a chunk for a directory", "damaged", dataFrame([{ entry: 2, bytes: CONTENT }])],
    ["a close mark for a link", "damaged", dataFrame([], [{ entry: 3, final: finalOf(CONTENT) }])],
    ["a chunk with a wrong hash", "digest-mismatch", dataFrame([{ entry: 1, bytes: CONTENT, hash: Buffer.alloc(32) }])],
    ["a chunk behind a gap", "damaged", dataFrame([{ entry: 1, bytes: CONTENT, offset: LEAF }])],
    [
      "the same chunk twice",
      "damaged",
      dataFrame([
        { entry: 1, bytes: CONTENT },
        { entry: 1, bytes: CONTENT },
      ]),
    ],
    ["a close mark without content, of which nothing is here", "damaged", dataFrame([], [CLOSE])],
    [
      "a close mark with another size",
      "digest-mismatch",
      dataFrame([{ entry: 1, bytes: CONTENT }], [{ entry: 1, final: { ...finalOf(CONTENT), size: 8 } }]),
    ],
    [
      "a close mark with another hash",
      "digest-mismatch",
      dataFrame([{ entry: 1, bytes: CONTENT }], [{ entry: 1, final: { ...finalOf(CONTENT), hash: Buffer.alloc(32) } }]),
    ],
    ["another page of the same number", "damaged", new HandSource().page([rootEntry]).payload],
    ["a page with a hole in the entries", "damaged", new HandSource().page([file("x")], { page: 1, first: 5 }).payload],
    ["an empty page", "damaged", new HandSource().page([], { page: 1, first: 4 }).payload],
    [
      "an end of the walk that counts another number of pages",
      "damaged",
      seal("walked", encodeWalked({ pages: 2, entries: 4, files: 1, bytes: 7 })),
    ],
    [
      "an end of the walk that counts another number of entries",
      "damaged",
      seal("walked", encodeWalked({ pages: 1, entries: 5, files: 1, bytes: 7 })),
    ],
    ["an end before any trailer", "damaged", new HandSource().end()],
    [
      "a trailer of a page that has not come",
      "damaged",
      new HandSource().trailer({ page: 1, first: 4, keeps: KEEPS_ALL, entries: [] }, []),
    ],
    [
      "a trailer with too few entries",
      "damaged",
      new HandSource().trailer({ page: 0, first: 0, keeps: KEEPS_ALL, entries: [] }, STATES.slice(1)),
    ],
    ["a trailer for a file that did not come", "digest-mismatch", seal("trailer", Buffer.alloc(0))],
    ["a report", "damaged", seal("up", Buffer.from("{}"))],
  ])("%s", (name, code, payload) => {
    const { accept, folder, source, page } = begin();
    const frame = name.startsWith("a trailer for a file") ? source.trailer(page, STATES) : payload;
    expect(thrownCode(() => accept(frame))).toBe(code);
    expect(shown(folder)).toEqual(["dir", "link"]);
  });

  test("data before its page", () => {
    const sink = openEngine(tempFolder());
    onTestFinished(() => sink[Symbol.dispose]());
    expect(thrownCode(() => sink.accept(whole))).toBe("damaged");
  });

  test("a chunk, or another close mark, behind a close mark, be it of a file delivered or withdrawn", () => {
    for (const first of [whole, dataFrame([{ entry: 1, bytes: CONTENT }], [{ entry: 1, final: undefined }])]) {
      for (const second of [
        dataFrame([{ entry: 1, bytes: CONTENT }]),
        dataFrame([], [CLOSE]),
        dataFrame([], [{ entry: 1, final: undefined }]),
      ]) {
        const { accept, engine } = begin();
        accept(first);
        expect(thrownCode(() => accept(second))).toBe("damaged");
        expect(engine.counts.filesDone).toBe(1);
      }
    }
  });

  test("a page, a chunk, a trailer or another end behind the end", () => {
    const { accept, source, page, engine } = begin();
    for (const payload of [whole, source.trailer(page, STATES), source.end()]) accept(payload);
    expect(engine.digest).toBeDefined();
    const late = [source.end(), whole, source.trailer(page, STATES), source.page([file("late")]).payload];
    expect(late.map((payload) => thrownCode(() => accept(payload)))).toEqual(late.map(() => "damaged"));
  });

  test("the same trailer twice", () => {
    const { accept, source, page } = begin();
    for (const payload of [whole, source.trailer(page, STATES)]) accept(payload);
    expect(thrownCode(() => accept(source.trailer(page, STATES)))).toBe("damaged");
  });
});

describe("a trailer that lies", () => {
  const other = Buffer.from("another");
  test.each([
    ["says a file was delivered that was withdrawn", dataFrame([], [{ entry: 1, final: undefined }]), STATES],
    ["says a file was withdrawn that was delivered", whole, [AS_LISTED, WITHDRAWN, AS_LISTED, AS_LISTED]],
    ["says a file has another content", whole, [AS_LISTED, delivered(other), AS_LISTED, AS_LISTED]],
    ["says a file was not read that was", whole, [AS_LISTED, unchanged(other), AS_LISTED, AS_LISTED]],
    ["says a file is as listed", whole, [AS_LISTED, AS_LISTED, AS_LISTED, AS_LISTED]],
  ])("and %s names the file", (_, data, states) => {
    const { accept, source, page } = begin();
    accept(data);
    expect(() => accept(source.trailer(page, states))).toThrow(
      expect.objectContaining({ code: "digest-mismatch", message: expect.stringContaining('"file"') }),
    );
  });

  test("about a time, a mode, a size or a directory, or in its digest, is refused", () => {
    for (const change of [{ mode: 0o600 }, { mtime: { seconds: 1, nanoseconds: 0 } }, { size: 8 }]) {
      const { accept, source, page } = begin();
      accept(whole);
      const lie = { state: "delivered" as const, final: { ...finalOf(CONTENT), ...change } };
      expect(thrownCode(() => accept(source.trailer(page, [AS_LISTED, lie, AS_LISTED, AS_LISTED])))).toBe(
        "digest-mismatch",
      );
    }
    const { accept, source, page } = begin();
    accept(whole);
    const withoutDirectory = source.trailer(page, [AS_LISTED, delivered(CONTENT), WITHDRAWN, AS_LISTED]);
    expect(thrownCode(() => accept(withoutDirectory))).toBe("digest-mismatch");
    expect(thrownCode(() => accept(source.trailer(page, STATES, Buffer.alloc(32))))).toBe("digest-mismatch");
  });

  test("in the digest of the tree is told at the end", () => {
    const { accept, source, page, engine } = begin();
    for (const payload of [whole, source.trailer(page, STATES)]) accept(payload);
    expect(thrownCode(() => accept(source.end(Buffer.alloc(32))))).toBe("digest-mismatch");
    expect(engine.digest).toBeUndefined();
  });
});

test("an engine that fails midway leaves the old content, and its leftovers go when the next one starts", () => {
  const folder = tempFolder();
  writeFileSync(join(folder, "file"), "old");
  const first = begin(folder);
  first.accept(dataFrame([{ entry: 1, bytes: Buffer.alloc(LEAF) }]));
  expect(thrownCode(() => first.accept(dataFrame([{ entry: 1, bytes: CONTENT }])))).toBe("damaged");
  expect(readFileSync(join(folder, "file"), "utf8")).toBe("old");
  expect(readdirSync(join(folder, ".fanfold/partial"))).toEqual(["1"]);
  begin(folder);
  expect(readdirSync(join(folder, ".fanfold/partial"))).toEqual([]);
});

test("entries in the place of a directory of the tree never make anything outside of it", () => {
  const outside = tempFolder();
  const folder = tempFolder();
  writeFileSync(join(outside, "canary"), "alive");
  const sink = openEngine(folder);
  onTestFinished(() => sink[Symbol.dispose]());
  const source = new HandSource();
  const { payload, page } = source.page([rootEntry, directory("d"), directory("e")]);
  sink.accept(payload);
  // What a liar would do itself, done by somebody else: the source's own second entry is refused.
  rmdirSync(join(folder, "d"));
  symlinkSync(outside, join(folder, "d"));
  const inner = source.page([file("d/canary"), directory("d/new")]);
  sink.accept(inner.payload);
  const closes = [...page.entries, ...inner.page.entries].flatMap(({ entry, kind }) =>
    kind === "file" ? [{ entry, final: finalOf(Buffer.alloc(0)) }] : [],
  );
  sink.accept(dataFrame([], closes));
  expect(readdirSync(outside)).toEqual(["canary"]);
  expect(readFileSync(join(outside, "canary"), "utf8")).toBe("alive");
  expect(sink.problems.map(({ path }) => path)).toEqual(expect.arrayContaining(["d/canary", "d/new"]));
});

test("a directory of the sink that became a link leads nowhere, and its entries are problems", () => {
  const [folder, outside] = [tempFolder(), tempFolder()];
  writeFileSync(join(outside, "file"), "alive");
  const sink = openEngine(folder);
  onTestFinished(() => sink[Symbol.dispose]());
  const source = new HandSource();
  sink.accept(source.page([rootEntry, directory("real"), directory("real/inner")]).payload);
  rmdirSync(join(folder, "real/inner"));
  symlinkSync(outside, join(folder, "real/inner"));
  sink.accept(
    source.page([file("real/inner/file", 7), symlink("real/inner/link", "x"), directory("real/inner/dir")]).payload,
  );
  sink.accept(dataFrame([{ entry: 3, bytes: CONTENT }], [{ entry: 3, final: finalOf(CONTENT) }]));
  expect(sink.problems.map(({ path }) => path).toSorted()).toEqual([
    "real/inner/dir",
    "real/inner/file",
    "real/inner/link",
  ]);
  expect(existsSync(join(outside, "dir"))).toBe(false);
  expect(readFileSync(join(outside, "file"), "utf8")).toBe("alive");
});

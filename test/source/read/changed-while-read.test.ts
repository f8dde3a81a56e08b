import {
  appendFileSync,
  chmodSync,
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { contentOf, type ReadTree, readTree } from "../../helpers/trees/read-tree.ts";

const SIZE = 1_000_000;

/** Reads a large file, its first half is out when `change` is called, and a small one behind it. */
function readWhile(change: (path: string, root: string) => void, isLastTry = false): ReadTree {
  const root = tempFolder();
  const path = join(root, "large");
  writeFileSync(path, Buffer.alloc(SIZE, "x"));
  utimesSync(path, 1000, 1000);
  writeFileSync(join(root, "next"), "next");
  let frames = 0;
  const result = readTree(root, {
    isLastTry,
    onOutput: ({ type }) => {
      if (type !== "frame") return;
      frames += 1;
      if (frames === 1) change(path, root);
    },
  });
  expect(frames).toBeGreaterThan(1);
  // Whatever happens to one file, the next one is whole.
  expect(contentOf(result.frames, 2).toString()).toBe("next");
  expect(result.states[1]).toBe("delivered");
  return result;
}

/** Each of them, at the file, under its name or in its attributes. */
const CHANGES: readonly (readonly [string, (path: string, root: string) => void])[] = [
  ["is truncated", (path) => truncateSync(path, SIZE / 2)],
  ["is emptied", (path) => truncateSync(path, 0)],
  ["is rewritten with as many bytes", (path) => writeFileSync(path, Buffer.alloc(SIZE, "y"))],
  ["is rewritten with more bytes", (path) => writeFileSync(path, Buffer.alloc(SIZE + 1, "y"))],
  ["gets another mode", (path) => chmodSync(path, 0o640)],
  [
    "gets longer and another mode",
    (path) => {
      appendFileSync(path, "more");
      chmodSync(path, 0o640);
    },
  ],
  ["gets another name beside its own", (path) => linkSync(path, `${path}.link`)],
  ["gets another time", (path) => utimesSync(path, 1, 1)],
  [
    "is replaced by another file",
    (path, root) => {
      writeFileSync(join(root, "new"), "new content");
      renameSync(join(root, "new"), path);
    },
  ],
  [
    "grows under another name, and a new one takes its own",
    (path) => {
      const open = openSync(path, "a");
      renameSync(path, `${path}.1`);
      writeFileSync(path, "rotated");
      writeSync(open, "the last line");
      closeSync(open);
    },
  ],
];

describe("a file that changes while it is read", () => {
  test.each(CHANGES)("and %s is withdrawn, and to be read again", (_name, change) => {
    const { states, again, problems, grew, doneBytes, doneFiles } = readWhile(change);
    expect([states[0], again, problems, grew]).toEqual(["withdrawn", ["large"], [], []]);
    // Its bytes are counted here, the file when it has been read again.
    expect([doneBytes, doneFiles]).toEqual([SIZE + 4, 1]);
  });

  test.each(CHANGES)("for the second time, and %s, is given up", (_name, change) => {
    const { states, again, problems, doneBytes, doneFiles } = readWhile(change, true);
    expect([states[0], again]).toEqual(["withdrawn", []]);
    expect(problems).toEqual(["large changed: it was written to while it was read, both times"]);
    expect([doneBytes, doneFiles]).toEqual([0, 2]);
  });

  test.each([false, true])("and only grows is delivered up to its size before (last try: %s)", (isLastTry) => {
    const { states, frames, again, problems, grew } = readWhile((path) => appendFileSync(path, "more"), isLastTry);
    expect([states[0], again, problems, grew]).toEqual(["delivered", [], [], ["large"]]);
    expect(contentOf(frames, 1).equals(Buffer.alloc(SIZE, "x"))).toBe(true);
    const final = frames.flat().find((record) => record.kind === "close" && record.entry === 1);
    expect(final).toMatchObject({ final: { size: SIZE, mtime: { seconds: 1000, nanoseconds: 0 } } });
  });

  test.each<readonly [string, (path: string, root: string) => void, string]>([
    ["vanishes", (path) => unlinkSync(path), "large vanished: no such file or directory"],
    [
      "makes room for a directory",
      (path) => {
        unlinkSync(path);
        mkdirSync(path);
      },
      "large changed: something else took its place",
    ],
    [
      "makes room for a link to a file that grows",
      (path, root) => {
        renameSync(path, join(root, "other"));
        symlinkSync("other", path);
      },
      "large changed: something else took its place",
    ],
  ])("and %s is a problem at once", (_name, change, problem) => {
    const { states, again, problems } = readWhile(change);
    expect([states[0], again, problems]).toEqual(["withdrawn", [], [problem]]);
  });

  test("tells of a file that was delivered, and that it grew", () => {
    const root = tempFolder();
    writeFileSync(join(root, "log"), Buffer.alloc(600_000, "line\n"));
    const files: unknown[] = [];
    readTree(root, {
      onOutput: (output) => {
        if (output.type === "frame" && statSync(join(root, "log")).size === 600_000)
          appendFileSync(join(root, "log"), "!");
        if (output.type === "file") files.push(output);
      },
    });
    expect(files).toEqual([{ type: "file", path: "log", bytes: 600_000, grew: true }]);
  });

  test("fails as a whole when the source's directory goes with it", () => {
    const root = join(tempFolder(), "root");
    mkdirSync(root);
    for (const name of ["a", "b"]) writeFileSync(join(root, name), name);
    expect(() => readTree(root, { change: () => rmSync(root, { recursive: true }) })).toThrow(
      expect.objectContaining({ code: "folder-missing" }),
    );
  });
});

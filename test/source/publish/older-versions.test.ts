import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { SpillFile } from "../../../src/lib/disk/spill-file.ts";
import { DELTA_FILE_BYTES_MIN } from "../../../src/protocol/limits.ts";
import { PageAnswers } from "../../../src/source/publish/page-answers.ts";
import { memoryFolder } from "../../helpers/disks/temp-folder.ts";
import { thrownCode } from "../../helpers/thrown.ts";
import { walkTree } from "../../helpers/trees/walk-tree.ts";

const MIN = DELTA_FILE_BYTES_MIN;
/** By their index in the page. The root is 0. */
const [DIRECTORY, LARGE, LARGER, SMALL] = [1, 2, 3, 4];
const ENTRIES = 5;

/** A page with a directory, two large files and a small one, which waits for these sinks. */
function asked(...sinkIds: string[]): PageAnswers {
  const root = memoryFolder();
  mkdirSync(join(root, "directory"));
  for (const [name, size] of [
    ["large", MIN],
    ["larger", MIN + 1],
    ["small", MIN - 1],
  ] as const) {
    writeFileSync(join(root, name), "");
    truncateSync(join(root, name), size);
  }
  const spill = SpillFile.open();
  onTestFinished(() => spill[Symbol.dispose]());
  const answers = new PageAnswers(spill);
  for (const output of walkTree(Buffer.from(root)))
    if (output.type === "page") answers.add({ ...output, page: 0 }, sinkIds);
  return answers;
}
const bits = (...indexes: number[]): { bits: string } => ({
  bits: Buffer.of(indexes.reduce((sum, index) => sum | (1 << index), 0)).toString("base64"),
});

describe("PageAnswers, of files that sinks hold older versions of,", () => {
  test("names those that every sink lists which wants them, and how they are cut", () => {
    const answers = asked("a", "b", "c");
    answers.answer("a", 0, bits(LARGE, LARGER), {
      older: [
        [LARGE, MIN],
        [LARGER, MIN + 1],
      ],
    });
    answers.answer("b", 0, bits(LARGE, LARGER), {
      older: [
        [LARGE, MIN],
        [LARGER, MIN],
      ],
    });
    answers.answer("c", 0, "none");
    // All versions of the first are as long as the file.
    expect(answers.take()?.deltas).toEqual([
      [LARGE, "fixed"],
      [LARGER, "content"],
    ]);
  });

  test("leaves out a file that a sink wants and does not list, and small ones", () => {
    const answers = asked("a", "b");
    answers.answer("a", 0, "all", {
      older: [
        [SMALL, MIN],
        [LARGER, 7],
        [LARGE, MIN],
      ],
    });
    answers.answer("b", 0, bits(LARGE, SMALL), { older: [[SMALL, MIN]] });
    expect(answers.take()?.deltas).toEqual([[LARGER, "content"]]);
  });

  test("names a file of which all hold the beginning already: the reader does what sends less", () => {
    const answers = asked("a");
    answers.answer("a", 0, "all", { held: [[LARGE, 32_768, "00".repeat(32)]], older: [[LARGE, MIN]] });
    const page = answers.take();
    expect([page?.skips.length, page?.deltas]).toEqual([1, [[LARGE, "fixed"]]]);
  });

  test("does not wait for, or go by, a sink that left", () => {
    const answers = asked("a", "b", "c");
    answers.answer("a", 0, bits(LARGE), { older: [[LARGE, MIN]] });
    answers.answer("b", 0, bits(LARGE));
    answers.drop("b");
    answers.drop("c");
    expect(answers.take()?.deltas).toEqual([[LARGE, "fixed"]]);
  });

  test.each([
    ["no entry of the page", "all", ENTRIES],
    ["a directory", "all", DIRECTORY],
    ["a file that it does not want", bits(LARGE), LARGER],
    ["a file, and wants nothing", "none", LARGE],
  ] as const)("refuses a list with %s", (_, want, index) => {
    const answers = asked("a");
    expect(thrownCode(() => answers.answer("a", 0, want, { older: [[index, MIN]] }))).toBe("damaged");
    expect(answers.drop("a")).toBe(1);
  });
});

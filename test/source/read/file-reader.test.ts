import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { DataRecord } from "../../../src/protocol/frame/data-table.ts";
import { FRAME_HEADER_BYTES } from "../../../src/protocol/frame/frame.ts";
import { LEAF_BYTES } from "../../../src/protocol/limits.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { contentOf, readTree as read } from "../../helpers/trees/read-tree.ts";
import { makeFifo } from "../../helpers/trees/special-files.ts";

const withdrawals = (frames: DataRecord[][]): number[] =>
  frames.flat().flatMap((record) => (record.kind === "close" && record.final === undefined ? [record.entry] : []));

describe("readPage()", () => {
  test("packs small files into one frame, each with its close mark right behind it", () => {
    const root = tempFolder();
    for (let index = 0; index < 500; index += 1) writeFileSync(join(root, `f${index}`), `${index}`);
    const { frames, states, doneFiles } = read(root);
    expect(frames).toHaveLength(1);
    expect(frames[0]?.map(({ kind }) => kind)).toEqual(
      Array.from({ length: 1000 }, (_, index) => (index % 2 === 0 ? "chunk" : "close")),
    );
    expect([new Set(states), doneFiles]).toEqual([new Set(["delivered"]), 500]);
  });

  const CHUNK = 7 * LEAF_BYTES;
  test.each([1, 64 * 1024, 256 * 1024])(
    "reads files of every size around a leaf and a chunk whole, in frames for payloads of %i bytes",
    (frameBytes) => {
      const root = tempFolder();
      const sizes = [
        0,
        1,
        LEAF_BYTES - 1,
        LEAF_BYTES,
        LEAF_BYTES + 1,
        CHUNK - 1,
        CHUNK,
        CHUNK + 1,
        2 * CHUNK,
        2 * CHUNK + 1,
      ];
      const names = sizes.map((size, index) => `${index}-${size}`);
      for (const [index, size] of sizes.entries())
        writeFileSync(join(root, names[index] ?? ""), Buffer.alloc(size, `content ${size} `));
      const { frames, frameBytes: made, states, doneBytes, problems } = read(root, { frameBytes });
      for (const [index, name] of names.entries())
        expect(contentOf(frames, index + 1).equals(readFileSync(join(root, name)))).toBe(true);
      expect(Math.max(...made)).toBeLessThanOrEqual(Math.max(frameBytes, FRAME_HEADER_BYTES + LEAF_BYTES + 400));
      expect([problems, new Set(states), doneBytes]).toEqual([
        [],
        new Set(["delivered"]),
        sizes.reduce((sum, size) => sum + size, 0),
      ]);
    },
  );

  test("reads nothing of what nobody wants, and counts it as done", () => {
    const root = tempFolder();
    for (const name of ["a", "b", "c"]) writeFileSync(join(root, name), name.repeat(10));
    const { frames, states, doneBytes, doneFiles } = read(root, { isWanted: (index) => index === 2 });
    expect(frames.flat().map(({ entry }) => entry)).toEqual([2, 2]);
    expect([states, doneBytes, doneFiles]).toEqual([["unchanged", "delivered", "unchanged"], 30, 3]);
  });

  test("takes a file as it is now when it changed since the walk", () => {
    const root = tempFolder();
    for (const name of ["grown", "shrunk", "emptied", "touched"]) writeFileSync(join(root, name), "0123456789");
    const { frames, states, problems, doneBytes } = read(root, {
      change: () => {
        appendFileSync(join(root, "grown"), "more");
        truncateSync(join(root, "shrunk"), 3);
        truncateSync(join(root, "emptied"), 0);
        utimesSync(join(root, "touched"), 1, 1);
      },
    });
    expect([1, 2, 3, 4].map((entry) => contentOf(frames, entry).toString())).toEqual([
      "",
      "0123456789more",
      "012",
      "0123456789",
    ]);
    const finals = frames.flat().flatMap((record) => (record.kind === "close" ? [record.final] : []));
    expect(finals.map((final) => final?.size)).toEqual([0, 14, 3, 10]);
    expect(finals[3]?.mtime).toEqual({ seconds: 1, nanoseconds: 0 });
    // Progress is counted in the bytes that the walk announced, so that it ends at the whole.
    expect([problems, new Set(states), doneBytes]).toEqual([[], new Set(["delivered"]), 40]);
  });

  test("withdraws what vanished or became something else, opens no FIFO, and reads the rest", () => {
    const root = tempFolder();
    const names = ["directory", "fifo", "good", "link", "vanished"];
    for (const name of names) writeFileSync(join(root, name), "content");
    const { frames, states, problems, doneFiles } = read(root, {
      change: () => {
        for (const name of names.filter((each) => each !== "good")) unlinkSync(join(root, name));
        mkdirSync(join(root, "directory"));
        makeFifo(join(root, "fifo"));
        symlinkSync("good", join(root, "link"));
      },
    });
    expect(states).toEqual(["withdrawn", "withdrawn", "delivered", "withdrawn", "withdrawn"]);
    expect(withdrawals(frames)).toEqual([1, 2, 4, 5]);
    expect(problems).toEqual([
      "directory changed: something else took its place",
      "fifo changed: something else took its place",
      "link changed: a symbolic link took its place",
      "vanished vanished: no such file or directory",
    ]);
    expect(
      frames
        .flat()
        .filter(({ kind }) => kind === "chunk")
        .map(({ entry }) => entry),
    ).toEqual([3]);
    expect(doneFiles).toBe(5);
  });

  test("leaves nothing open", () => {
    const root = tempFolder();
    for (const name of ["a", "b"]) writeFileSync(join(root, name), name);
    read(root, { change: () => rmSync(join(root, "a")) });
    expect(() => rmSync(root, { recursive: true })).not.toThrow();
  });
});

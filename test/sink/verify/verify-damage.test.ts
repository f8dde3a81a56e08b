import { existsSync, linkSync, mkdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openEngine } from "../../helpers/copies/open-engine.ts";
import { sourceFrames } from "../../helpers/copies/source-frames.ts";
import { copiedTree, flipByte, verify } from "../../helpers/copies/verified.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { content } from "../../helpers/trees/tree.ts";
import { expectEqualTrees } from "../../helpers/trees/tree-judge.ts";

/** A copy of the source by a real engine, as of one session; how many files it wanted. */
function copyAgain(source: string, sink: string): number {
  using engine = openEngine(sink);
  for (const payload of sourceFrames(source)) engine.accept(payload);
  expect(engine.problems).toEqual([]);
  expect(engine.wants).toHaveLength(1);
  const want = engine.wants[0]?.want;
  if (want === undefined || want === "none") return 0;
  if (want === "all") return engine.engine.counts.filesFound;
  const bits = [...Buffer.from(want.bits, "base64")].map((byte) => byte.toString(2)).join("");
  return bits.replaceAll("0", "").length;
}

function sourceOf(names: readonly string[]): string {
  const source = join(tempFolder(), "source");
  mkdirSync(source);
  for (const name of names) {
    writeFileSync(join(source, name), content(5000, name.charCodeAt(0)));
    utimesSync(join(source, name), 1_700_000_000, 1_700_000_000);
  }
  return source;
}

describe("what a check found damaged", () => {
  test("is remembered, told, and not taken as unchanged by the next copy, which mends it and forgets it", async () => {
    const [source, sink] = [sourceOf(["a", "b", "c"]), tempFolder()];
    expect([copyAgain(source, sink), copyAgain(source, sink)]).toEqual([3, 0]);
    for (const name of ["a", "c"]) flipByte(join(sink, name), 77);
    expect((await verify(sink)).result).toMatchObject({ result: "differs", wanted: 2 });
    expect((await verify(sink)).result).toMatchObject({ result: "differs", wanted: 2 });
    expect(copyAgain(source, sink)).toBe(2);
    await expectEqualTrees(source, sink);
    expect(existsSync(join(sink, ".fanfold/damage"))).toBe(false);
    expect((await verify(sink)).result).toMatchObject({ result: "equal", wanted: 0 });
    expect(copyAgain(source, sink)).toBe(0);
  });

  test("is forgotten by a check that finds it as it was copied", async () => {
    const sink = copiedTree();
    flipByte(join(sink, "dir/a"), 100);
    expect((await verify(sink)).result.wanted).toBe(1);
    flipByte(join(sink, "dir/a"), 100);
    expect((await verify(sink)).result).toMatchObject({ result: "equal", wanted: 0 });
    expect(existsSync(join(sink, ".fanfold/damage"))).toBe(false);
  });

  test("is kept as long as the source does not send it", async () => {
    const [source, sink] = [sourceOf(["a", "b"]), tempFolder()];
    copyAgain(source, sink);
    flipByte(join(sink, "a"), 1);
    await verify(sink);
    // A copy without it, as with a filter: the file stays in the folder.
    rmSync(join(source, "a"));
    expect(copyAgain(source, sink)).toBe(0);
    writeFileSync(join(source, "a"), content(5000, "a".charCodeAt(0)));
    utimesSync(join(source, "a"), 1_700_000_000, 1_700_000_000);
    expect(copyAgain(source, sink)).toBe(1);
    await expectEqualTrees(source, sink);
  });

  test("is not what the next copy sees by itself: another size or mode, or what is missing", async () => {
    const sink = copiedTree();
    writeFileSync(join(sink, "dir/a"), "longer or shorter");
    rmSync(join(sink, "dir/b"));
    expect((await verify(sink)).result).toMatchObject({ result: "differs", wanted: 0 });
  });

  test("concerns all names of a file, and each gets the right content", async () => {
    const [source, sink] = [sourceOf(["a"]), tempFolder()];
    linkSync(join(source, "a"), join(source, "b"));
    copyAgain(source, sink);
    flipByte(join(sink, "a"), 9);
    expect((await verify(sink)).result.wanted).toBe(1);
    copyAgain(source, sink);
    await expectEqualTrees(source, sink);
    expect((await verify(sink)).result).toMatchObject({ result: "equal", wanted: 0 });
  });
});

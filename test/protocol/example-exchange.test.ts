import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { decodeRecipe } from "../../src/delta/recipe-frame.ts";
import { SpillFile } from "../../src/lib/disk/spill-file.ts";
import { decodeDataTable } from "../../src/protocol/frame/data-table.ts";
import { decodeFrame, type Frame } from "../../src/protocol/frame/frame.ts";
import { decodeEnd, decodeWalked } from "../../src/protocol/frame/marks.ts";
import { entryDisplay } from "../../src/protocol/frame/page.ts";
import { decodePage, readRows } from "../../src/protocol/frame/page-rows.ts";
import { decodeUp } from "../../src/protocol/frame/up.ts";
import { hashChunk } from "../../src/protocol/hash/content-hash.ts";
import { TreeDigest } from "../../src/protocol/hash/tree-digest.ts";
import { LEAF_BYTES } from "../../src/protocol/limits.ts";
import { checkFrame } from "../../src/sink/stream/checked-frame.ts";
import { recipeFor } from "../helpers/copies/recipe-frames.ts";
import { decodeTrailer, pageDigest, writtenStates } from "../helpers/copies/trailers.ts";

/** Of the file in the example of a recipe. */
const SIZE = 3 * LEAF_BYTES;

/** Runs of bytes in the annotated dumps of the page, each of which is one frame. */
const page = readFileSync(new URL("../../docs/protocol.md", import.meta.url), "utf8");
const dumps = [...page.slice(page.indexOf("## Example exchange")).matchAll(/^```text\n([\s\S]*?)^```/gm)]
  .flatMap(([, dump = ""]) => dump.split("\n\n"))
  .map((dump) => Buffer.from((dump.match(/^(?:[0-9a-f]{2} ?)+/gm) ?? []).join("").replaceAll(" ", ""), "hex"))
  .filter((bytes) => bytes.subarray(0, 2).toString() === "FF");

function frameOf(type: Frame["type"]): Frame {
  const found = dumps.map((bytes) => decodeFrame(bytes)).find((frame) => frame.type === type);
  if (found === undefined) throw new Error(`docs/protocol.md shows no frame of type "${type}"`);
  return found;
}

test("the frames of docs/protocol.md's example decode, in the order of their sequences", () => {
  const frames = dumps.map((bytes) => decodeFrame(bytes)).filter((frame) => frame.type !== "up");
  expect(frames.map((frame) => [frame.type, frame.sequence])).toEqual([
    ["page", 0],
    ["walked", 1],
    ["data", 2],
    ["trailer", 3],
    ["end", 4],
    ["heartbeat", 5],
    ["data", 2],
    ["recipe", 2],
    ["data", 3],
  ]);
});

test("the compressed frame of docs/protocol.md's example holds what it says [P-3.5]", () => {
  const payload = dumps.find((bytes) => decodeFrame(bytes).plainBytes === 6000);
  const checked = checkFrame(payload ?? Buffer.alloc(0));
  const [chunk] = "type" in checked ? [] : checked.records;
  expect(chunk?.kind === "chunk" && Buffer.from(chunk.bytes).toString()).toBe("hello\n".repeat(1000));
});

test("the example of docs/protocol.md proves the tree that it says", () => {
  const listed = decodePage(frameOf("page").table);
  expect(listed.entries.map((entry) => [entry.kind, entryDisplay(entry)])).toEqual([
    ["directory", "."],
    ["file", "a.txt"],
    ["symlink", "now"],
  ]);
  expect(decodeWalked(frameOf("walked").table)).toEqual({ pages: 1, entries: 3, files: 1, bytes: 6 });
  const [chunk, close] = decodeDataTable(frameOf("data").table, frameOf("data").content);
  expect(chunk?.kind === "chunk" && Buffer.from(chunk.bytes).toString()).toBe("hello\n");
  expect(chunk?.kind === "chunk" && chunk.hash).toEqual(hashChunk(Buffer.from("hello\n")).hash);
  const trailer = decodeTrailer(frameOf("trailer").table);
  const delivered = trailer.states[1]?.state === "delivered" ? trailer.states[1].final : undefined;
  expect(close?.kind === "close" && close.final).toEqual(delivered);
  expect(trailer.digest).toEqual(pageDigest(frameOf("page").table, trailer.states));
  using tree = new TreeDigest(() => SpillFile.open());
  tree.page(readRows(frameOf("page").table), writtenStates(trailer.states));
  expect(decodeEnd(frameOf("end").table)).toEqual({ pages: 1, entries: 3, digest: tree.end() });
});

test("the report of docs/protocol.md's example decodes", () => {
  const up = dumps.filter((bytes) => decodeFrame(bytes).type === "up").map((bytes) => decodeUp(bytes));
  expect(up.map((each) => each.message)).toEqual([
    { type: "want", page: 0, want: "all" },
    { type: "want", page: 0, want: "all", older: [[1, SIZE]] },
    { type: "lacks", entry: 1, slice: 0, lacks: { bits: Buffer.from([0b010]).toString("base64") } },
  ]);
});

test("the recipe of docs/protocol.md's example is that of the file, and the sink makes the file with what came [P-17]", () => {
  const old = Buffer.from("hello\n".repeat(SIZE / 6));
  const file = Buffer.from(old);
  file.write("HELLO", 40_002);
  const { entry, slice } = decodeRecipe(frameOf("recipe").table);
  expect([entry, slice.cutting, slice.size, slice.first, [...slice.lengths]]).toEqual([
    ...[1, { cutter: "fixed", averageBytes: LEAF_BYTES }, SIZE, 0],
    [LEAF_BYTES, LEAF_BYTES, LEAF_BYTES],
  ]);
  expect(Buffer.from(slice.hashes).equals(recipeFor(file, slice.cutting).hashes)).toBe(true);

  const payload = dumps.find((bytes) => decodeFrame(bytes).plainBytes === LEAF_BYTES);
  const checked = checkFrame(payload ?? Buffer.alloc(0));
  const made = Buffer.alloc(SIZE);
  for (const record of "type" in checked ? [] : checked.records) {
    if (record.kind === "kept") old.copy(made, record.offset, record.offset, record.offset + record.length);
    if (record.kind === "chunk") made.set(record.bytes, record.offset);
    if (record.kind !== "close") continue;
    expect(record.final).toMatchObject({ size: SIZE, mode: 0o644 });
    expect(Buffer.from(record.final?.hash ?? []).equals(hashChunk(made).hash)).toBe(true);
  }
  expect(made.equals(file)).toBe(true);
});

import { onTestFinished } from "vitest";
import type { FileEntry } from "../../../src/protocol/frame/page.ts";
import { FileHasher, hashChunk } from "../../../src/protocol/hash/content-hash.ts";
import { LEAF_BYTES } from "../../../src/protocol/limits.ts";
import type { Place } from "../trees/sparse-file.ts";
import { content } from "../trees/tree.ts";
import { AS_LISTED, dataFrame, file, HandSource, rootEntry, TIME } from "./hand-source.ts";
import { type OpenEngineOptions, openEngine } from "./open-engine.ts";

const LEAF = LEAF_BYTES;
const GIB = 1024 * 1024 * 1024;

/** A file of which only some places have data; its final facts. */
export function sparse(size: number, places: readonly Place[]) {
  const hasher = new FileHasher();
  let done = 0;
  for (const { offset, bytes } of places) {
    hasher.addZeros(offset - done);
    hasher.add(hashChunk(bytes));
    done = offset + bytes.length;
  }
  hasher.addZeros(size - done);
  const final = { size, mode: 0o644, mtime: TIME, hash: hasher.digest() };
  const roomBytes = places.reduce((sum, { bytes }) => sum + bytes.length, 0);
  return { entry: { ...(file("file", size) as FileEntry), roomBytes }, final };
}

/** 100 GiB with 64 KiB of data in the middle, in three frames. */
export const DATA: Place = { offset: 10 * GIB, bytes: content(2 * LEAF, 1) };
export const SIZE = 100 * GIB;
export const { entry: ENTRY, final: FINAL } = sparse(SIZE, [DATA]);
export const hole = (from: number, to: number, entry = 1) => ({ entry, offset: from, length: to - from });
export const FIRST = dataFrame([], [], [hole(0, DATA.offset)]);
export const MIDDLE = dataFrame([{ entry: 1, ...DATA }]);
export const LAST = dataFrame([], [{ entry: 1, final: FINAL }], [hole(DATA.offset + 2 * LEAF, SIZE)]);

/** A sink that has got a page with `entry`, and closes it. */
export function begin(folder: string, entry: FileEntry = ENTRY, options: OpenEngineOptions = {}) {
  const sink = openEngine(folder, options);
  onTestFinished(() => sink[Symbol.dispose]());
  const source = new HandSource();
  const { payload, page } = source.page([rootEntry, entry]);
  sink.accept(payload);
  const finish = (final = FINAL): void => {
    sink.accept(source.trailer(page, [AS_LISTED, { state: "delivered", final }]));
    sink.accept(source.end());
  };
  return { ...sink, engine: sink.engine, source, finish };
}

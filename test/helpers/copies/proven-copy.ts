import type { FileEntry } from "../../../src/protocol/frame/page.ts";
import { LEAF_BYTES } from "../../../src/protocol/limits.ts";
import { dataFrame } from "./hand-source.ts";
import { beginRecipes, type RecipeEngineOptions } from "./recipe-engine.ts";

export const named = (name: string): Partial<FileEntry> => ({ name: Buffer.from(name) });

export type RecipeCopy = ReturnType<typeof beginRecipes>;

export function sendWhole({ send, final }: RecipeCopy, bytes: Buffer, from = 0): void {
  for (let at = from; at < bytes.length; at += 32 * LEAF_BYTES)
    send([dataFrame([{ entry: 1, offset: at, bytes: bytes.subarray(at, at + 32 * LEAF_BYTES) }])]);
  send([dataFrame([], [{ entry: 1, final }])]);
}

/** A proven copy of one file, `file` unless it is told. */
export function copied(folder: string, bytes: Buffer, options: RecipeEngineOptions = {}): void {
  const sink = beginRecipes(folder, bytes, options);
  sendWhole(sink, bytes);
  sink.finish();
  sink.prove();
}

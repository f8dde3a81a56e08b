import { chmodSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { CutterKind } from "../../../src/delta/cutting.ts";
import type { PieceBits } from "../../../src/delta/piece-bits.ts";
import type { Recipe } from "../../../src/delta/recipe.ts";
import { loadNative } from "../../../src/lib/disk/native.ts";
import type { Entry, FileEntry } from "../../../src/protocol/frame/page.ts";
import { AS_LISTED, file, finalOf, HandSource, rootEntry, TIME } from "./hand-source.ts";
import { type OpenEngineOptions, openEngine } from "./open-engine.ts";
import { cuttingOf, lackedBy, recipeFor, recipeFrames, recordFrames, recordsOf } from "./recipe-frames.ts";

/** Gives the folder a file `file`; `isEqual`: with the time and mode that its source says. */
export function putOwn(folder: string, bytes: Uint8Array, isEqual = false): string {
  const path = join(folder, "file");
  writeFileSync(path, bytes);
  chmodSync(path, 0o644);
  if (isEqual && loadNative() !== undefined) loadNative()?.setTimes(Buffer.from(path), TIME);
  else if (isEqual) utimesSync(path, TIME.seconds, TIME.seconds + TIME.nanoseconds / 1e9);
  return path;
}

export interface RecipeEngineOptions extends OpenEngineOptions {
  /** Of the page: what it says of the file. */
  readonly entry?: Partial<FileEntry>;
  /** Further entries of the page. */
  readonly more?: readonly Entry[];
}

/** A sink that has taken a page of the root and `file` (1), whose content is `bytes`. */
export function beginRecipes(folder: string, bytes: Buffer, options: RecipeEngineOptions = {}) {
  const { entry, more = [], ...engineOptions } = options;
  const sink = openEngine(folder, engineOptions);
  onTestFinished(() => sink[Symbol.dispose]());
  const source = new HandSource();
  const listed = { ...file("file", bytes.length), mode: 0o644, ...entry } as Entry;
  const { payload, page } = source.page([rootEntry, listed, ...more]);
  sink.accept(payload);
  const final = finalOf(bytes);
  const send = (frames: readonly Buffer[]): void => {
    for (const frame of frames) sink.accept(frame);
  };
  return {
    ...sink,
    engine: sink.engine,
    source,
    page,
    final,
    send,
    /** The recipe goes there, and its answers come back. */
    ask(cutter: CutterKind): { recipe: Recipe; lacks: PieceBits } {
      const recipe = recipeFor(bytes, cuttingOf(cutter));
      send(recipeFrames(1, recipe));
      return { recipe, lacks: lackedBy(sink.lacks, 1, recipe) };
    },
    /** The content, of which these pieces are sent, and the close mark. */
    fill(recipe: Recipe, lacks: PieceBits): void {
      send(recordFrames(1, recordsOf(bytes, recipe, lacks), final));
    },
    /** The trailer and the end. */
    finish(): void {
      sink.accept(source.trailer(page, [AS_LISTED, { state: "delivered", final }]));
      sink.accept(source.end());
    },
  };
}

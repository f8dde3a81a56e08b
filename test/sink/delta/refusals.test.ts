import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Recipe } from "../../../src/delta/recipe.ts";
import { encodeRecipe } from "../../../src/delta/recipe-frame.ts";
import {
  DELTA_FILE_BYTES_MIN,
  LEAF_BYTES,
  PIECE_HASH_BYTES,
  RECIPE_PIECES_MAX,
  RECIPES_OPEN_MAX,
} from "../../../src/protocol/limits.ts";
import { NotServed } from "../../../src/sink/stream/not-served.ts";
import { noise } from "../../delta/recipes.ts";
import { dataFrame, file, seal } from "../../helpers/copies/hand-source.ts";
import { beginRecipes, putOwn } from "../../helpers/copies/recipe-engine.ts";
import {
  cuttingOf,
  type HandRecord,
  recipeFor,
  recipeFrame,
  recipeFrames,
  recordsFrame,
} from "../../helpers/copies/recipe-frames.ts";
import { memoryFolder, tempFolder } from "../../helpers/disks/temp-folder.ts";
import { thrown, thrownCode } from "../../helpers/thrown.ts";

const LEAF = LEAF_BYTES;
const OLD = noise(1, DELTA_FILE_BYTES_MIN + 100);
const NEW = Buffer.concat([noise(2, LEAF), OLD.subarray(LEAF)]);
const RECIPE = recipeFor(NEW, cuttingOf("fixed"));
const kept = (offset: number, length: number): HandRecord => ({ kind: "kept", offset, length });
const chunk = (offset: number, length: number): HandRecord => ({
  kind: "chunk",
  offset,
  bytes: NEW.subarray(offset, offset + length),
});

/** A sink that wants `file` (1), of which it has an older version, and other files. */
function begin(files = 1) {
  const folder = tempFolder();
  putOwn(folder, OLD);
  const more = Array.from({ length: files }, (_, index) => file(`more-${`${index}`.padStart(4, "0")}`, NEW.length));
  return { ...beginRecipes(folder, NEW, { more }), folder };
}

/** A recipe with so many pieces, of a file that is all pieces of the least length. */
function largeRecipe(pieces: number): Recipe {
  const lengths = new Uint32Array(pieces).fill(LEAF);
  return { cutting: cuttingOf("fixed"), size: pieces * LEAF, lengths, hashes: Buffer.alloc(pieces * PIECE_HASH_BYTES) };
}

describe("a recipe is refused", () => {
  test.each<[string, (sink: ReturnType<typeof begin>) => void]>([
    ["of a directory", ({ accept }) => accept(recipeFrame(0, RECIPE))],
    ["of an entry that has not come", ({ accept }) => accept(recipeFrame(9, RECIPE))],
    [
      "of a file that is closed",
      ({ accept }) => {
        accept(dataFrame([], [{ entry: 1, final: undefined }]));
        accept(recipeFrame(1, RECIPE));
      },
    ],
    [
      "when content came between two slices",
      ({ send, accept }) => {
        send(recipeFrames(1, largeRecipe(2049)).slice(0, 1));
        accept(recordsFrame(1, [chunk(0, LEAF)]));
        send(recipeFrames(1, largeRecipe(2049)).slice(1));
      },
    ],
    [
      "that comes twice",
      ({ accept }) => {
        accept(recipeFrame(1, RECIPE));
        accept(recipeFrame(1, RECIPE));
      },
    ],
    ["that begins in its middle", ({ send }) => send(recipeFrames(1, largeRecipe(2049)).slice(1))],
    [
      "of which a slice is left out",
      ({ send }) => send(recipeFrames(1, largeRecipe(3 * 2048)).filter((_, at) => at !== 1)),
    ],
    ["of which a slice comes twice", ({ send }) => send([0, 0].map((at) => recipeFrame(1, largeRecipe(2049), at)))],
    [
      "that goes on as another",
      ({ send }) => send([recipeFrame(1, largeRecipe(2049)), recipeFrame(1, largeRecipe(2050), 1)]),
    ],
    [
      "before the one before it is whole",
      ({ send }) => send([recipeFrame(1, largeRecipe(2049)), recipeFrame(2, RECIPE)]),
    ],
    [
      "whose pieces are longer than the file, in two slices",
      ({ send }) => {
        const lengths = new Uint32Array(2049).fill(4 * LEAF);
        const recipe = { ...largeRecipe(2049), cutting: cuttingOf("content"), lengths, size: 2048 * 4 * LEAF + 1 };
        send(recipeFrames(1, recipe));
      },
    ],
    [
      "with more behind it",
      ({ accept }) => accept(seal("recipe", Buffer.concat([encodeRecipe(1, RECIPE, 0), Buffer.of(0)]))),
    ],
  ])("%s", (_, work) => {
    const sink = begin();
    expect(thrownCode(() => work(sink))).toBe("damaged");
  });

  test(`when ${RECIPES_OPEN_MAX} are open, and not when one of them is closed`, () => {
    const sink = begin(RECIPES_OPEN_MAX + 1);
    for (let entry = 1; entry <= RECIPES_OPEN_MAX; entry += 1) sink.accept(recipeFrame(entry, RECIPE));
    sink.accept(dataFrame([], [{ entry: 7, final: undefined }]));
    sink.accept(recipeFrame(RECIPES_OPEN_MAX + 1, RECIPE));
    expect(thrownCode(() => sink.accept(recipeFrame(RECIPES_OPEN_MAX + 2, RECIPE)))).toBe("damaged");
  });

  test("when the open ones have too many pieces, and not when one of them is closed", () => {
    const folder = memoryFolder();
    const sink = beginRecipes(folder, NEW, { more: [file("two", 1), file("zzz", 1)] });
    const large = recipeFrames(1, largeRecipe(RECIPE_PIECES_MAX));
    sink.send(large);
    sink.send(recipeFrames(2, largeRecipe(RECIPE_PIECES_MAX)));
    expect(thrownCode(() => sink.accept(recipeFrame(3, RECIPE)))).toBe("damaged");
    sink.accept(dataFrame([], [{ entry: 1, final: undefined }]));
    sink.accept(recipeFrame(3, RECIPE));
    expect(new Set(sink.lacks.map(({ lacks }) => lacks))).toEqual(new Set(["all"]));
  });
});

describe("a kept range is refused", () => {
  test.each<[string, readonly HandRecord[]]>([
    ["that touches what is lacked", [kept(0, LEAF)]],
    ["that touches what is lacked, with more behind it", [kept(0, 2 * LEAF)]],
    ["out of order", [chunk(0, LEAF), kept(2 * LEAF, LEAF)]],
    ["that comes twice", [chunk(0, LEAF), kept(LEAF, LEAF), kept(LEAF, LEAF)]],
    ["beyond the end", [chunk(0, LEAF), kept(LEAF, DELTA_FILE_BYTES_MIN)]],
    ["that ends between leaves", [chunk(0, LEAF), kept(LEAF, LEAF + 1)]],
  ])("%s", (_, records) => {
    const sink = begin();
    sink.accept(recipeFrame(1, RECIPE));
    expect(thrownCode(() => sink.accept(recordsFrame(1, records)))).toBe("damaged");
    expect(readFileSync(`${sink.folder}/file`).equals(OLD)).toBe(true);
  });

  test("of a file without a recipe, and of one that is not whole", () => {
    const sink = begin();
    expect(thrownCode(() => sink.accept(recordsFrame(1, [kept(0, LEAF)])))).toBe("damaged");
    const other = begin();
    other.accept(recipeFrame(1, largeRecipe(2049)));
    expect(thrownCode(() => other.accept(recordsFrame(1, [kept(0, LEAF)])))).toBe("damaged");
  });

  test("of a file that is not wanted, beyond its recipe or without one", () => {
    for (const isAsked of [true, false]) {
      const folder = tempFolder();
      putOwn(folder, NEW, true);
      const sink = beginRecipes(folder, NEW);
      if (isAsked) sink.accept(recipeFrame(1, RECIPE));
      const record = isAsked ? kept(0, NEW.length + 1) : kept(0, LEAF);
      expect(thrownCode(() => sink.accept(recordsFrame(1, [record])))).toBe("damaged");
    }
  });

  test("of what is lacked as one that this sink's answer was not waited for: a lane may follow", () => {
    const sink = begin();
    sink.accept(recipeFrame(1, RECIPE));
    expect(thrown(() => sink.accept(recordsFrame(1, [kept(0, LEAF)])))).toBeInstanceOf(NotServed);
  });
});

describe("content that does not agree with its close mark", () => {
  test("is the source's fault when nothing was kept, or bytes are missing", () => {
    for (const records of [[chunk(0, NEW.length)], [chunk(0, LEAF), kept(LEAF, NEW.length - 2 * LEAF - 100)]]) {
      const sink = begin();
      sink.accept(recipeFrame(1, RECIPE));
      const final = { ...sink.final, hash: noise(3, 32) };
      expect(thrownCode(() => sink.accept(recordsFrame(1, records, final)))).toBe("digest-mismatch");
    }
  });

  test("is a problem of this sink when something was kept, and nothing gets the file's name", () => {
    const sink = begin();
    sink.accept(recipeFrame(1, RECIPE));
    const final = { ...sink.final, hash: noise(3, 32) };
    sink.accept(recordsFrame(1, [chunk(0, LEAF), kept(LEAF, NEW.length - LEAF)], final));
    expect(sink.problems).toMatchObject([{ path: "file", kind: "not-carried" }]);
    expect(readFileSync(`${sink.folder}/file`).equals(OLD)).toBe(true);
    expect(readdirSync(`${sink.folder}/.fanfold/partial`)).toEqual([]);
  });
});

test("an entry that cannot be carried is not looked up, and what comes of it is passed over", () => {
  const folder = tempFolder();
  mkdirSync(`${folder}/dir`);
  const sink = begin();
  sink.accept(recipeFrame(1, RECIPE));
  // Its older version has become another one: the file is a problem from its first kept range on.
  putOwn(sink.folder, noise(9, 10));
  sink.accept(recordsFrame(1, [chunk(0, LEAF), kept(LEAF, LEAF)]));
  expect(sink.problems).toHaveLength(1);
  sink.accept(recordsFrame(1, [kept(2 * LEAF, NEW.length - 2 * LEAF)], sink.final));
  expect(sink.problems).toHaveLength(1);
  expect(readFileSync(`${sink.folder}/file`)).toHaveLength(10);
});

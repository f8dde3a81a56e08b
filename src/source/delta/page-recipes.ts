import { type BuiltRecipe, buildRecipe, type CutFile } from "../../delta/build-recipe.ts";
import { type CutterKind, cuttingFor } from "../../delta/cutting.ts";
import { type Recipe, slicesOf } from "../../delta/recipe.ts";
import { encodeRecipe } from "../../delta/recipe-frame.ts";
import { type EntryStats, statDescriptor } from "../../lib/disk/entry-stats.ts";
import { traitsOf } from "../../lib/disk/file-traits.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { systemRandom } from "../../lib/random.ts";
import { entryPath } from "../../protocol/frame/page.ts";
import type { PageRows } from "../../protocol/frame/page-rows.ts";
import { DELTA_FILE_BYTES_MIN, FILE_BYTES_MAX, RECIPE_PIECES_MAX } from "../../protocol/limits.ts";
import type { TreeFolder } from "../disk/tree-folder.ts";
import { isSameFile } from "../read/hash-file.ts";
import type { ReadOutput, RecipeOptions } from "../read/read-output.ts";
import { settledStat } from "../read/settled-stat.ts";
import { SentCheck } from "./sent-check.ts";
import { type SentRun, sentRuns } from "./sent-runs.ts";

/** Recipes for whose answers a source waits at a time: what sinks have to look up and keep at once has a bound. */
const ASKED_FILES_MAX = 64;
const ASKED_BYTES_MAX = 1024 * 1024 * 1024;
/** Read without a pause: some milliseconds. */
const STEP_BYTES = 8 * 1024 * 1024;
/** How often it is looked whether padding has come through. */
const LOOK_MS = 4;
const PADDING_FRAME_BYTES = 64 * 1024;

/** A file whose recipe was made, as it was then. */
interface AskedFile {
  readonly stats: EntryStats;
  readonly recipe: Recipe;
  readonly contentHash: Uint8Array;
}

/** How a file is sent of which the sinks have said what they lack. */
export interface RecipePlan {
  readonly runs: Iterable<SentRun>;
  readonly contentHash: Uint8Array;
  /** Undefined: all of it is sent, and its hash is that of what was sent. */
  readonly check: SentCheck | undefined;
}

interface PageRecipesOptions extends RecipeOptions {
  readonly folder: TreeFolder;
  readonly rows: PageRows;
}

/** The recipes of one page: made and asked for some files at a time, when the first of them is to be sent [P-17]. */
export class PageRecipes {
  readonly #options: PageRecipesOptions;
  readonly #asked = new Map<number, AskedFile>();
  /** Of this file, in the order of the page, the recipe is due next, and of those behind it. */
  #next = 0;

  constructor(options: PageRecipesOptions) {
    this.#options = options;
  }

  /** Whether to ask before this file is sent. To be called once for each. */
  isDue(index: number): boolean {
    return this.#isOpen(index) && this.#options.choice?.takes() !== false;
  }

  /** Whether to ask in the midst of its sending: it went without a recipe so far, and so much of it is left. */
  turns(index: number, restBytes: number): boolean {
    const { choice, rows } = this.#options;
    return this.#isOpen(index) && choice?.turns(restBytes, rows.size(index)) === true;
  }

  /** Whether that may come to be. */
  mayTurn(index: number): boolean {
    return this.#options.choice !== undefined && this.#isOpen(index);
  }

  /** Makes the recipes of this file and of some that follow, and waits for the answers. */
  *ask(index: number): Generator<ReadOutput, void, undefined> {
    const { rows, cutters, choice } = this.#options;
    let [bytes, pieces] = [0, 0];
    const entries: number[] = [];
    for (const [at, cutter] of [...cutters].sort(([one], [other]) => one - other)) {
      if (at < index) continue;
      const size = rows.size(at);
      const isFull = bytes + size > ASKED_BYTES_MAX || pieces + aboutPieces(cutter, size) > RECIPE_PIECES_MAX;
      if (entries.length >= ASKED_FILES_MAX || (at > index && isFull)) break;
      this.#next = at + 1;
      bytes += size;
      const recipe = yield* this.#make(at, cutter);
      if (recipe === undefined && choice?.isUseless === true) {
        // Until the link turns out to be slow after all.
        this.#next = at;
        break;
      }
      if (recipe === undefined) continue;
      pieces += recipe.lengths.length;
      entries.push(rows.first + at);
      yield* inSlices(rows.first + at, recipe);
    }
    if (entries.length > 0) yield { type: "waits", entries };
  }

  /**
   * How to send this file, once. Undefined when it is to be sent without its recipe: nobody was asked, it is another one by
   * now, or no more than `restBytes` have to be sent without, because all sinks hold its beginning.
   */
  planOf(index: number, now: EntryStats, restBytes: number): RecipePlan | undefined {
    const { rows, lackedOf } = this.#options;
    const asked = this.#asked.get(index);
    this.#asked.delete(index);
    if (asked === undefined || !isSameFile(asked.stats, now)) return undefined;
    const lacked = lackedOf(rows.first + index);
    if (lacked === undefined || lacked.lackedBytes(asked.recipe) > restBytes) return undefined;
    const { recipe, contentHash } = asked;
    const check = lacked.count < lacked.pieces ? new SentCheck(recipe) : undefined;
    return { runs: sentRuns(recipe, lacked), contentHash, check };
  }

  /** Its recipe was not made, and nobody was asked. */
  #isOpen(index: number): boolean {
    return index >= this.#next && this.#options.cutters.has(index);
  }

  /** Its thread looks after other things now and then: a large file takes minutes. Undefined: it is shorter, or too slow. */
  *#build(file: CutFile): Generator<ReadOutput, BuiltRecipe | undefined, undefined> {
    const { choice } = this.#options;
    choice?.begins(file.size);
    const steps = buildRecipe(file);
    do {
      yield* padding(choice?.padding());
      if (choice?.waits === true) yield { type: "pause", ms: LOOK_MS };
    } while (choice?.waits === true);
    yield* padding(choice?.padding());
    if (choice?.goesOn(0) === false) return undefined;
    for (let paused = 0; ; ) {
      const step = steps.next();
      if (step.done === true) return step.value;
      if (step.value - paused < STEP_BYTES) continue;
      paused = step.value;
      yield { type: "pause", ms: 0 };
      if (choice?.goesOn(step.value) === false) return undefined;
    }
  }

  /** Undefined, and the file goes without: it cannot be read, or is not all the time what it was. Its sending finds out more. */
  *#make(index: number, cutter: CutterKind): Generator<ReadOutput, Recipe | undefined, undefined> {
    const { folder, rows, memory } = this.#options;
    try {
      const directory = folder.directory(rows.directory(index));
      const fd = folder.openFile(directory, rows.name(index));
      try {
        const stats = settledStat(fd);
        if (!isFit(stats)) return undefined;
        const { size } = stats;
        const cutting = cuttingFor(cutter, size);
        const key = { path: entryPath(rows.entry(index)), traits: traitsOf(stats), cutting };
        const known = memory?.find(key, { size, contentHash: rows.hash(index) });
        const found = known ?? (yield* this.#build({ fd, size, cutting, hashesFile: true }));
        if (found?.contentHash === undefined || !isSameFile(stats, statDescriptor(fd))) return undefined;
        const { recipe, contentHash } = found;
        if (known === undefined) memory?.keep(key, { recipe, contentHash }, stats.ctimeMs);
        this.#asked.set(index, { stats, recipe, contentHash });
        return recipe;
      } finally {
        folder.closeFile(directory, fd);
      }
    } catch (thrown) {
      if (thrown instanceof FanfoldError) throw thrown;
      return undefined;
    }
  }
}

function* inSlices(entry: number, recipe: Recipe): Generator<ReadOutput, void, undefined> {
  const pieces = recipe.lengths.length;
  for (let slice = 0; slice < slicesOf(pieces); slice += 1)
    yield { type: "recipe", entry, pieces, body: encodeRecipe(entry, recipe, slice) };
}

function isFit(stats: EntryStats): boolean {
  const { size } = stats;
  return stats.isFile() && size >= DELTA_FILE_BYTES_MIN && size <= FILE_BYTES_MAX;
}

function aboutPieces(cutter: CutterKind, size: number): number {
  return Math.ceil(size / cuttingFor(cutter, size).averageBytes);
}

let random: Buffer | undefined;

/** What nothing makes shorter on its way: windows of 32 KiB see no repetition. */
function* padding(bytes = 0): Generator<ReadOutput, void, undefined> {
  for (let sent = 0; sent < bytes; sent += PADDING_FRAME_BYTES) {
    random ??= Buffer.from(systemRandom.hex(PADDING_FRAME_BYTES), "hex");
    yield { type: "padding", body: random };
  }
}

import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Entry, FileEntry } from "../../../src/protocol/frame/page.ts";
import type { EntryState } from "../../../src/protocol/frame/trailer.ts";
import { LEAF_BYTES, PIECE_HASH_BYTES } from "../../../src/protocol/limits.ts";
import type { WantMessage } from "../../../src/sink/wants/page-wants.ts";
import { noise } from "../../delta/recipes.ts";
import {
  AS_LISTED,
  dataFrame,
  directory,
  file,
  finalOf,
  HandSource,
  rootEntry,
  symlink,
  TIME,
} from "../../helpers/copies/hand-source.ts";
import { openEngine } from "../../helpers/copies/open-engine.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";

const NAMES = ["a", "b", "c", "d", "e", "f", "g", "h"] as const;
/** Of two sizes, so that a name and a size may be those of another content. */
const CONTENTS = Array.from({ length: 12 }, (_, index) => noise(index, index % 2 === 0 ? 700 : 5 * LEAF_BYTES));

/** What stands under a name: a content by its number, a link or a directory. */
type Thing = number | "link" | "directory";
/** By the names; the first `first` of them come in the first page. */
interface Tree {
  readonly things: readonly (Thing | undefined)[];
  readonly first: number;
  /** By what the order is in which the files come. */
  readonly order: readonly number[];
}

const trees = (thing: fc.Arbitrary<Thing | undefined>): fc.Arbitrary<Tree> =>
  fc.record({
    things: fc.array(thing, { minLength: NAMES.length, maxLength: NAMES.length }),
    first: fc.integer({ min: 0, max: NAMES.length }),
    order: fc.array(fc.nat(), { minLength: NAMES.length, maxLength: NAMES.length }),
  });
const content = fc.nat(CONTENTS.length - 1);
const after = fc.oneof(
  { weight: 8, arbitrary: content },
  { weight: 1, arbitrary: fc.constantFrom("link" as const, "directory" as const, undefined) },
);

const bytesOf = (thing: Thing): Buffer => (typeof thing === "number" ? CONTENTS[thing] : undefined) ?? Buffer.alloc(0);
const timeOf = (thing: Thing) => ({ seconds: TIME.seconds + Number(thing), nanoseconds: 0 });

function entryOf(name: string, thing: Thing): Entry {
  if (thing === "directory") return directory(name);
  if (thing === "link") return symlink(name, "elsewhere");
  return { ...file(name, bytesOf(thing).length), mtime: timeOf(thing) } as FileEntry;
}

/** The hashes that a sink says, by the index in the page. */
function offersOf({ same }: WantMessage, count: number): Map<number, Buffer> {
  const [bits, hashes] = [Buffer.from(same?.bits ?? "", "base64"), Buffer.from(same?.hashes ?? "", "base64")];
  const indexes = Array.from({ length: count }, (_, index) => index).filter(
    (index) => ((bits[index >> 3] ?? 0) >> (index & 7)) % 2 === 1,
  );
  return new Map(
    indexes.map((index, at) => [index, hashes.subarray(at * PIECE_HASH_BYTES, (at + 1) * PIECE_HASH_BYTES)]),
  );
}

/** All pages come before any content. What the sink says it has does not come. Returns how many files that were. */
function copy(folder: string, { things, first, order }: Tree): number {
  using sink = openEngine(folder);
  const source = new HandSource();
  const listed = NAMES.flatMap((name, index) => {
    const thing = things[index];
    return thing === undefined ? [] : [{ name, thing, order: order[index] ?? 0 }];
  });
  const parts = [listed.slice(0, first), listed.slice(first)].filter((part, index) => index === 0 || part.length > 0);
  const pages = parts.map((part, index) => {
    const root = index === 0 ? [rootEntry] : [];
    const made = source.page([...root, ...part.map(({ name, thing }) => entryOf(name, thing))]);
    sink.accept(made.payload);
    return { page: made.page, things: [...root.map(() => undefined), ...part] };
  });
  const files = pages.flatMap(({ page, things: of }, number) => {
    const want = sink.wants[number];
    const offers = want === undefined ? new Map<number, Buffer>() : offersOf(want, of.length);
    const bits = typeof want?.want === "object" ? Buffer.from(want.want.bits, "base64") : undefined;
    const isWanted = (index: number) =>
      want?.want === "all" || (bits !== undefined && ((bits[index >> 3] ?? 0) >> (index & 7)) % 2 === 1);
    return of.flatMap((each, index) => {
      if (typeof each?.thing !== "number") return [];
      const bytes = bytesOf(each.thing);
      const final = { ...finalOf(bytes), mtime: timeOf(each.thing) };
      const isSame = offers.get(index)?.equals(final.hash.subarray(0, PIECE_HASH_BYTES)) === true;
      return [{ entry: page.first + index, bytes, final, isSame, isWanted: isWanted(index), order: each.order }];
    });
  });
  const sent = files.filter(({ isWanted }) => isWanted).sort((one, other) => one.order - other.order);
  for (const { entry, bytes, final, isSame } of sent)
    sink.accept(dataFrame(isSame ? [] : [{ entry, bytes }], [{ entry, final }]));
  for (const { page, things: of } of pages) {
    const states = of.map((_, index): EntryState => {
      const found = files.find(({ entry }) => entry === page.first + index);
      if (found === undefined) return AS_LISTED;
      return found.isWanted
        ? { state: "delivered", final: found.final }
        : { state: "unchanged", hash: found.final.hash };
    });
    sink.accept(source.trailer(page, states));
  }
  sink.accept(source.end());
  expect(sink.problems).toEqual([]);
  expect(readdirSync(join(folder, ".fanfold/partial"))).toEqual([]);
  sink.prove();
  return sent.filter(({ isSame }) => isSame).length;
}

function expectTree(folder: string, { things }: Tree): void {
  for (const [index, thing] of things.entries()) {
    const path = join(folder, NAMES[index] ?? "");
    if (thing === "link") expect(readlinkSync(path)).toBe("elsewhere");
    else if (thing === "directory") expect(lstatSync(path).isDirectory()).toBe(true);
    else if (thing !== undefined) expect(readFileSync(path).equals(bytesOf(thing))).toBe(true);
  }
}

test("whatever files change their names, and in whatever order they come, each gets its content", () => {
  let same = 0;
  fc.assert(
    fc.property(trees(content), trees(after), (before, next) => {
      const folder = tempFolder();
      copy(folder, before);
      expectTree(folder, before);
      same += copy(folder, next);
      expectTree(folder, next);
    }),
    { numRuns: 60 },
  );
  expect(same).toBeGreaterThan(60);
});

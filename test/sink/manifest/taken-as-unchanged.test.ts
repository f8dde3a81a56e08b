import { describe, expect, test } from "vitest";
import { Root } from "../../../src/sink/disk/root.ts";
import { encodeManifestStates } from "../../../src/sink/manifest/manifest.ts";
import { openManifestWriter } from "../../../src/sink/manifest/manifest-writer.ts";
import { type HandPage, hashFor, manifestOf, notRead, taken } from "../../helpers/copies/hand-manifest.ts";
import { rowsOf } from "../../helpers/copies/rows-of.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";

const META = {
  session: "photos",
  sessionId: "abcdefghijkl",
  source: "f".repeat(64),
  timeMs: 1_795_000_000_000,
  numericIds: true,
  asRoot: false,
};
const DIGEST = Buffer.alloc(32, 7);

function openRoot(): Root {
  const root = Root.open(Buffer.from(tempFolder()));
  root.partials.prepare(0, () => false);
  return root;
}

describe("what a manifest says of files that nobody looked into", () => {
  const since = { oldestProof: "2026-11-18T11:06:40.000Z" };
  const at = (timeMs: number) => ({ ...META, timeMs });
  const DAY_MS = 86_400_000;

  /** Commits a copy, and says what it tells of its files. */
  function copied(root: Root, all: readonly HandPage[], meta = META) {
    const writer = openManifestWriter(root, meta);
    for (const each of all) writer.page(rowsOf(each.page), encodeManifestStates(taken(writer, each)));
    const { takenAsUnchanged } = writer;
    writer.commit(DIGEST);
    return takenAsUnchanged;
  }

  test("counts them with the time of the copy that proved them, through any number of copies", () => {
    using root = openRoot();
    const all = manifestOf(["a", "b"]);
    expect(copied(root, all)).toBeUndefined();
    for (const day of [1, 2, 3])
      expect(copied(root, notRead(all), at(META.timeMs + day * DAY_MS))).toEqual({ files: 2, bytes: 20, ...since });
  });

  test("names the oldest proof as long as a file goes by it", () => {
    using root = openRoot();
    copied(root, manifestOf(["a", "b"]));
    const [later, latest] = [at(META.timeMs + DAY_MS), at(META.timeMs + 2 * DAY_MS)];
    const [first, second] = [manifestOf(["a", "b"]), notRead(manifestOf(["a", "b"]))];
    // "a" comes anew, "b" is taken as unchanged; then both are, and then "a" alone.
    const mixed = first.map((each, page) => ({
      ...each,
      states: each.states.map((state, index) => (index === 1 ? state : (second[page]?.states[index] ?? state))),
    }));
    expect(copied(root, mixed, later)).toEqual({ files: 1, bytes: 10, ...since });
    expect(copied(root, notRead(manifestOf(["a", "b"])), latest)).toEqual({ files: 2, bytes: 20, ...since });
  });

  test("leaves out empty files, those whose hash came with their page, and those that it does not know", () => {
    using root = openRoot();
    copied(root, manifestOf(["a"]));
    const changes = { c: { size: 0 }, d: { hash: hashFor("in/d") } };
    expect(copied(root, notRead(manifestOf(["a", "b", "c", "d"]), changes))).toEqual({ files: 1, bytes: 10, ...since });
    using other = openRoot();
    expect(copied(other, notRead(manifestOf(["a"])))).toBeUndefined();
  });

  test("begins anew from a proof by a hash of the source", () => {
    using root = openRoot();
    copied(root, manifestOf(["a"]));
    const later = at(META.timeMs + DAY_MS);
    expect(copied(root, notRead(manifestOf(["a"]), { a: { hash: hashFor("in/a") } }), later)).toBeUndefined();
    expect(copied(root, notRead(manifestOf(["a"])), at(META.timeMs + 2 * DAY_MS))).toMatchObject({
      oldestProof: new Date(later.timeMs).toISOString(),
    });
  });
});

import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Entry, KEEPS_ALL, type Page } from "../../../src/protocol/frame/page.ts";
import { decodePage } from "../../../src/protocol/frame/page-rows.ts";
import { compareInWalk } from "../../../src/protocol/names/walk-order.ts";
import { Root } from "../../../src/sink/disk/root.ts";
import { encodeManifestStates, type ManifestState } from "../../../src/sink/manifest/manifest.ts";
import { ManifestReader } from "../../../src/sink/manifest/manifest-reader.ts";
import { type ManifestWriter, openManifestWriter } from "../../../src/sink/manifest/manifest-writer.ts";
import { entry, hash, page, state, whole } from "../../helpers/arbitraries.ts";
import {
  type HandPage,
  handPage,
  hashFor,
  keyOf,
  manifestOf,
  NOT_CARRIED,
  notRead,
  paged,
  taken,
  withoutHashes,
} from "../../helpers/copies/hand-manifest.ts";
import { rowsOf } from "../../helpers/copies/rows-of.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { thrownCode } from "../../helpers/thrown.ts";
import { makeOddTree } from "../../helpers/trees/tree.ts";
import { walkTree } from "../../helpers/trees/walk-tree.ts";

const META = {
  session: "photos",
  sessionId: "abcdefghijkl",
  source: "f".repeat(64),
  timeMs: 1_795_000_000_000,
  numericIds: true,
  asRoot: false,
};
const DIGEST = Buffer.alloc(32, 7);

/** Pages as a session has them, with a state of any kind for each entry. */
const pages: fc.Arbitrary<HandPage[]> = fc
  .array(fc.array(fc.tuple(entry, anyState()), { minLength: 1, maxLength: 6 }), { maxLength: 5 })
  .chain((lists) => page.map(({ entries: [root] }) => numbered(lists, root)));

function anyState(): fc.Arbitrary<ManifestState> {
  return fc.oneof(
    state,
    hash.map((each) => ({ state: "unchanged" as const, hash: each })),
    fc.constant<ManifestState>({ state: "not-carried" }),
  );
}

function numbered(lists: [Entry, ManifestState][][], root: Entry | undefined): HandPage[] {
  let first = 0;
  return lists.map((list, number) => {
    const entries = list.map(([each], index) =>
      first + index === 0 && root !== undefined ? asRoot(each) : { ...each, entry: first + index },
    );
    const made = { page: { page: number, first, keeps: KEEPS_ALL, entries }, states: list.map(([, each]) => each) };
    first += entries.length;
    return made;
  });
}

function asRoot({ mode, mtime }: Entry): Entry {
  return { kind: "directory", entry: 0, directory: new Uint8Array(0), name: new Uint8Array(0), mode, mtime };
}

function openRoot(folder = tempFolder()): Root {
  const root = Root.open(Buffer.from(folder));
  root.partials.prepare(0, () => false);
  return root;
}

function write(root: Root, all: readonly HandPage[]): ManifestWriter {
  const writer = openManifestWriter(root, META);
  for (const each of all) writer.page(rowsOf(each.page), encodeManifestStates(taken(writer, each)));
  return writer;
}

/** All that a manifest says; throws what reading it throws. */
function read(root: Root): { pages: HandPage[]; declared: number[]; lacks: Map<number, number> } | undefined {
  using reader = ManifestReader.open(root);
  const declared: number[] = [];
  const lacks = new Map<number, number>();
  const notes = {
    declared: (each: number) => void declared.push(each),
    lacks: (each: number, bits: number) => void lacks.set(each, (lacks.get(each) ?? 0) | bits),
  };
  return reader === undefined ? undefined : { pages: [...reader.pages(notes)].map(handPage), declared, lacks };
}

/** The same value with bytes as hex, whatever kind of bytes they are. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}

describe("the manifest of a sink's folder", () => {
  test("gives back any pages and states, and the entries declared at the end", () => {
    const folder = tempFolder();
    using root = openRoot(folder);
    fc.assert(
      fc.property(pages, fc.array(whole, { maxLength: 9000 }), (all, declared) => {
        write(root, all).commit(DIGEST, declared);
        const found = read(root);
        // Files that were not read take over what the manifest before knew: here they are compared without.
        expect(found?.pages.map((each) => plain(each.page))).toEqual(all.map((each) => plain(each.page)));
        expect(found?.declared).toEqual(declared);
        using reader = ManifestReader.open(root);
        expect(reader?.meta).toEqual(META);
        expect(reader?.end.digest).toEqual(DIGEST);
      }),
      { numRuns: 60 },
    );
  });

  test("gives back any states of a first copy", () => {
    fc.assert(
      fc.property(pages, (all) => {
        using root = openRoot();
        const unhashed = all.map(withoutHashes);
        write(root, unhashed).commit(DIGEST);
        expect(plain(read(root)?.pages)).toEqual(plain(unhashed));
      }),
      { numRuns: 40 },
    );
  });

  test("is refused when it is cut off anywhere, or one bit of it is altered", () => {
    const folder = tempFolder();
    using root = openRoot(folder);
    const path = join(folder, ".fanfold/manifest");
    fc.assert(
      fc.property(pages, fc.nat(), fc.nat({ max: 7 }), (all, place, bit) => {
        write(root, all).commit(DIGEST);
        const good = readFileSync(path);
        const at = place % good.length;
        writeFileSync(path, good.subarray(0, at));
        expect(thrownCode(() => read(root))).toBe("manifest-damaged");
        const altered = Buffer.from(good);
        altered.writeUInt8(altered.readUInt8(at) ^ (1 << bit), at);
        writeFileSync(path, altered);
        expect(thrownCode(() => read(root))).toBe("manifest-damaged");
        writeFileSync(path, Buffer.concat([good, good.subarray(at)]));
        expect(thrownCode(() => read(root))).toBe("manifest-damaged");
      }),
      { numRuns: 150 },
    );
  });

  test("replaces the one before only when it is committed, and leaves nothing else", () => {
    const folder = tempFolder();
    using root = openRoot(folder);
    const [one, two] = [manifestOf(["a"]), manifestOf(["b"])];
    expect(read(root)).toBeUndefined();
    write(root, one).commit(DIGEST);
    const names = readdirSync(join(folder, ".fanfold"));
    const dropped = write(root, two);
    expect(existsSync(join(folder, ".fanfold/manifest.new"))).toBe(true);
    dropped.discard();
    dropped.discard();
    expect(plain(read(root)?.pages)).toEqual(plain(one));
    expect(readdirSync(join(folder, ".fanfold"))).toEqual(names);
    // What a killed process left is no obstacle, whatever it is.
    mkdirSync(join(folder, ".fanfold/manifest.new/full"), { recursive: true });
    const writer = write(root, two);
    writer.commit(DIGEST);
    writer.discard();
    expect(plain(read(root)?.pages)).toEqual(plain(two));
    expect(readdirSync(join(folder, ".fanfold"))).toEqual(names);
  });

  test("is never written or read through a link", () => {
    const [folder, outside] = [tempFolder(), tempFolder()];
    using root = openRoot(folder);
    writeFileSync(join(outside, "file"), "must stay");
    for (const name of ["manifest", "manifest.new"]) symlinkSync(join(outside, "file"), join(folder, ".fanfold", name));
    expect(thrownCode(() => read(root))).toBe("ELOOP");
    write(root, manifestOf(["a"])).commit(DIGEST);
    expect(readFileSync(join(outside, "file"), "utf8")).toBe("must stay");
    expect(read(root)?.pages).toHaveLength(1);
  });
});

describe("hashes of the manifest before", () => {
  test("are taken over by files that were not read and have the same path, size and microsecond", () => {
    using root = openRoot();
    write(root, manifestOf(["a", "b", "c"], ["d", "e", "f", "g"])).commit(DIGEST);
    const changes = {
      e: { size: 11 },
      f: { mtime: { seconds: 1, nanoseconds: 5999 } },
      g: { mtime: { seconds: 1, nanoseconds: 6000 } },
    };
    write(root, notRead(manifestOf(["a", "bb", "c"], ["cc", "e", "f", "g"]), changes)).commit(DIGEST);
    const missing = { bb: "not-read", cc: "not-read", e: "not-read", g: "not-read" };
    expect(hashesOf(root)).toEqual({ a: hex("in/a"), c: hex("in/c"), f: hex("in/f"), ...missing });
    // And again by the one after that, from what was itself taken over.
    write(root, notRead(manifestOf(["a", "bb", "c"]))).commit(DIGEST);
    expect(hashesOf(root)).toEqual({ a: hex("in/a"), bb: "not-read", c: hex("in/c") });
  });

  test("are found in the order of a real walk, however much was added and removed", async () => {
    const source = join(tempFolder(), "source");
    await makeOddTree(source);
    const walked: Page[] = [];
    for (const output of walkTree(Buffer.from(source)))
      if (output.type === "page") walked.push(decodePage(output.body));
    const entries = walked.flatMap((each) => each.entries);
    for (const [index, each] of entries.entries()) {
      const after = entries[index + 1];
      if (after !== undefined && each.entry > 0) expect(compareInWalk(each, after)).toBeLessThan(0);
    }
    const some = fc.array(fc.boolean(), { minLength: entries.length, maxLength: entries.length });
    fc.assert(
      fc.property(some, some, (here, there) => {
        using root = openRoot();
        const kept = (keep: readonly boolean[]) => entries.filter((each, index) => each.entry === 0 || keep[index]);
        const [before, now] = [kept(here), kept(there)];
        write(root, paged([before])).commit(DIGEST);
        write(root, notRead(paged([now]))).commit(DIGEST);
        const known = new Set(before.map(keyOf));
        for (const { page: found, states } of read(root)?.pages ?? [])
          for (const [index, each] of found.entries.entries())
            if (each.kind === "file")
              expect(states[index]?.state).toBe(known.has(keyOf(each)) ? "unchanged" : "not-read");
      }),
      { numRuns: 15 },
    );
  });

  test("come from the source where it compares by content, and not from what this sink could not carry", () => {
    using root = openRoot();
    const [first] = manifestOf(["a", "b"]);
    if (first === undefined) throw new Error("expected a page");
    write(root, [{ ...first, states: [...first.states.slice(0, 2), NOT_CARRIED] }]).commit(DIGEST);
    write(root, notRead([first], { a: { hash: hashFor("of the source") } })).commit(DIGEST);
    expect(hashesOf(root)).toEqual({ a: hex("of the source"), b: "not-read" });
  });

  test("of a damaged manifest are not needed", () => {
    const folder = tempFolder();
    using root = openRoot(folder);
    writeFileSync(join(folder, ".fanfold/manifest"), "no manifest");
    write(root, notRead(manifestOf(["a"]))).commit(DIGEST);
    expect(hashesOf(root)).toEqual({ a: "not-read" });
  });
});

/** What a manifest knows of the content of each file. */
function hashesOf(folderRoot: Root): Record<string, string> {
  const found: Record<string, string> = {};
  for (const { page: each, states } of read(folderRoot)?.pages ?? [])
    for (const [index, file] of each.entries.entries()) {
      const known = states[index];
      if (file.kind === "file")
        found[Buffer.from(file.name).toString()] =
          known?.state === "unchanged" ? Buffer.from(known.hash).toString("hex") : (known?.state ?? "none");
    }
  return found;
}

const hex = (key: string): string => Buffer.from(hashFor(key)).toString("hex");

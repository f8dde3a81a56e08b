import { chmodSync, lchownSync, lutimesSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { loadNative } from "../../../src/lib/disk/native.ts";
import type { Attribute } from "../../../src/protocol/frame/attribute-names.ts";
import { type Entry, KEEPS_ALL, type Keeps } from "../../../src/protocol/frame/page.ts";
import { FidelityTally } from "../../../src/protocol/messages/fidelity.ts";
import { factsOf } from "../../../src/sink/disk/file-facts.ts";
import { PlainLook } from "../../../src/sink/disk/plain-look.ts";
import { Root } from "../../../src/sink/disk/root.ts";
import type { RootOptions } from "../../../src/sink/disk/root-options.ts";
import { metadataEntryOf } from "../../../src/sink/metadata/metadata.ts";
import { prepareFolder } from "../../../src/sink/own/probe-folder.ts";
import { rowsOf } from "../../helpers/copies/rows-of.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";

const NATIVE = loadNative();
const isRoot = process.getuid?.() === 0;
const [UID, GID] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
const SECONDS = 1_600_000_000;
const NOWHERE = new Uint8Array(0);
const ATTRIBUTE: Attribute = { name: Buffer.from("user.a"), value: Buffer.from("1") };

/** How an entry is: on the disk, or in a page. */
interface Look {
  readonly mode: number;
  readonly seconds: number;
  readonly owner: number;
  readonly size: number;
  readonly hasAttribute: boolean;
}

const PLAIN: Look = { mode: 0o755, seconds: SECONDS, owner: 0, size: 3, hasAttribute: false };
const look: fc.Arbitrary<Look> = fc.record({
  mode: fc.constantFrom(0o755, 0o755, 0o755, 0o644, 0o700, 0o4755, 0o2755),
  seconds: fc.constantFrom(SECONDS, SECONDS, SECONDS, SECONDS + 1),
  owner: fc.constantFrom(0, 0, 0, isRoot ? 1 : 0),
  size: fc.constantFrom(3, 3, 3, 4),
  hasAttribute: fc.constantFrom(false, false, false, true),
});
const KINDS = ["file", "directory", "symlink"] as const;
type PlainKind = (typeof KINDS)[number];

function place(path: string, kind: PlainKind, { mode, seconds, owner, size, hasAttribute }: Look): void {
  rmSync(path, { recursive: true, force: true });
  if (kind === "file") writeFileSync(path, "x".repeat(size));
  else if (kind === "directory") mkdirSync(path);
  else symlinkSync("x".repeat(size), path);
  if (owner !== 0) lchownSync(path, UID + owner, GID);
  if (kind !== "symlink") chmodSync(path, mode);
  if (hasAttribute && kind !== "symlink") NATIVE?.setAttribute(Buffer.from(path), ATTRIBUTE.name, ATTRIBUTE.value);
  lutimesSync(path, seconds, seconds);
}

interface Listing {
  readonly tellsOwner: boolean;
  readonly tellsAttributes: boolean;
  readonly keeps: Keeps;
}
const ALL_TOLD: Listing = { tellsOwner: true, tellsAttributes: true, keeps: KEEPS_ALL };
const listing: fc.Arbitrary<Listing> = fc.record({
  tellsOwner: fc.boolean(),
  tellsAttributes: fc.boolean(),
  keeps: fc.record({ perms: fc.boolean(), times: fc.boolean() }),
});

function listed(kind: PlainKind, { mode, seconds, owner, size, hasAttribute }: Look, told: Listing): Entry {
  const base = {
    ...{ entry: 7, directory: NOWHERE, name: Buffer.from("it"), mode, mtime: { seconds, nanoseconds: 0 } },
    owner: told.tellsOwner ? { uid: UID + owner, gid: GID } : undefined,
    attributes: told.tellsAttributes ? (hasAttribute ? [ATTRIBUTE] : []) : undefined,
  };
  if (kind === "file") return { ...base, kind, size };
  return kind === "directory" ? { ...base, kind } : { ...base, kind, target: Buffer.from("x".repeat(size)) };
}

/** What a plain look says, and what the careful way finds: whether anything would be given, and what is told as lacking. */
function looked(root: Root, tally: FidelityTally, { entry, keeps }: { entry: Entry; keeps: Keeps }) {
  const rows = rowsOf({ page: 0, first: 7, keeps, entries: [entry] });
  root.keeps = keeps;
  const plain = new PlainLook(root);
  const isFile = entry.kind === "file";
  const isPlain = isFile ? plain.isCompleteFile(rows, 0, () => false) : plain.isPlaced(rows, 0);
  const found = root.find(entry.directory, entry.name);
  if (found === undefined) throw new Error("nothing is there");
  const [subject, facts] = [metadataEntryOf(entry), factsOf(found)];
  const { differs, lacks } = root.metadata.compare(root.place(entry.directory, entry.name), facts, subject);
  const before = tally.report().length;
  root.metadata.tell(facts, subject, lacks);
  return { isPlain, isFinished: plain.isFinished(rows, 0), differs, lacksAny: tally.report().length > before };
}

function opened({ native }: Pick<RootOptions, "native"> = { native: NATIVE }) {
  const folder = tempFolder();
  writeFileSync(join(folder, "other"), "");
  const tally = new FidelityTally();
  const root = Root.open(Buffer.from(folder), { tally, native });
  prepareFolder(root, 0, () => false);
  return { path: join(folder, "it"), root, tally };
}

describe.runIf(NATIVE !== undefined)("a plain look", () => {
  test.each(KINDS)("sees a %s that is as it shall be", (kind) => {
    const { path, root, tally } = opened();
    using _ = root;
    place(path, kind, PLAIN);
    const found = looked(root, tally, { entry: listed(kind, PLAIN, ALL_TOLD), keeps: KEEPS_ALL });
    expect(found).toEqual({ isPlain: true, isFinished: kind === "directory", differs: false, lacksAny: false });
  });

  test("never says so where the careful way would do or tell anything", () => {
    const { path, root } = opened();
    using _ = root;
    fc.assert(
      fc.property(fc.constantFrom(...KINDS), look, look, listing, (kind, here, there, told) => {
        place(path, kind, here);
        const tally = new FidelityTally();
        using own = Root.open(Buffer.from(join(path, "..")), { tally, native: NATIVE });
        own.metadata.traits = root.metadata.traits;
        const found = looked(own, tally, { entry: listed(kind, there, told), keeps: told.keeps });
        const isSame = kind === "directory" || here.size === there.size;
        if (found.isPlain) expect([isSame, found.differs, found.lacksAny]).toEqual([true, false, false]);
        if (found.isFinished) expect([kind, found.differs, found.lacksAny]).toEqual(["directory", false, false]);
      }),
      { numRuns: 300 },
    );
  });

  test("does not speak for a file that may be lost, one of another kind, or none", () => {
    const { path, root } = opened();
    using _ = root;
    const rows = rowsOf({ page: 0, first: 7, keeps: KEEPS_ALL, entries: [listed("file", PLAIN, ALL_TOLD)] });
    const plain = new PlainLook(root);
    place(path, "file", PLAIN);
    expect(plain.isCompleteFile(rows, 0, () => true)).toBe(false);
    for (const kind of ["directory", "symlink"] as const) {
      place(path, kind, PLAIN);
      expect([plain.isSameFile(rows, 0), plain.isPlaced(rows, 0)]).toEqual([false, false]);
    }
    rmSync(path);
    expect(plain.isSameFile(rows, 0)).toBe(false);
  });

  test("does not say that a directory is in its place that cannot be filled as it is", () => {
    const { path, root, tally } = opened();
    using _ = root;
    const shut = { ...PLAIN, mode: 0o555 };
    place(path, "directory", shut);
    const found = looked(root, tally, { entry: listed("directory", shut, ALL_TOLD), keeps: KEEPS_ALL });
    expect([found.isPlain, found.isFinished]).toEqual([false, true]);
  });
});

test("without native calls it says nothing", () => {
  const { path, root, tally } = opened({ native: undefined });
  using _ = root;
  for (const kind of KINDS) {
    place(path, kind, PLAIN);
    const found = looked(root, tally, { entry: listed(kind, PLAIN, ALL_TOLD), keeps: KEEPS_ALL });
    expect([found.isPlain, found.isFinished]).toEqual([false, false]);
  }
});

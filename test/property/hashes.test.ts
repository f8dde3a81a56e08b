import { blake3 } from "@napi-rs/blake-hash";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Entry, KEEPS_ALL, type Page } from "../../src/protocol/frame/page.ts";
import type { EntryState } from "../../src/protocol/frame/trailer.ts";
import { FileHasher, hashChunk } from "../../src/protocol/hash/content-hash.ts";
import { LEAF_BYTES } from "../../src/protocol/limits.ts";
import { directory, file, finalOf, rootEntry, symlink } from "../helpers/copies/hand-source.ts";
import { encodePage } from "../helpers/copies/rows-of.ts";
import { pageDigest } from "../helpers/copies/trailers.ts";

/** The hash as protocol.md says it, without any cleverness. */
function referenceHash(bytes: Buffer): Buffer {
  if (bytes.length <= LEAF_BYTES) return blake3(bytes);
  const leaves: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += LEAF_BYTES) leaves.push(blake3(bytes.subarray(at, at + LEAF_BYTES)));
  return blake3(Buffer.concat(leaves));
}

describe("the hash of a file", () => {
  test("is the same for any split into chunks of whole leaves, and equals the reference", () => {
    const near = fc
      .tuple(fc.nat({ max: 6 }), fc.integer({ min: -1, max: 1 }))
      .map(([leaves, off]) => Math.max(0, leaves * LEAF_BYTES + off));
    const sizes = fc.oneof(near, fc.nat({ max: 6 * LEAF_BYTES }));
    fc.assert(
      fc.property(
        sizes,
        fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 7 }),
        fc.nat({ max: 255 }),
        (size, split, seed) => {
          const bytes = Buffer.from(
            Array.from({ length: size }, (_, index) => (index * 31 + seed + (index >> 8)) & 0xff),
          );
          const hasher = new FileHasher();
          for (let [at, turn] = [0, 0]; at < size; turn += 1) {
            const length = (split[turn % split.length] ?? 1) * LEAF_BYTES;
            hasher.add(hashChunk(bytes.subarray(at, at + length)));
            at += length;
          }
          expect(Buffer.from(hasher.digest())).toEqual(referenceHash(bytes));
          expect(Buffer.from(hashChunk(bytes).hash)).toEqual(referenceHash(bytes));
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("the hash of holes", () => {
  const MIB = 1024 * 1024;

  test("is that of the zeros which they read as, wherever they lie and however they are cut", () => {
    const piece = fc.record({
      leaves: fc.integer({ min: 1, max: 5 }),
      isHole: fc.boolean(),
      cut: fc.integer({ min: 1, max: 5 }),
    });
    const cases = fc.tuple(fc.array(piece, { maxLength: 6 }), fc.nat({ max: LEAF_BYTES - 1 }), fc.boolean());
    fc.assert(
      fc.property(cases, ([pieces, tailBytes, tailIsHole]) => {
        const hasher = new FileHasher();
        const all: Buffer[] = [];
        const add = (bytes: number, isHole: boolean, cutBytes: number): void => {
          const made = Buffer.alloc(bytes, isHole ? 0 : all.length + 1);
          all.push(made);
          for (let at = 0; at < bytes; at += cutBytes) {
            const part = made.subarray(at, at + cutBytes);
            if (isHole) hasher.addZeros(part.length);
            else hasher.add(hashChunk(part));
          }
        };
        for (const { leaves, isHole, cut } of pieces) add(leaves * LEAF_BYTES, isHole, cut * LEAF_BYTES);
        if (tailBytes > 0) add(tailBytes, tailIsHole, LEAF_BYTES);
        expect(Buffer.from(hasher.digest())).toEqual(referenceHash(Buffer.concat(all)));
      }),
      { numRuns: 100 },
    );
  });

  test.each([1, LEAF_BYTES - 1, LEAF_BYTES, LEAF_BYTES + 1, 256 * MIB, 256 * MIB + LEAF_BYTES, 600 * MIB + 1])(
    "of %i bytes in one piece is the same",
    (bytes) => {
      const hasher = new FileHasher();
      hasher.addZeros(bytes);
      const [zeros, last] = [blake3(Buffer.alloc(LEAF_BYTES)), bytes % LEAF_BYTES];
      const leaves = Array.from({ length: Math.floor(bytes / LEAF_BYTES) }, () => zeros);
      if (last > 0) leaves.push(blake3(Buffer.alloc(last)));
      const [only] = leaves;
      expect(Buffer.from(hasher.digest())).toEqual(leaves.length === 1 ? only : blake3(Buffer.concat(leaves)));
    },
  );
});

const CONTENT = Buffer.from("content");
const entries = [rootEntry, directory("d"), file("d/f", 7), symlink("d/l", "target"), file("w", 1)];
const page: Page = {
  page: 3,
  first: 0,
  keeps: KEEPS_ALL,
  entries: entries.map((entry, index) => ({ ...entry, entry: index })),
};
const states: EntryState[] = [
  { state: "as-listed" },
  { state: "as-listed" },
  { state: "delivered", final: finalOf(CONTENT) },
  { state: "as-listed" },
  { state: "withdrawn" },
];
const digest = (changedPage = page, changedStates = states): string =>
  pageDigest(encodePage(changedPage), changedStates).toString("hex");

function withEntry(index: number, change: Partial<Entry> & { readonly target?: Buffer; readonly size?: number }): Page {
  return {
    ...page,
    entries: page.entries.map((entry, at) => (at === index ? ({ ...entry, ...change } as Entry) : entry)),
  };
}
function withFinal(change: object): EntryState[] {
  return states.map((state) =>
    state.state === "delivered" ? { ...state, final: { ...state.final, ...change } } : state,
  );
}

describe("the digest of a page", () => {
  test.each<[string, string]>([
    ["the mode of the root", digest(withEntry(0, { mode: 0o700 }))],
    ["the time of a directory", digest(withEntry(1, { mtime: { seconds: 1, nanoseconds: 0 } }))],
    ["the name of a file", digest(withEntry(2, { name: Buffer.from("g") }))],
    ["the directory of a file", digest(withEntry(2, { directory: Buffer.from("e") }))],
    ["the target of a link", digest(withEntry(3, { target: Buffer.from("other") }))],
    [
      "the time of a link by a microsecond",
      digest(withEntry(3, { mtime: { seconds: 1_600_000_000, nanoseconds: 123_457_789 } })),
    ],
    ["the owner of a file", digest(withEntry(2, { owner: { uid: 7, gid: 0 } }))],
    ["the name of an owner", digest(withEntry(2, { owner: { uid: 0, gid: 0, user: Buffer.from("root") } }))],
    ["an attribute of a directory", digest(withEntry(1, { attributes: [{ name: CONTENT, value: CONTENT }] }))],
    ["what is kept", digest({ ...page, keeps: { perms: true, times: false } })],
    ["the kind of an entry", digest(withEntry(1, { kind: "symlink", target: Buffer.from("d") }))],
    ["the name of what was withdrawn", digest(withEntry(4, { name: Buffer.from("v") }))],
    ["the order", digest({ ...page, entries: page.entries.toReversed() }, states.toReversed())],
    ["the size", digest(page, withFinal({ size: 8 }))],
    ["the mode of a file", digest(page, withFinal({ mode: 0o600 }))],
    ["the time of a file", digest(page, withFinal({ mtime: { seconds: -1, nanoseconds: 0 } }))],
    ["the content", digest(page, withFinal({ hash: Buffer.alloc(32) }))],
    [
      "a file that is withdrawn",
      digest(
        page,
        states.map(() => ({ state: "withdrawn" })),
      ),
    ],
  ])("changes with %s", (_, changed) => {
    expect(changed).not.toBe(digest());
  });

  test("cannot be moved between a directory and a name", () => {
    const [one, two] = [file("a/b", 1), file("b", 1)].map((entry) =>
      pageDigest(encodePage({ ...page, entries: [entry] }), [{ state: "withdrawn" }]).toString("hex"),
    );
    expect(one).not.toBe(two);
  });
});

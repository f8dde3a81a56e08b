import fc from "fast-check";
import type { Attribute } from "../../src/protocol/frame/attribute-names.ts";
import type { FileFinal } from "../../src/protocol/frame/data-table.ts";
import type { Entry, Page } from "../../src/protocol/frame/page.ts";
import type { Owner } from "../../src/protocol/frame/page-tables.ts";
import type { Timestamp } from "../../src/protocol/frame/timestamp.ts";
import type { EntryState } from "../../src/protocol/frame/trailer.ts";
import { DEVICE_NUMBER_MAX, FILE_BYTES_MAX, HASH_BYTES, OWNER_ID_MAX } from "../../src/protocol/limits.ts";

/** Whole numbers, with the borders of the varint's lengths among them. */
export const whole: fc.Arbitrary<number> = fc.oneof(
  fc.nat({ max: 300 }),
  fc.maxSafeNat(),
  fc.nat({ max: 7 }).chain((length) => fc.constantFrom(128 ** length - 1, 128 ** length)),
  fc.constant(Number.MAX_SAFE_INTEGER),
);
export const hash = fc.uint8Array({ minLength: HASH_BYTES, maxLength: HASH_BYTES });
export const mode = fc.nat({ max: 0o7777 });
export const time: fc.Arbitrary<Timestamp> = fc.record({
  seconds: fc.integer({ min: -(2 ** 52), max: 2 ** 52 - 1 }),
  nanoseconds: fc.nat({ max: 999_999_999 }),
});
const size = whole.map((bytes) => Math.min(bytes, FILE_BYTES_MAX));
export const final: fc.Arbitrary<FileFinal> = fc.record({ size, mode, mtime: time, hash });

/** A name that may stand in a tree: any bytes but slash and NUL. */
export const name: fc.Arbitrary<Uint8Array> = fc
  .oneof(
    fc.uint8Array({ minLength: 1, maxLength: 12 }),
    fc.uint8Array({ minLength: 255, maxLength: 255 }),
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }).map((text) => Buffer.from(text)),
    fc.constantFrom("...", ".a", "-rf", "\n", "\u{202e}x", "con", ".fanfold.").map((text) => Buffer.from(text)),
  )
  .map((bytes) => bytes.map((byte) => (byte === 0 || byte === 0x2f ? 0x61 : byte)))
  .filter((bytes) => !/^(\.{1,2}|\.fanfold)$/.test(Buffer.from(bytes).toString("latin1")));
export const path: fc.Arbitrary<Uint8Array> = fc
  .array(name, { minLength: 1, maxLength: 5 })
  .map((names) => Buffer.from(names.map((bytes) => Buffer.from(bytes).toString("latin1")).join("/"), "latin1"));

const owner: fc.Arbitrary<Owner | undefined> = fc.option(
  fc.record({
    uid: fc.nat({ max: OWNER_ID_MAX }),
    gid: fc.nat({ max: OWNER_ID_MAX }),
    user: fc.option(name, { nil: undefined }),
    group: fc.option(name, { nil: undefined }),
  }),
  { nil: undefined },
);
const attributes: fc.Arbitrary<readonly Attribute[] | undefined> = fc.option(
  fc
    .uniqueArray(fc.record({ name, value: fc.uint8Array({ maxLength: 20 }) }), {
      maxLength: 3,
      selector: (attribute) => Buffer.from(attribute.name).toString("latin1"),
    })
    .map((set) => set.sort((one, other) => Buffer.compare(one.name, other.name))),
  { nil: undefined },
);

const base = {
  owner,
  attributes,
  directory: fc.oneof(path, fc.constant(new Uint8Array(0))),
  name,
  mode,
  mtime: time,
  entry: fc.constant(0),
};
const target = fc.uint8Array({ minLength: 1, maxLength: 40, min: 1 });
export const entry: fc.Arbitrary<Entry> = fc.oneof(
  fc.record({ ...base, kind: fc.constant("file" as const), size }),
  fc.record({ ...base, kind: fc.constant("file" as const), size }).chain((file) => {
    const rooms = fc.maxSafeNat().map((bytes) => bytes % Math.max(1, file.size));
    return rooms.map((roomBytes) => ({ ...file, size: Math.max(1, file.size), roomBytes }));
  }),
  fc.record({ ...base, kind: fc.constant("directory" as const) }),
  fc.record({ ...base, kind: fc.constant("symlink" as const), target }),
  fc.record({ ...base, kind: fc.constant("hardlink" as const), to: fc.constant(0) }),
  fc.record({ ...base, kind: fc.constant("fifo" as const) }),
  fc.record({
    ...base,
    kind: fc.constant("device" as const),
    character: fc.boolean(),
    major: fc.nat({ max: DEVICE_NUMBER_MAX }),
    minor: fc.nat({ max: DEVICE_NUMBER_MAX }),
  }),
);
/** A page as a walk could give it, but for the order; the first one has the root. */
export const page: fc.Arbitrary<Page> = fc
  .record({
    number: fc.nat({ max: 1e6 }),
    first: fc.nat({ max: 1e9 }),
    keeps: fc.record({ perms: fc.boolean(), times: fc.boolean() }),
    entries: fc.array(entry, { minLength: 1, maxLength: 12 }),
  })
  .map(({ number, first, keeps, entries }) => ({
    page: number,
    first,
    keeps,
    entries: entries.map((each, index) => (first + index === 0 ? rootOf(each) : { ...each, entry: first + index })),
  }));

function rootOf({ mode, mtime }: Entry): Entry {
  return { kind: "directory", entry: 0, directory: new Uint8Array(0), name: new Uint8Array(0), mode, mtime };
}

export const state: fc.Arbitrary<EntryState> = fc.oneof(
  fc.constantFrom<EntryState>({ state: "as-listed" }, { state: "withdrawn" }),
  hash.map((each) => ({ state: "unchanged" as const, hash: each })),
  final.map((each) => ({ state: "delivered" as const, final: each })),
);

/** What may become of good bytes on the way, or come instead of them. */
export function spoilt(good: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const place = fc.nat({ max: 1e6 });
  return fc.oneof(
    fc.uint8Array({ maxLength: 400 }),
    fc.tuple(good, place).map(([bytes, at]) => bytes.subarray(0, at % (bytes.length + 1))),
    fc.tuple(good, place, fc.nat({ max: 7 })).map(([bytes, at, bit]) => {
      const changed = Buffer.from(bytes);
      if (changed.length > 0) changed[at % changed.length] = (changed[at % changed.length] ?? 0) ^ (1 << bit);
      return changed;
    }),
    fc.tuple(good, place, fc.uint8Array({ maxLength: 20 })).map(([bytes, at, noise]) => {
      const cut = at % (bytes.length + 1);
      return Buffer.concat([bytes.subarray(0, cut), noise, bytes.subarray(cut)]);
    }),
  );
}

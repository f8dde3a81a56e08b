import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { SpillFile } from "../../../src/lib/disk/spill-file.ts";
import { KEEPS_ALL } from "../../../src/protocol/frame/page.ts";
import { PIECE_HASH_BYTES } from "../../../src/protocol/limits.ts";
import { PageAnswers } from "../../../src/source/publish/page-answers.ts";
import { file, rootEntry } from "../../helpers/copies/hand-source.ts";
import { encodePage } from "../../helpers/copies/rows-of.ts";
import { thrownCode } from "../../helpers/thrown.ts";

function begin(): PageAnswers {
  const spill = SpillFile.open();
  onTestFinished(() => spill[Symbol.dispose]());
  return new PageAnswers(spill);
}
const body = (page: number): Buffer => Buffer.from(`body of page ${page}`);
const bits = (...bytes: number[]): { bits: string } => ({ bits: Buffer.from(bytes).toString("base64") });

const traits = Buffer.of(7);

describe("PageAnswers", () => {
  test("gives a page when every sink has answered, with the union of what they want", () => {
    const ledger = begin();
    ledger.add({ page: 0, entries: 12, body: body(0), traits }, ["a", "b", "c"]);
    expect(ledger.answer("a", 0, bits(0b1, 0))).toBe(false);
    expect(ledger.answer("b", 0, "none")).toBe(false);
    expect(ledger.take()).toBeUndefined();
    expect(ledger.answer("c", 0, bits(0b100, 0b1000))).toBe(true);
    expect(ledger.take()).toEqual({
      page: 0,
      body: body(0),
      traits,
      wants: new Uint8Array([0b101, 0b1000]),
      skips: [],
      deltas: [],
    });
    expect(ledger.take()).toBeUndefined();
  });

  test("wants all when one sink does, whatever the others say before and after", () => {
    const ledger = begin();
    ledger.add({ page: 0, entries: 8, body: body(0), traits }, ["a", "b", "c"]);
    for (const [sink, want] of [
      ["a", bits(1)],
      ["b", "all"],
      ["c", "none"],
    ] as const)
      ledger.answer(sink, 0, want);
    expect(ledger.take()).toMatchObject({ page: 0, wants: undefined });
  });

  test("counts an answer once, and none of strangers or for pages that it does not have", () => {
    const ledger = begin();
    ledger.add({ page: 0, entries: 8, body: body(0), traits }, ["a", "b"]);
    ledger.answer("a", 0, "none");
    expect([ledger.answer("a", 0, "all"), ledger.answer("x", 0, "all"), ledger.answer("b", 7, "all")]).toEqual([
      false,
      false,
      false,
    ]);
    expect(ledger.answer("b", 0, "none")).toBe(true);
    expect(ledger.take()?.wants).toEqual(new Uint8Array(1));
    expect(ledger.answer("b", 0, "all")).toBe(false);
  });

  test("keeps the order of the pages, whichever is answered first", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7], { minLength: 8 }), (order) => {
        const ledger = begin();
        for (let page = 0; page < 8; page += 1) ledger.add({ page, entries: 1, body: body(page), traits }, ["a"]);
        const taken: number[] = [];
        for (const page of order) {
          ledger.answer("a", page, "all");
          for (let next = ledger.take(); next !== undefined; next = ledger.take()) {
            expect(next.body).toEqual(body(next.page));
            taken.push(next.page);
          }
        }
        expect(taken).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      }),
      { numRuns: 20 },
    );
  });

  test("does not wait for a sink that left, and says how many pages only that one held", () => {
    const ledger = begin();
    ledger.add({ page: 0, entries: 8, body: body(0), traits }, ["a", "b"]);
    ledger.add({ page: 1, entries: 8, body: body(1), traits }, ["a", "b"]);
    ledger.answer("a", 0, bits(1));
    expect([ledger.drop("b"), ledger.drop("b")]).toEqual([1, 0]);
    expect(ledger.take()).toMatchObject({ page: 0, wants: new Uint8Array([1]) });
    expect(ledger.take()).toBeUndefined();
    expect(ledger.drop("a")).toBe(1);
    expect(ledger.take()).toMatchObject({ page: 1, wants: new Uint8Array([0]) });
  });

  test.each([
    ["too few", bits()],
    ["too many", bits(0, 0)],
  ])("refuses %s bits, and the page still counts as held by that sink when it is dropped", (_, want) => {
    const ledger = begin();
    ledger.add({ page: 0, entries: 8, body: body(0), traits }, ["a"]);
    expect(thrownCode(() => ledger.answer("a", 0, want))).toBe("damaged");
    expect(ledger.drop("a")).toBe(1);
  });

  test("says of a file what each sink that wants it holds, if all of them hold something", () => {
    const ledger = begin();
    const [one, two] = ["11", "22"].map((byte) => byte.repeat(32));
    ledger.add({ page: 0, entries: 8, body: body(0), traits }, ["a", "b", "c"]);
    ledger.answer("a", 0, "all", {
      held: [
        [1, 65_536, one ?? ""],
        [2, 32_768, one ?? ""],
        [3, 32_768, one ?? ""],
        [4, 0, one ?? ""],
      ],
    });
    ledger.answer("b", 0, bits(0b110), { held: [[2, 98_304, two ?? ""]] });
    ledger.answer("c", 0, "none", { held: [[1, 32_768, two ?? ""]] });
    // 1: b wants it and holds nothing. 2: both hold some. 3: only a wants it. 4: nothing is held.
    expect(ledger.take()?.skips).toEqual([
      [
        2,
        [
          { bytes: 32_768, hash: Buffer.from(one ?? "", "hex") },
          { bytes: 98_304, hash: Buffer.from(two ?? "", "hex") },
        ],
      ],
      [3, [{ bytes: 32_768, hash: Buffer.from(one ?? "", "hex") }]],
    ]);
  });

  test("says of which files sinks may hold all, and refuses what does not fit the page", () => {
    const hashes = Buffer.alloc(2 * PIECE_HASH_BYTES, 7);
    const same = { bits: bits(0b110).bits, hashes: hashes.toString("base64") };
    const rows = encodePage({
      ...{ page: 0, first: 0, keeps: KEEPS_ALL },
      entries: [rootEntry, file("a", 5), file("b", 0)].map((entry, index) => ({ ...entry, entry: index })),
    });
    const asked = (): PageAnswers => {
      const ledger = begin();
      ledger.add({ page: 0, entries: 3, body: rows, traits }, ["a"]);
      return ledger;
    };
    const ledger = asked();
    ledger.answer("a", 0, "all", { same });
    expect(ledger.take()?.skips).toEqual([[1, [{ bytes: 5, hash: hashes.subarray(0, PIECE_HASH_BYTES) }]]]);
    for (const odd of [
      { ...same, bits: bits(0b111).bits },
      { ...same, bits: bits(0b010).bits },
      { ...same, bits: bits(0, 0).bits },
      { ...same, hashes: hashes.subarray(1).toString("base64") },
    ])
      expect(thrownCode(() => asked().answer("a", 0, "all", { same: odd }))).toBe("damaged");
  });

  test("refuses what is held of an entry that the page does not have", () => {
    const ledger = begin();
    ledger.add({ page: 0, entries: 8, body: body(0), traits }, ["a"]);
    expect(thrownCode(() => ledger.answer("a", 0, "all", { held: [[8, 1, "00".repeat(32)]] }))).toBe("damaged");
    expect(ledger.drop("a")).toBe(1);
  });

  test("forgets what a sink wanted that left before the others answered", () => {
    const ledger = begin();
    ledger.add({ page: 0, entries: 8, body: body(0), traits }, ["a", "b"]);
    ledger.answer("a", 0, "all");
    ledger.drop("a");
    ledger.answer("b", 0, bits(0b10));
    expect(ledger.take()?.wants).toEqual(new Uint8Array([0b10]));
  });

  test("knows who holds the reader, and how many answers each owes", () => {
    const ledger = begin();
    for (const page of [0, 1]) ledger.add({ page, entries: 1, body: body(page), traits }, ["a", "b"]);
    ledger.answer("a", 0, "all");
    expect([ledger.unansweredOf("a"), ledger.unansweredOf("b"), ledger.unansweredOf("x")]).toEqual([1, 2, 0]);
    expect([ledger.isHeldBy("a"), ledger.isHeldBy("b")]).toEqual([false, true]);
    ledger.drop("b");
    ledger.take();
    expect([ledger.isHeldBy("a"), ledger.unansweredOf("b")]).toEqual([true, 0]);
  });

  test("gives a page at once that no sink is there for", () => {
    const ledger = begin();
    ledger.add({ page: 0, entries: 8, body: body(0), traits }, []);
    expect(ledger.take()).toMatchObject({ page: 0 });
  });
});

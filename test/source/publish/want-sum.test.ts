import { describe, expect, test } from "vitest";
import { KEEPS_ALL } from "../../../src/protocol/frame/page.ts";
import { WantSum } from "../../../src/source/publish/want-sum.ts";
import { directory, file } from "../../helpers/copies/hand-source.ts";
import { encodePage } from "../../helpers/copies/rows-of.ts";
import { thrownCode } from "../../helpers/thrown.ts";

/** A page of a directory, `a` of 10 bytes and `b` of 200, of which 50 take room. */
function pageOf(page: number) {
  const first = 1 + 3 * page;
  const made = [directory("d"), file("a", 10), { ...file("b", 200), roomBytes: 50 }];
  const entries = made.map((entry, index) => ({ ...entry, entry: first + index }));
  return { page, entries: 3, body: encodePage({ page, first, keeps: KEEPS_ALL, entries }) };
}

const bits = (value: number) => ({ bits: Buffer.of(value).toString("base64") });

describe("WantSum", () => {
  test("counts what each sink wants, and once what any of them wants", () => {
    const sum = new WantSum();
    sum.add(pageOf(0), ["one", "two", "three"]);
    sum.answer("one", 0, bits(0b010));
    sum.answer("two", 0, "all");
    expect(sum.take()).toBeUndefined();
    expect([sum.waitsFor("two"), sum.waitsFor("three")]).toEqual([false, true]);
    sum.answer("three", 0, "none");
    expect(sum.take()).toEqual([
      { path: "a", bytes: 10, sinks: 2 },
      { path: "b", bytes: 50, sinks: 1 },
    ]);
    expect(sum.of("one")).toEqual({ files: 1, bytes: 10, roomBytes: 10 });
    expect(sum.of("two")).toEqual({ files: 2, bytes: 210, roomBytes: 60 });
    expect(sum.of("three")).toEqual({ files: 0, bytes: 0, roomBytes: 0 });
    expect(sum.once).toEqual({ files: 2, bytes: 210, roomBytes: 60 });
  });

  test("gives pages in order, whatever order their answers come in, and takes no answer twice", () => {
    const sum = new WantSum();
    for (const page of [0, 1]) sum.add(pageOf(page), ["one"]);
    sum.answer("one", 1, "all");
    expect(sum.take()).toBeUndefined();
    sum.answer("one", 0, "none");
    sum.answer("one", 0, "all");
    expect([sum.take()?.length, sum.take()?.length, sum.take()]).toEqual([0, 2, undefined]);
    expect([sum.pages, sum.once.files]).toEqual([2, 2]);
  });

  test("does not wait for a sink that is gone, nor count what it wanted", () => {
    const sum = new WantSum();
    for (const page of [0, 1]) sum.add(pageOf(page), ["one", "two"]);
    sum.answer("two", 1, "all");
    for (const page of [0, 1]) sum.answer("one", page, "none");
    sum.drop("two");
    expect([sum.take(), sum.take()]).toEqual([[], []]);
    expect(sum.once).toEqual({ files: 0, bytes: 0, roomBytes: 0 });
  });

  test("refuses bits that do not fit the page", () => {
    const sum = new WantSum();
    sum.add(pageOf(0), ["one"]);
    expect(thrownCode(() => sum.answer("one", 0, { bits: Buffer.alloc(2).toString("base64") }))).toBe("damaged");
    expect(sum.waitsFor("one")).toBe(true);
  });
});

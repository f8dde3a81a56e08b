import { expect, test } from "vitest";
import { exportProblems } from "../../scripts/lint/exports.ts";
import { typeNameProblems } from "../../scripts/lint/type-names.ts";

test("two types of one name are reported, also where they are not exported", () => {
  const sources = new Map([
    ["src/a.ts", "export interface Part {}\ntype Whole = Part;"],
    ["src/b.ts", "class Part {}\nexport type { Whole } from './a.ts';"],
    ["test/c.ts", "interface Whole {}"],
  ]);
  expect(typeNameProblems(sources)).toEqual(['src/a.ts, src/b.ts: all declare a type "Part": give each its own name']);
});

test("an export that no other file uses is reported, and code that only tests use", () => {
  const sources = new Map([
    ["src/a.ts", "export const A_MAX = 1;\nexport function a() {}\nexport async function b() {}\nexport class C {}"],
    ["src/b.ts", 'import { type C as D, b } from "./a.ts";\nexport interface E {}\nexport type F = E;'],
    ["test/a.test.ts", 'import { A_MAX, a } from "../src/a.ts";\nimport type { F } from "../src/b.ts";'],
  ]);
  expect(exportProblems(sources)).toEqual([
    'src/a.ts: only tests use "a" beside this file: test it by what others use, or move it',
    'src/b.ts: no other file uses "E": do not export it, or delete it',
  ]);
});

test("a file that is loaded later, or as a whole, counts by the words of who loads it", () => {
  const exporting = "export function a() {}\nexport function b() {}\nexport function c() {}";
  const sources = new Map([
    ["src/a.ts", exporting],
    ["src/b.ts", 'const { a } = await import("./a.ts");'],
    ["scripts/c.ts", 'import * as all from "../src/a.ts";\nall.b();'],
  ]);
  expect(exportProblems(sources)).toEqual(['src/a.ts: no other file uses "c": do not export it, or delete it']);
});

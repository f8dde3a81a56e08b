import { expect, test } from "vitest";
import { documentProblems } from "../../scripts/lint/documents.ts";
import { proseProblems } from "../../scripts/lint/prose.ts";

const words = (count: number) => Array.from({ length: count }, () => "we").join(" ");

test("a sentence of more than 28 words is reported with the line its paragraph begins at", () => {
  expect(proseProblems("a.md", `# Title\n\n${words(20)}\n${words(8)} – ·. More.\n`)).toEqual([]);
  expect(proseProblems("a.md", `# Title\n\n${words(20)}\n${words(9)}. More.\n`)).toEqual([
    'a.md:3: "we we we we we we …" has 29 words, at most 28',
  ]);
});

test("each item of a list has sentences of its own, and code counts as one word", () => {
  expect(proseProblems("a.md", `- ${words(25)}\n- ${words(25)}\n`)).toEqual([]);
  expect(proseProblems("a.md", `${words(27)}\n\`${words(9)}\`.\n`)).toEqual([]);
});

test("a line of more than 120 characters is reported, but in code, tables and headings", () => {
  const long = "x".repeat(121);
  expect(proseProblems("a.md", `${long}\n`)).toEqual(["a.md:1: 121 characters, at most 120"]);
  expect(proseProblems("a.md", `# ${long}\n\n| ${long} |\n\n\`\`\`text\n${long}\n\`\`\`\n`)).toEqual([]);
});

test("paths that a document names must exist, and names behind a path in the same folder", () => {
  const files = ["src/lib/clock.ts", "src/lib/errors.ts"];
  const problems = (text: string) => documentProblems("README.md", text, files);
  expect(problems("`src/lib/clock.ts`, `errors.ts`, and `clock.ts` alone.")).toEqual([]);
  expect(problems("`src/lib/nothing.ts`")).toEqual(["README.md:1: `src/lib/nothing.ts` does not exist"]);
  expect(problems("`src/lib/net/host-port.ts`, `errors.ts`")).toEqual([
    "README.md:1: `errors.ts` does not exist in src/lib/net",
  ]);
  expect(problems("`nothing.ts`")).toEqual(["README.md:1: `nothing.ts` does not exist"]);
});

test("links of a document lead to pages and headings that are there", () => {
  const problems = (text: string) => documentProblems("docs/limits.md", text, []);
  expect(problems("[a](limits.md#time) [b](../README.md) [c](https://example.org/x) [d](#time)")).toEqual([]);
  expect(problems("[a](nothing.md)")).toEqual(["docs/limits.md:1: the link to nothing.md leads nowhere"]);
  expect(problems("[a](limits.md#nothing)")).toEqual(['docs/limits.md:1: docs/limits.md has no heading "#nothing"']);
});

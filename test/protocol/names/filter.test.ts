import { describe, expect, test } from "vitest";
import { FILTER_RULES_MAX } from "../../../src/protocol/limits.ts";
import { type FilterGroup, parseRule, parseRules, TreeFilter } from "../../../src/protocol/names/filter.ts";
import { thrown } from "../../helpers/thrown.ts";

function excluded(groups: readonly FilterGroup[], paths: readonly string[]): string[] {
  const filter = new TreeFilter(groups);
  return paths.filter((path) => filter.excludes(Buffer.from(path.replace(/\/$/, "")), path.endsWith("/")));
}
const exclude = (pattern: string): FilterGroup => parseRule("--exclude", pattern);
const include = (pattern: string): FilterGroup => parseRule("--include", pattern);
const lines = (...text: string[]): FilterGroup => parseRules(Buffer.from(text.join("\n")), "patterns");

describe("a pattern", () => {
  test.each<readonly [pattern: string, matches: readonly string[], others: readonly string[]]>([
    ["*.tmp", ["a.tmp", "d/a.tmp", ".tmp", "x/y/z.tmp/"], ["a.tmp2", "atmp", "a.tmp/b"]],
    ["cache", ["cache", "cache/", "a/cache", "a/b/cache/"], ["caches", "cache/a", "Cache"]],
    ["cache/", ["cache/", "a/cache/"], ["cache", "a/cache"]],
    ["/build/", ["build/"], ["build", "a/build/"]],
    ["/build", ["build/", "build"], ["a/build"]],
    ["docs/*.md", ["docs/a.md"], ["a/docs/a.md", "docs/b/a.md", "docs"]],
    ["**/cache", ["cache", "a/cache", "a/b/cache/"], ["cache/a"]],
    ["/cache/**", ["cache/a", "cache/a/b/"], ["cache/", "a/cache/b"]],
    ["a/**/b", ["a/b", "a/x/b", "a/x/y/b/"], ["b", "x/a/b", "a/x/b/c", "ab"]],
    ["**", ["a", "a/", "a/b"], []],
    ["a/**/**/b", ["a/b", "a/x/y/b"], ["a/x"]],
    ["a**b", ["ab", "axxb", "d/a*b"], ["a/b"]],
    ["?.txt", ["a.txt", "ä.txt", "😀.txt", "d/€.txt"], ["ab.txt", ".txt"]],
    ["[a-c]x", ["ax", "cx"], ["dx", "-x", "x"]],
    ["[!a-c]x", ["dx", "-x", "äx"], ["ax", "x"]],
    ["[^a-c]x", ["dx"], ["bx"]],
    ["[]-]x", ["]x", "-x"], ["[x"]],
    ["[ä-ü]", ["ö"], ["o", "\u00e3"]],
    ["[\\]\\-a]x", ["]x", "-x", "ax"], ["\\x"]],
    ["[[:digit:]x]", ["7", "x"], ["a", ":", "[", "d"]],
    ["[![:alpha:]_]b", ["1b", "äb"], ["ab", "Zb", "_b"]],
    ["\\*\\?\\[", ["*?[", "d/*?["], ["aa["]],
    ["\\!a", ["!a"], ["a"]],
    ["#a", ["#a"], ["a"]],
    [" a ", [" a "], ["a"]],
    ["*a*b*c*", ["abc", "xaxbxcx", "aabbcc"], ["acb", "ab"]],
    ["...", ["..."], [".."]],
  ])("%s", (pattern, matches, others) => {
    expect(excluded([exclude(pattern)], [...matches, ...others])).toEqual(matches);
  });

  test.each([
    ["", "the pattern is empty"],
    ["/", "a name between its slashes is empty"],
    ["a//b", "a name between its slashes is empty"],
    ["./a", '"." and ".."'],
    ["../a", '"." and ".."'],
    ["a\0b", "NUL"],
    ["a\\", "a backslash at the end"],
    ["[a-", 'has no "]"'],
    ["[", 'has no "]"'],
    ["a[/]b", 'has no "]"'],
    ["[z-a]", "a range in brackets ends before it begins"],
    ["[[:word:]]", "not known"],
    ["[[:alpha]", "not known"],
    ["!keep", "has a meaning only in a file"],
  ])("that can never match, or is not understood, is refused: %j", (pattern, reason) => {
    const message = expect.stringMatching(/^cannot read --exclude "/);
    expect(thrown(() => exclude(pattern))).toMatchObject({ code: "usage", message });
    expect(thrown(() => exclude(pattern))).toMatchObject({ message: expect.stringContaining(reason) });
  });

  test("that is longer than any path is refused, and not shown whole", () => {
    expect(() => exclude("a".repeat(4096))).toThrow(
      /^cannot read --exclude "a{200}": the pattern has more than 4095 bytes$/,
    );
  });

  test("takes a time that does not explode with its stars", () => {
    const path = `${"a".repeat(250)}/`.repeat(16).slice(0, -1);
    expect(excluded([exclude(`/${"**/*a*a*a*a*a*a*a*a*a*a*b/".repeat(6)}`)], [path])).toEqual([]);
  });
});

describe("rules", () => {
  const tree = ["a.jpg", "a.txt", "d/", "d/b.jpg", "d/b.txt"];

  test("on the command line: the first that matches decides", () => {
    expect(excluded([include("*.jpg"), exclude("*")], tree)).toEqual(["a.txt", "d/", "d/b.txt"]);
    expect(excluded([exclude("*"), include("*.jpg")], tree)).toEqual(tree);
    expect(excluded([include("*/"), include("*.jpg"), exclude("*")], tree)).toEqual(["a.txt", "d/b.txt"]);
    expect(excluded([include("*")], tree)).toEqual([]);
  });

  test("in a file: the last that matches decides, as in .gitignore; and the file has its place among the others", () => {
    expect(excluded([lines("*.txt", "!a.txt")], tree)).toEqual(["d/b.txt"]);
    expect(excluded([lines("!a.txt", "*.txt")], tree)).toEqual(["a.txt", "d/b.txt"]);
    expect(excluded([exclude("a.*"), lines("*.txt", "!a.txt"), exclude("*.jpg")], tree)).toEqual([
      "a.jpg",
      "a.txt",
      "d/b.jpg",
      "d/b.txt",
    ]);
    expect(excluded([lines("!*.txt"), exclude("*")], tree)).toEqual(["a.jpg", "d/", "d/b.jpg"]);
  });

  test("of a file leave out comments, empty lines, spaces at the end and carriage returns", () => {
    const group = parseRules(
      Buffer.from("\ufeff# a comment\r\n\r\n  \na.txt   \r\n\\#b\nc\\ \n\\!d\n e\nf\\\\ \n"),
      "patterns",
    );
    const names = ["a.txt", "# a comment", "#b", "c ", "c", "!d", " e", "e", "f\\", "f", ""];
    expect(excluded([group], names)).toEqual(["a.txt", "#b", "c ", "!d", " e", "f\\"]);
    expect(group.rules).toHaveLength(6);
  });

  test("take names and patterns that are no UTF-8 byte by byte", () => {
    const filter = new TreeFilter([parseRules(Buffer.from("6bff2a0a5b80fe5d780a", "hex"), "patterns")]);
    const excludes = (hex: string): boolean => filter.excludes(Buffer.from(hex, "hex"), false);
    expect(["6bff", "6bff41fe"].map(excludes)).toEqual([true, true]);
    expect(["6bfe", "6b", "ff"].map(excludes)).toEqual([false, false, false]);
    // A class of two stray bytes.
    expect(["8078", "fe78", "8178", "78"].map(excludes)).toEqual([true, true, false, false]);
  });

  test("of a file name the line that is refused, and their number is bounded", () => {
    expect(() => lines("ok", "", "a[")).toThrow(/^cannot read line 3 of patterns, "a\[": /);
    expect(() => lines(...Array.from({ length: FILTER_RULES_MAX + 1 }, () => "a"))).toThrow(/more than 10000 patterns/);
    expect(() => lines("!")).toThrow(/empty/);
  });

  test("leave out nothing when there are none", () => {
    expect(new TreeFilter([]).excludes(Buffer.from("a"), false)).toBe(false);
  });
});

import fc from "fast-check";
import { parse, stringify } from "smol-toml";
import { expect, test } from "vitest";
import { tomlLines } from "../../../src/cli/configuration/toml-lines.ts";

test("tells the lines of keys and tables, whatever stands around them", () => {
  const text = [
    "# [not.a.table]", // 1
    'a = """', // 2
    "b = 1 # still the text",
    '""""', // 4: ends with a quote of its own
    "c = [ # comment ]",
    '  "x]", { d = "#" },', // 6
    "]",
    "", // 8
    "  [ profile . 'pho.tos' ] # [x]",
    String.raw`"quo\"ted" = 'a\'`, // 10
    "e.f.g = 2\r",
    "h = '''", // 12
    "[i]",
    "'''", // 14
    "[[j]]",
    "k = { l = 1 }", // 16
  ].join("\n");
  parse(text);
  const lineOf = tomlLines(text);
  expect(lineOf(["a"])).toBe(2);
  expect(lineOf(["c"])).toBe(5);
  expect(lineOf(["profile", "pho.tos"])).toBe(9);
  expect(lineOf(["profile", "pho.tos", 'quo"ted'])).toBe(10);
  expect(lineOf(["profile", "pho.tos", "e", "f"])).toBe(11);
  expect(lineOf(["profile", "pho.tos", "h"])).toBe(12);
  expect(lineOf(["j", "k", "l"])).toBe(16);
});

const key = fc.oneof(fc.stringMatching(/^[a-z-]{1,8}$/), fc.string({ unit: "grapheme", maxLength: 6 }));
const value = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.integer(),
  fc.boolean(),
  fc.array(fc.string(), { maxLength: 3 }),
);
const table = fc.dictionary(key, value, { maxKeys: 5 });
const nested = fc.dictionary(key, fc.oneof(value, table, fc.dictionary(key, table, { maxKeys: 2 })), { maxKeys: 5 });

test("the line of each key begins with it, in any TOML", () => {
  fc.assert(
    fc.property(nested, (content) => {
      const text = stringify(content);
      const lines = text.split("\n");
      const lineOf = tomlLines(text);
      const look = (inner: object, path: readonly string[]): void => {
        for (const [name, each] of Object.entries(inner)) {
          const line = lines[lineOf([...path, name]) - 1] ?? "";
          const isTable = typeof each === "object" && !Array.isArray(each);
          if (isTable && Object.keys(each).length > 0 && !line.startsWith("[")) look(each, [...path, name]);
          else if (isTable) look(each, [...path, name]);
          else expect(Object.keys(parse(line))).toEqual([name]);
        }
      };
      look(parse(text), []);
    }),
    // A grapheme may hold the sign behind a key, and this one does.
    { examples: [[{ "": { "=\u0338": "" } }]] },
  );
});

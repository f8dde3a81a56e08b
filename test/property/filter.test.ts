import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FanfoldError } from "../../src/lib/errors.ts";
import { charactersOf, splitAt } from "../../src/protocol/names/characters.ts";
import { parseRules, TreeFilter } from "../../src/protocol/names/filter.ts";
import { path } from "../helpers/arbitraries.ts";

/** A piece of a pattern, and the regular expression that says the same. */
type Piece = readonly [pattern: string, expression: string];

const LETTERS = "abc";
const letter = fc.constantFrom(...LETTERS).map((text): Piece => [text, text]);
const token = fc.oneof(
  { weight: 4, arbitrary: letter },
  fc.constantFrom<Piece>(
    ["*", "[^/]*"],
    ["?", "[^/]"],
    ["[ab]", "[ab]"],
    ["[!a]", "[^a/]"],
    ["[b-c]", "[b-c]"],
    ["\\*", "\\*"],
    ["**x", "[^/]*x"],
  ),
);
const joined = (pieces: readonly Piece[]): Piece => [
  pieces.map(([pattern]) => pattern).join(""),
  pieces.map(([, expression]) => expression).join(""),
];
const name = fc
  .array(token, { minLength: 1, maxLength: 4 })
  .map(joined)
  .filter(([pattern]) => pattern !== "**");
/** Directories in front or between, with the slash behind them. */
const parents = fc.array(
  fc.oneof(
    name.map(([pattern, expression]): Piece => [`${pattern}/`, `${expression}/`]),
    fc.constant<Piece>(["**/", "(?:[^/]+/)*"]),
  ),
  { maxLength: 3 },
);

interface Generated {
  readonly text: string;
  readonly expression: RegExp;
  readonly directoriesOnly: boolean;
}
const generated = fc
  .record({
    isRooted: fc.boolean(),
    parents,
    last: fc.oneof(name, fc.constant<Piece>(["**", "[^/]+(?:/[^/]+)*"])),
    directoriesOnly: fc.boolean(),
  })
  .map(({ isRooted, parents: before, last, directoriesOnly }): Generated => {
    const [pattern, expression] = joined([...before, last]);
    const isAnchored = isRooted || before.length > 0;
    return {
      text: `${isRooted ? "/" : ""}${pattern}${directoriesOnly ? "/" : ""}`,
      expression: new RegExp(`^${isAnchored ? "" : "(?:[^/]+/)*"}${expression}$`),
      directoriesOnly,
    };
  });
const smallPath = fc
  .array(
    fc.array(fc.constantFrom(...LETTERS, "x", "*"), { minLength: 1, maxLength: 4 }).map((letters) => letters.join("")),
    { minLength: 1, maxLength: 4 },
  )
  .map((names) => names.join("/"));

describe("a filter", () => {
  test("says of any path what a regular expression of the same meaning says", () => {
    let matched = 0;
    fc.assert(
      fc.property(generated, smallPath, fc.boolean(), ({ text, expression, directoriesOnly }, entry, isDirectory) => {
        const filter = new TreeFilter([parseRules(Buffer.from(text), "patterns")]);
        const expected = expression.test(entry) && (!directoriesOnly || isDirectory);
        if (expected) matched += 1;
        expect([text, entry, filter.excludes(Buffer.from(entry), isDirectory)]).toEqual([text, entry, expected]);
      }),
      { numRuns: 5000 },
    );
    expect(matched).toBeGreaterThan(100);
  });

  test("with every special byte quoted, leaves out exactly the path it was made of", () => {
    fc.assert(
      fc.property(path, path, (bytes, other) => {
        fc.pre(bytes.length > 0 && other.length > 0 && !bytes.includes(0x0a) && bytes.length < 1000);
        const filter = new TreeFilter([parseRules(quoted(bytes), "patterns")]);
        expect(filter.excludes(bytes, false)).toBe(true);
        expect(filter.excludes(other, false)).toBe(Buffer.compare(bytes, other) === 0);
      }),
    );
  });

  test("of any bytes is made, or refused as unusable, and then answers for any path", () => {
    const special = fc
      .array(fc.constantFrom(..."*?[]!^-\\/#. \n\ra:"), { maxLength: 20 })
      .map((all) => Buffer.from(all.join("")));
    const anything = fc.oneof(special, fc.uint8Array({ maxLength: 40 }));
    fc.assert(
      fc.property(anything, path, fc.boolean(), (content, entry, isDirectory) => {
        try {
          const filter = new TreeFilter([parseRules(content, "patterns")]);
          expect(typeof filter.excludes(entry, isDirectory)).toBe("boolean");
        } catch (thrown) {
          if (!(thrown instanceof FanfoldError)) throw thrown;
          expect(thrown.code).toBe("usage");
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("sees different names as different characters", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), fc.uint8Array({ maxLength: 12 }), (one, other) => {
        expect(charactersOf(one).join() === charactersOf(other).join()).toBe(Buffer.compare(one, other) === 0);
        expect(splitAt(charactersOf(one), 0x2f)).toHaveLength(Buffer.from(one).toString("latin1").split("/").length);
      }),
    );
  });
});

/**
 * The pattern that means these very bytes: anchored, with a backslash before each ASCII byte that could mean more, and brackets
 * around a carriage return, which does not count at the end of a line.
 */
function quoted(bytes: Uint8Array): Buffer {
  const out = [0x2f];
  for (const byte of bytes) {
    if (byte === 0x0d) {
      out.push(0x5b, byte, 0x5d);
      continue;
    }
    if (byte < 0x80 && byte !== 0x2f && !/[A-Za-z0-9]/.test(String.fromCharCode(byte))) out.push(0x5c);
    out.push(byte);
  }
  return Buffer.from(out);
}

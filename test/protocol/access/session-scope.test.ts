import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseSessionScope, scopeCovers } from "../../../src/protocol/access/session-scope.ts";
import { thrownCode } from "../../helpers/thrown.ts";

const scope = fc.string({ unit: fc.constantFrom("a", "b", ".", "*"), minLength: 1, maxLength: 10 });
const session = fc.string({ unit: fc.constantFrom("a", "b", "."), minLength: 1, maxLength: 10 });

describe("the sessions of a token", () => {
  test("are those that the same pattern of a regular expression takes", () => {
    fc.assert(
      fc.property(scope, session, (pattern, name) => {
        const parts = pattern.split("*").map((part) => part.replaceAll(".", "\\."));
        expect(scopeCovers(parseSessionScope(pattern), name)).toBe(new RegExp(`^${parts.join(".*")}$`).test(name));
      }),
      { numRuns: 2000 },
    );
  });

  test("are one session, those with a beginning, or all", () => {
    expect(scopeCovers("nightly", "nightly")).toBe(true);
    expect(scopeCovers("nightly", "nightly-2")).toBe(false);
    expect(scopeCovers("nightly-*", "nightly-")).toBe(true);
    expect(scopeCovers("nightly-*", "my-nightly-1")).toBe(false);
    expect(scopeCovers("*", "default")).toBe(true);
    expect(scopeCovers("a*a", "a")).toBe(false);
  });

  test("cannot be anything else, and no pattern is slow", () => {
    for (const text of ["", "a b", "a/b", "[a]", "ä", "a?", "a\n", "a".repeat(65)])
      expect(thrownCode(() => parseSessionScope(text))).toBe("usage");
    expect(scopeCovers(`${"*a".repeat(31)}*b`, "a".repeat(64))).toBe(false);
  });
});

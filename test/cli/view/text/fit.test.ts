import fc from "fast-check";
import stringWidth from "string-width";
import { describe, expect, test } from "vitest";
import {
  fitEnd,
  fitExactly,
  fitMiddle,
  fitNames,
  fitParts,
  stringWidth as widthOf,
} from "../../../../src/cli/view/text/fit.ts";

const name = fc.string({
  unit: fc.constantFrom("a", "/", ".", "é", "日", "本", "🗂️", "e\u0301", "\x1b[2m"),
  maxLength: 60,
});
const columns = fc.integer({ min: 0, max: 60 });

test("fitMiddle() keeps both ends of a path", () => {
  expect(fitMiddle("node_modules/@types/node/fs/promises.d.ts", 24)).toBe("node_modules…omises.d.ts");
  expect(fitMiddle("short", 24)).toBe("short");
});

test("stringWidth() is that of the package, also for plain ASCII", () => {
  const plain = fc.string({ unit: "grapheme-ascii" });
  fc.assert(
    fc.property(fc.oneof(name, plain), (text) => {
      expect(widthOf(text)).toBe(stringWidth(text));
    }),
  );
});

describe("fitMiddle(), fitEnd() and fitExactly()", () => {
  test("never give more than was asked for, wide characters counted as two", () => {
    fc.assert(
      fc.property(name, columns, (text, width) => {
        expect(stringWidth(fitMiddle(text, width))).toBeLessThanOrEqual(width);
        expect(stringWidth(fitEnd(text, width))).toBeLessThanOrEqual(width);
        expect(stringWidth(fitExactly(text, width))).toBe(width);
      }),
    );
  });
});

test("fitParts() leaves out what is less important", () => {
  expect(fitParts(["first", "second", "third"], 14, " · ")).toBe("first · second");
  expect(fitParts(["first", "second"], 3, " · ")).toBe("fi…");
});

test("fitNames() counts the names that it leaves out", () => {
  expect(fitNames(["alpha", "beta", "gamma"], 30)).toBe("alpha, beta, gamma");
  expect(fitNames(["alpha", "beta", "gamma"], 16)).toBe("alpha and 2 more");
});

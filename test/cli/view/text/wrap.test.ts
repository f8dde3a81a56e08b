import { describe, expect, test } from "vitest";
import { wrapText } from "../../../../src/cli/view/text/wrap.ts";

describe("wrapText()", () => {
  test("leaves alone what fits", () => {
    expect(wrapText("one\n  two  three", 12)).toBe("one\n  two  three");
  });

  test("breaks between words, and sets in what goes on", () => {
    const text = "fanfold: warning: the broker holds back what is published: vm-3 proven";
    expect(wrapText(text, 45).split("\n")).toEqual([
      "fanfold: warning: the broker holds back what",
      "  is published: vm-3 proven",
    ]);
    expect(wrapText(`  sinks   ${text}`, 45).split("\n")).toEqual([
      "  sinks   fanfold: warning: the broker holds",
      "    back what is published: vm-3 proven",
    ]);
  });

  test("does not set in on a narrow terminal", () => {
    expect(wrapText("one two three four", 9)).toBe("one two\nthree\nfour");
  });

  test("leaves a word whole that is wider than the terminal", () => {
    const path = "a".repeat(60);
    expect(wrapText(`cannot read ${path} now`, 50).split("\n")).toEqual(["cannot read", `  ${path}`, "  now"]);
  });

  test("counts columns, not characters: wide ones as two, colours as none", () => {
    expect(wrapText("日本 日本 日本", 9)).toBe("日本 日本\n日本");
    expect(wrapText("\x1b[31mone two\x1b[39m", 7)).toBe("\x1b[31mone two\x1b[39m");
  });
});

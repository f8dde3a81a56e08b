import { resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { escapeName, escapeText } from "../../src/lib/escape-name.ts";
import { checkPath, joinPath, nameFault, splitPath } from "../../src/protocol/names/relative-path.ts";
import { name, path } from "../helpers/arbitraries.ts";
import { thrownCode } from "../helpers/thrown.ts";

const latin = (text: string): Buffer => Buffer.from(text, "latin1");
const verdict = (text: string): string => thrownCode(() => checkPath(latin(text)));

describe("checkPath()", () => {
  test("takes what a walk can give", () => {
    fc.assert(
      fc.property(path, (bytes) => {
        expect(thrownCode(() => checkPath(bytes))).toBe("nothing");
      }),
    );
  });

  test("takes nothing that leads out of the root", () => {
    const piece = fc.constantFrom(
      "..",
      ".",
      "",
      "a",
      "..a",
      "/",
      "\0",
      "\\",
      ".fanfold",
      "\xff",
      "a".repeat(255),
      "a".repeat(256),
    );
    const hostile = fc.oneof(
      fc.array(piece, { maxLength: 6 }).map((pieces) => latin(pieces.join("/"))),
      fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
    );
    fc.assert(
      fc.property(hostile, (bytes) => {
        if (thrownCode(() => checkPath(bytes)) === "nothing") {
          const text = bytes.toString("latin1");
          const below = resolve("/root/of/sink", text);
          expect(below === "/root/of/sink" || below.startsWith("/root/of/sink/")).toBe(true);
          // Nothing is left to be normalised: one path, one spelling.
          expect(below).toBe(text === "" ? "/root/of/sink" : `/root/of/sink/${text}`);
          expect(text).not.toContain("\0");
          expect(text).not.toMatch(/^\.fanfold(\/|$)/);
        }
      }),
      { numRuns: 10_000 },
    );
  });

  test.each([
    "/",
    "/x",
    "x/",
    "a//b",
    "..",
    "../x",
    "x/..",
    "x/../y",
    ".",
    "./x",
    "a\0b",
    ".fanfold",
    ".fanfold/x",
    `${"n".repeat(256)}`,
    `a/${"n".repeat(256)}/b`,
  ])("refuses %j", (text) => {
    expect(verdict(text)).toBe("damaged");
  });

  test.each([
    "",
    "x",
    "...",
    "..x",
    "C:\\x",
    "x/.fanfold",
    ".fanfold2",
    ".Fanfold",
    "~",
    "-rf",
    "a\nb",
    "n".repeat(255),
    "\xff\xfe",
  ])("takes %j", (text) => {
    expect(verdict(text)).toBe("nothing");
  });

  test("takes 4095 bytes and no more, and 2048 components and no more", () => {
    const long = (bytes: number): string =>
      Array.from({ length: 16 }, () => "n".repeat(255))
        .join("/")
        .slice(0, bytes);
    expect([long(4095), `${long(4095)}n`].map(verdict)).toEqual(["nothing", "damaged"]);
    expect(verdict(Array.from({ length: 2048 }, () => "d").join("/"))).toBe("nothing");
    expect(verdict(`${"d/".repeat(2047)}dd`)).toBe("damaged");
  });
});

test("joinPath() and splitPath() are each other's way back, and a name stays one component", () => {
  fc.assert(
    fc.property(fc.array(name, { maxLength: 6 }), (names) => {
      const joined = names.reduce<Buffer>((left, right) => joinPath(left, right), Buffer.alloc(0));
      expect(splitPath(joined).map((part) => Buffer.from(part))).toEqual(names.map((part) => Buffer.from(part)));
    }),
  );
  expect(nameFault(latin("a/b"))).toBe("it holds a slash");
});

/** Turns shown text back into the bytes it stands for. */
function bytesShownBy(text: string): Buffer {
  const parts = text.match(/\\x[0-9a-f]{2}|\\u\{[0-9a-f]+\}|\\[nrt\\]|[^\\]+/g) ?? [];
  const short = new Map([
    ["\\n", "\n"],
    ["\\r", "\r"],
    ["\\t", "\t"],
    ["\\\\", "\\"],
  ]);
  return Buffer.concat(
    parts.map((part) => {
      if (part.startsWith("\\x")) return Buffer.from([Number.parseInt(part.slice(2), 16)]);
      if (part.startsWith("\\u")) return Buffer.from(String.fromCodePoint(Number.parseInt(part.slice(3, -1), 16)));
      return Buffer.from(short.get(part) ?? part);
    }),
  );
}

describe("escapeName()", () => {
  const bytes = fc.oneof(
    name,
    fc.uint8Array({ maxLength: 30 }),
    fc.string({ unit: "binary", maxLength: 20 }).map((text) => Buffer.from(text)),
  );

  test("can be turned back into the very bytes, so that no two names look the same to a program", () => {
    fc.assert(
      fc.property(bytes, (each) => {
        expect(bytesShownBy(escapeName(each))).toEqual(Buffer.from(each));
      }),
      { numRuns: 5_000 },
    );
  });

  test("gives nothing that moves, hides or turns text on a terminal", () => {
    fc.assert(
      fc.property(bytes, (each) => {
        expect(escapeName(each)).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u);
      }),
      { numRuns: 5_000 },
    );
  });

  test("leaves readable names as they are", () => {
    expect(escapeName(Buffer.from("Grüße 日本 🎉.txt"))).toBe("Grüße 日本 🎉.txt");
    expect(escapeName(Buffer.from([0x61, 0xff, 0xc3, 0xed, 0xa0, 0x80, 0xc0, 0x80]))).toBe(
      "a\\xff\\xc3\\xed\\xa0\\x80\\xc0\\x80",
    );
    expect(escapeText("a\u{202e}\u{1b}[2J\ud800")).toBe("a\\u{202e}\\x1b[2J\\u{d800}");
  });
});

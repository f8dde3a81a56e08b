import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { argumentBytes, readArguments } from "../../../src/cli/process/arguments.ts";
import { thrownCode } from "../../helpers/thrown.ts";

const NUL = Buffer.alloc(1);
const argument = fc
  .oneof(
    fc.uint8Array({ maxLength: 12 }),
    fc.string({ unit: "grapheme" }).map((text) => Buffer.from(text)),
  )
  .map((bytes) => Buffer.from(bytes).filter((byte) => byte !== 0));

/** What the system has of a process that was started with these: a NUL ends each. */
function commandLine(...args: readonly Uint8Array[]): Buffer {
  return Buffer.concat(args.flatMap((each) => [each, NUL]));
}

describe("readArguments()", () => {
  test("keeps every byte, whatever stands before the arguments", () => {
    const before = fc.array(argument, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(before, fc.array(argument, { maxLength: 5 }), (others, args) => {
        const given = args.map((bytes) => Buffer.from(bytes).toString());
        const read = readArguments(given, commandLine(...others, ...args));
        expect(read.map(argumentBytes)).toEqual(args.map((bytes) => Buffer.from(bytes)));
      }),
    );
  });

  test("leaves text as it is, also U+FFFD that somebody typed", () => {
    const args = ["sink", "--name", "\uFFFD", "", "é", "-n"];
    expect(readArguments(args, commandLine(...args.map((text) => Buffer.from(text))))).toEqual(args);
  });

  test("does not ask the system where nothing can be lost", () => {
    expect(readArguments(["sink", "folder é"], undefined)).toEqual(["sink", "folder é"]);
  });

  test("refuses an argument that may have lost bytes when the system does not show its bytes, or shows other ones", () => {
    const given = ["sink", "k\uFFFD"];
    const others = [Buffer.from("node"), Buffer.from("sink"), Buffer.from("kx")];
    for (const line of [Buffer.alloc(0), Buffer.from("sink"), commandLine(...others), commandLine(Buffer.from("k"))])
      expect(thrownCode(() => readArguments(given, line))).toBe("usage");
    expect(() => readArguments(given, Buffer.alloc(0))).toThrow('cannot read the argument "k\uFFFD": it is not UTF-8');
  });
});

test("argumentBytes() of an argument that is not UTF-8 are those that it was given as", () => {
  const bytes = Buffer.from([0x6b, 0xe9, 0x2f, 0xf0, 0x9f, 0x98, 0x80, 0xff]);
  const [text = ""] = readArguments([bytes.toString()], commandLine(bytes));
  expect(text).toBe("k\udce9/😀\udcff");
  expect(argumentBytes(text)).toEqual(bytes);
});

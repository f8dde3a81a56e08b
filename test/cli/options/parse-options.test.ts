import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseDuration } from "../../../src/cli/options/parse-duration.ts";
import { parseMaxDelete } from "../../../src/cli/options/parse-max-delete.ts";
import { parseLabel, parseNote, parsePath, parseSessionName } from "../../../src/cli/options/parse-name.ts";
import { parseWholeNumber } from "../../../src/cli/options/parse-number.ts";
import { sessionNameShape } from "../../../src/protocol/messages/control.ts";

describe("parseDuration()", () => {
  test.each([
    ["30s", 30_000],
    ["5m", 300_000],
    ["2h", 7_200_000],
    ["1h30m", 5_400_000],
    ["1.5s", 1500],
    ["250ms", 250],
    ["1d", 86_400_000],
    [" 10S ", 10_000],
  ])("reads %j as %d milliseconds", (text, ms) => {
    expect(parseDuration(text, "--wait-timeout")).toBe(ms);
  });

  test.each(["", "s", "-5s", "5 s", "5x", "five", "0s", "0.1ms", "25d", "1e3s"])(
    "refuses %j with a usage error that names the option",
    (text) => {
      expect(() => parseDuration(text, "--wait-timeout")).toThrow(
        expect.objectContaining({ code: "usage", message: expect.stringContaining(`--wait-timeout "${text}"`) }),
      );
    },
  );

  test("says how to write seconds when the unit is missing", () => {
    expect(() => parseDuration("30", "--wait-timeout")).toThrow("write 30s");
  });
});

describe("parseWholeNumber()", () => {
  const range = { option: "--dest-count", min: 1, max: 256 };

  test.each([
    ["1", 1],
    ["256", 256],
    ["007", 7],
  ])("reads %j", (text, number) => {
    expect(parseWholeNumber(text, range)).toBe(number);
  });

  test.each(["", "0", "257", "-1", "1.5", "1e2", "0x10", "three", "99999999999999999999"])(
    "refuses %j and says the range",
    (text) => {
      expect(() => parseWholeNumber(text, range)).toThrow(
        expect.objectContaining({ code: "usage", message: expect.stringContaining("from 1 to 256") }),
      );
    },
  );
});

describe("parseSessionName()", () => {
  test("takes exactly what the control messages take", () => {
    const nameLike = fc.string({
      unit: fc.constantFrom("a", "Z", "0", ".", "-", "_", "/", " ", "\n", "ä"),
      maxLength: 70,
    });
    fc.assert(
      fc.property(nameLike, (name) => {
        const taken = sessionNameShape.accept(name) !== undefined;
        if (taken) expect(parseSessionName(name)).toBe(name);
        else expect(() => parseSessionName(name)).toThrow(expect.objectContaining({ code: "usage" }));
      }),
    );
  });
});

test.each([
  ["--session", () => parseSessionName("ff1_sink_x")],
  ["--name", () => parseLabel("my ff1_sink_abc")],
  ["--note", () => parseNote("FF1_source_abc")],
])("%s takes no text with a token, and does not show it", (option, parse) => {
  const message = expect.stringMatching(/a token stands in it/);
  expect(parse).toThrow(expect.objectContaining({ code: "usage", message }));
  expect(parse).toThrow(option);
  expect(parse).not.toThrow(/ff1_/i);
});

describe("parseLabel()", () => {
  test("takes spaces and letters of any script", () => {
    expect(parseLabel("Büro 東京")).toBe("Büro 東京");
  });

  test.each(["", "a\nb", "a\u001b[31mb", "\u202eabc", "x".repeat(65)])(
    "refuses %j without printing control characters",
    (label) => {
      expect(() => parseLabel(label)).toThrow(
        expect.objectContaining({ code: "usage", message: expect.stringMatching(/^[^\p{C}]+$/u) }),
      );
    },
  );
});

test("parsePath() refuses an empty path and one with a NUL", () => {
  expect(parsePath("-dash", "the folder")).toEqual(Buffer.from("-dash"));
  for (const path of ["", "a\0b"])
    expect(() => parsePath(path, "the folder")).toThrow(expect.objectContaining({ code: "usage" }));
});

describe("parseMaxDelete()", () => {
  test.each([
    ["0", { kind: "entries", value: 0 }],
    ["1000", { kind: "entries", value: 1000 }],
    ["0%", { kind: "percent", value: 0 }],
    ["100%", { kind: "percent", value: 100 }],
  ])("reads %j", (text, limit) => {
    expect(parseMaxDelete(text)).toEqual(limit);
  });

  test.each(["", "-1", "101%", "2.5%", "1e3", "all", "%", "10 %"])("refuses %j", (text) => {
    expect(() => parseMaxDelete(text)).toThrow(
      /^cannot read --max-delete ".*": want a number of entries, or 0% to 100%/,
    );
  });
});

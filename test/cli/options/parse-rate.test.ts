import { describe, expect, test } from "vitest";
import { parseRate } from "../../../src/cli/options/parse-rate.ts";

describe("parseRate()", () => {
  test.each([
    ["20M", 20 * 1024 ** 2],
    ["500k", 500 * 1024],
    ["1.5m", 1.5 * 1024 ** 2],
    ["1G", 1024 ** 3],
    ["100", 100 * 1024],
    [" 2M ", 2 * 1024 ** 2],
    ["0", undefined],
    ["0M", undefined],
  ])("reads %j as rsync does", (text, bytes) => {
    expect(parseRate(text, "--bwlimit")).toBe(bytes);
  });

  test.each(["", "fast", "-1", "1T", "20 MB", "1e3", "0.5", "2000G", "M"])("refuses %j", (text) => {
    expect(() => parseRate(text, "--bwlimit")).toThrow(
      expect.objectContaining({
        code: "usage",
        message: expect.stringContaining(`cannot read --bwlimit "${text}": want a rate`),
      }),
    );
  });
});

import { openSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ERROR_CODES, FanfoldError, isErrorCode, systemCode } from "../../src/lib/errors.ts";
import { thrown } from "../helpers/thrown.ts";

describe("FanfoldError.from()", () => {
  test("returns a FanfoldError as it is", () => {
    const error = new FanfoldError("damaged", "text");
    expect(FanfoldError.from(error)).toBe(error);
  });

  test("gives a full disk, other system failures, aborts and all else their codes, and keeps the cause", () => {
    const full = Object.assign(new Error("no space"), { code: "ENOSPC", syscall: "write" });
    const io = Object.assign(new Error("i/o"), { code: "EIO", syscall: "read" });
    const aborted = new DOMException("stop", "AbortError");
    for (const [cause, code] of [
      [full, "disk-full"],
      [io, "disk-failed"],
      [aborted, "interrupted"],
      [new TypeError("x"), "internal"],
      ["a string", "internal"],
    ] as const) {
      expect(FanfoldError.from(cause)).toMatchObject({ code, cause });
    }
  });

  test("escapes the path that a system error quotes", () => {
    const cause = thrown(() => openSync("/no/such\u001b[31m\n", "r"));
    expect(FanfoldError.from(cause).message).toContain("/no/such\\x1b[31m\\n");
  });
});

test("systemCode() is the code of a failed system call, and never one of ours", () => {
  expect(systemCode(thrown(() => openSync("/no/such", "r")))).toBe("ENOENT");
  expect(systemCode(new FanfoldError("digest-mismatch", "text"))).toBeUndefined();
  expect(systemCode(new Error("plain"))).toBeUndefined();
  expect(systemCode({ code: "ENOENT" })).toBeUndefined();
});

test("isErrorCode() knows the codes and nothing else", () => {
  expect(ERROR_CODES.every(isErrorCode)).toBe(true);
  expect(isErrorCode("constructor")).toBe(false);
});

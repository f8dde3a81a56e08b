import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { AccountNames } from "../../../src/lib/disk/account-names.ts";

const parse = (text: string): AccountNames => new AccountNames(Buffer.from(text, "latin1"));

describe("AccountNames", () => {
  test("finds names by number and numbers by name, the first line first", () => {
    const names = parse("root:x:0:0::/:/bin/sh\nanna:x:1000:\nother:x:1000:\nanna:x:1001:\n\u00e9mile:x:1002:");
    expect(names.nameOf(1000)).toEqual(Buffer.from("anna"));
    expect(names.idOf(Buffer.from("anna"))).toBe(1000);
    expect(names.idOf(Buffer.from("other"))).toBe(1000);
    expect(names.nameOf(1001)).toEqual(Buffer.from("anna"));
    expect(names.nameOf(1002)).toEqual(Buffer.from("\u00e9mile", "latin1"));
    expect(names.idOf(Buffer.from("nobody"))).toBeUndefined();
  });

  test("gives the superuser no name, so that it never becomes somebody else's number", () => {
    expect(parse("admin:x:0:0:\n").nameOf(0)).toBeUndefined();
  });

  test("passes over lines that name nobody", () => {
    const names = parse(
      "# remark\n+::::::\n:x:5:\nshort\nbad:x:-1:\nfar:x:99999999999:\nlast:x:4294967295:\nhex:x:0x10:\nok:x:7:",
    );
    for (const name of ["# remark", "+", "", "short", "bad", "far", "last", "hex"])
      expect(names.idOf(Buffer.from(name))).toBeUndefined();
    expect(names.idOf(Buffer.from("ok"))).toBe(7);
  });

  test.skipIf(process.platform !== "linux")("knows the accounts of this machine", () => {
    const [name = "", , id = ""] = spawnSync("getent", ["passwd", "daemon"], { encoding: "utf8" }).stdout.split(":");
    expect(AccountNames.read("/etc/passwd").idOf(Buffer.from(name))).toBe(Number(id));
    expect(AccountNames.read("/etc/group").idOf(Buffer.from("root"))).toBe(0);
  });
});

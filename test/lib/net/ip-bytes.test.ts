import { expect, test } from "vitest";
import { ipBytes } from "../../../src/lib/net/ip-bytes.ts";

test("ipBytes() reads both families, in each way to write them", () => {
  const hexOf = (address: string) => ipBytes(address)?.toString("hex");
  expect(hexOf("10.0.0.255")).toBe("0a0000ff");
  expect(hexOf("::")).toBe("0".repeat(32));
  expect(hexOf("::1")).toBe("0".repeat(31).concat("1"));
  expect(hexOf("fd00::")).toBe("fd00".concat("0".repeat(28)));
  expect(hexOf("2001:db8:1:2:3:4:5:6")).toBe("20010db8000100020003000400050006");
  expect(hexOf("fe80::1%eth0")).toBe("fe80000000000000".concat("0000000000000001"));
  expect(hexOf("::ffff:10.0.0.3")).toBe("0".repeat(20).concat("ffff0a000003"));
});

test("ipBytes() knows names from addresses", () => {
  expect(["localhost", "", "10.0.0", "1.2.3.4.5", ":::", "[::1]", "10.0.0.3%eth0"].filter(ipBytes)).toEqual([]);
});

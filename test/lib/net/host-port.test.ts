import { expect, test } from "vitest";
import { formatHostPort, isLoopbackHost, plainAddress, plainHost } from "../../../src/lib/net/host-port.ts";

test("formatHostPort() puts brackets around IPv6 alone", () => {
  expect(formatHostPort({ host: "backup", port: 7337 })).toBe("backup:7337");
  expect(formatHostPort({ host: "10.0.0.3", port: 1 })).toBe("10.0.0.3:1");
  expect(formatHostPort({ host: "fd00::3", port: 7337 })).toBe("[fd00::3]:7337");
});

test("isLoopbackHost() knows names, both families and mapped addresses", () => {
  const own = ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "::ffff:127.0.0.1", "localhost", "LOCALHOST.", "a.localhost"];
  expect(own.filter((host) => !isLoopbackHost(host))).toEqual([]);
  const others = ["0.0.0.0", "::", "10.0.0.3", "::ffff:10.0.0.3", "fd00::1", "", "localhost.example.com", "127.evil"];
  expect(others.filter(isLoopbackHost)).toEqual([]);
});

test("plainAddress() shows a mapped IPv4 address as such", () => {
  expect(plainAddress("::ffff:10.0.0.3")).toBe("10.0.0.3");
  expect(plainAddress("fd00::3")).toBe("fd00::3");
});

test("plainHost() takes brackets, the final dot and the case of letters away", () => {
  expect(["[FD00::3]", "Backup.Example.", "backup"].map(plainHost)).toEqual(["fd00::3", "backup.example", "backup"]);
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatHostPort } from "../../src/lib/net/host-port.ts";
import { formatCoordinatorAddress, parseCoordinatorAddress } from "../../src/member/address.ts";
import { PORT_DEFAULT } from "../../src/protocol/coordinator-port.ts";
import { thrownCode } from "../helpers/thrown.ts";

describe("parseCoordinatorAddress()", () => {
  test.each<[string, string, number]>([
    ["localhost", "localhost", PORT_DEFAULT],
    ["backup.example.org:80", "backup.example.org", 80],
    ["10.0.0.1", "10.0.0.1", PORT_DEFAULT],
    ["10.0.0.1:65535", "10.0.0.1", 65_535],
    ["::1", "::1", PORT_DEFAULT],
    ["[::1]", "::1", PORT_DEFAULT],
    ["[fe80::1]:9", "fe80::1", 9],
    ["2001:db8::7337", "2001:db8::7337", PORT_DEFAULT],
    ["[::ffff:10.0.0.1]:1", "::ffff:10.0.0.1", 1],
    ["  host:1  ", "host", 1],
    ["my_host-1", "my_host-1", PORT_DEFAULT],
  ])("reads %j", (text, host, port) => {
    expect(parseCoordinatorAddress(text)).toEqual({ host, port });
  });

  test.each<[string, ReturnType<typeof parseCoordinatorAddress>, string]>([
    ["http://host:7000/", { scheme: "http", host: "host", port: 7000 }, "http://host:7000"],
    ["HTTP://host", { scheme: "http", host: "host", port: PORT_DEFAULT }, `http://host:${PORT_DEFAULT}`],
    ["https://[::1]", { scheme: "https", host: "::1", port: PORT_DEFAULT }, `https://[::1]:${PORT_DEFAULT}`],
    ["HttpS://backup:443/", { scheme: "https", host: "backup", port: 443 }, "https://backup:443"],
    ["backup", { host: "backup", port: PORT_DEFAULT }, `backup:${PORT_DEFAULT}`],
  ])("reads %j with what stands before it, and writes it as one would read it", (text, address, written) => {
    expect(parseCoordinatorAddress(text)).toEqual(address);
    expect(formatCoordinatorAddress(address)).toBe(written);
    expect(parseCoordinatorAddress(written)).toEqual(address);
  });

  test.each([
    "",
    " ",
    ":80",
    "host:",
    "host:0",
    "host:65536",
    "host:999999",
    "host:-1",
    "host:1.5",
    "host:port",
    "a b",
    "http://",
    "https://",
    "https://http://host",
    "httpss://host",
    "ws://host",
    "host/path",
    "http://host/path",
    "user@host",
    "[::1",
    "::1]",
    "[::1]x",
    "[host]",
    "[]",
    "[:::]",
    "10.0.0.1:80:90",
    "dead:beef:80",
    "1:2:3",
    ":::",
    "a\\b",
    "a<b",
    "a^b",
    "a|b",
    "a%zz",
    "a%00b",
    "a\0b",
    "[fe80::1%eth0]:9",
  ])("refuses %j as a mistake of the person who typed it", (text) => {
    expect(thrownCode(() => parseCoordinatorAddress(text))).toBe("usage");
  });

  test("gives only what a URL takes, and shown and read again it is the same", () => {
    const text = fc.oneof(
      fc.webAuthority(),
      fc.ipV4(),
      fc.ipV6(),
      fc.ipV6().map((ip) => `[${ip}]:80`),
      fc.string(),
      fc.string({ unit: fc.constantFrom(..."a1:.[]%/-@ ") }),
    );
    fc.assert(
      fc.property(text, (typed) => {
        let address: ReturnType<typeof parseCoordinatorAddress> | undefined;
        const code = thrownCode(() => {
          address = parseCoordinatorAddress(typed);
        });
        if (address === undefined) {
          expect(code).toBe("usage");
          return;
        }
        expect(URL.canParse(`ws://${formatHostPort(address)}/control`)).toBe(true);
        expect(parseCoordinatorAddress(formatCoordinatorAddress(address))).toEqual(address);
      }),
      { numRuns: 3_000 },
    );
  });
});

import type { NetworkInterfaceInfo } from "node:os";
import { describe, expect, test } from "vitest";
import { clientAddresses } from "../../../src/coordinator/port/addresses.ts";

function info(family: "IPv4" | "IPv6", address: string, internal = false): NetworkInterfaceInfo {
  const common = { address, netmask: "", mac: "00:00:00:00:00:00", internal, cidr: null };
  return family === "IPv4" ? { ...common, family } : { ...common, family, scopeid: 0 };
}

const interfaces = {
  lo: [info("IPv4", "127.0.0.1", true), info("IPv6", "::1", true)],
  eth0: [info("IPv6", "fe80::1"), info("IPv6", "fd00::3"), info("IPv4", "10.0.0.3")],
  gone: undefined,
};

describe("clientAddresses()", () => {
  test.each([
    ["127.0.0.1", "127.0.0.1", ["localhost:7337"]],
    ["localhost", "127.0.0.1", ["localhost:7337"]],
    ["127.0.0.2", "127.0.0.2", ["127.0.0.2:7337"]],
    ["::1", "::1", ["[::1]:7337"]],
    ["0.0.0.0", "0.0.0.0", ["10.0.0.3:7337"]],
    ["::", "::", ["10.0.0.3:7337", "[fd00::3]:7337"]],
    ["10.0.0.3", "10.0.0.3", ["10.0.0.3:7337"]],
    ["fd00::3", "fd00::3", ["[fd00::3]:7337"]],
    ["alpha.example.org", "10.0.0.3", ["alpha.example.org:7337"]],
  ])("for --host %s, bound to %s, are %j", (host, address, wanted) => {
    expect(clientAddresses({ host, address, port: 7337, access: "guarded", names: [] }, interfaces)).toEqual(wanted);
  });

  test("say that there is no TLS, where a member would want it", () => {
    const open = { host: "0.0.0.0", address: "0.0.0.0", port: 7337, access: "insecure-open", names: [] } as const;
    expect(clientAddresses(open, interfaces)).toEqual(["http://10.0.0.3:7337"]);
    expect(clientAddresses({ ...open, host: "127.0.0.1", address: "127.0.0.1" }, interfaces)).toEqual([
      "localhost:7337",
    ]);
  });

  test("begin with the names that somebody chose", () => {
    const names = ["Backup.example.org.", "10.0.0.3"];
    const bound = { host: "0.0.0.0", address: "0.0.0.0", port: 7337, access: "guarded", names } as const;
    expect(clientAddresses(bound, interfaces)).toEqual(["backup.example.org:7337", "10.0.0.3:7337"]);
  });

  test("fall back to localhost on a machine without a network", () => {
    expect(
      clientAddresses(
        { host: "0.0.0.0", address: "0.0.0.0", port: 1, access: "guarded", names: [] },
        { lo: interfaces.lo },
      ),
    ).toEqual(["localhost:1"]);
  });
});

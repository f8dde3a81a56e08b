import { describe, expect, test } from "vitest";
import { hostRefusal } from "../../../src/coordinator/port/hosts.ts";

const rules = { bindHost: "backup.example.org", machineName: "Alpha", allowHosts: ["copies.example.net"] };

describe("hostRefusal()", () => {
  test.each([
    "localhost",
    "localhost:7337",
    "LOCALHOST:7337",
    "localhost.:7337",
    "demo.localhost:7337",
    "127.0.0.1:7337",
    "10.0.0.3",
    "[::1]:7337",
    "[fd00::3]",
    "alpha:7337",
    "ALPHA.local:7337",
    "backup.example.org:7337",
    "copies.example.net",
  ])("lets a request for %s pass", (host) => {
    expect(hostRefusal({ host }, rules)).toBeUndefined();
  });

  test.each([
    "evil.example.com:7337",
    "localhost.evil.example.com",
    "notlocalhost",
    "alpha.evil.com",
    "127.0.0.1.evil.com",
  ])("refuses the name %s and says how to admit it", (host) => {
    expect(hostRefusal({ host }, rules)).toContain(`--allow-host ${host.replace(/:\d+$/, "")}`);
  });

  test.each([
    undefined,
    "",
    ":7337",
    "a b",
    "localhost:7337:1",
    "user@localhost",
    "localhost/x",
    "[::1",
    "localhost:x",
    ".",
  ])("refuses the malformed host %s", (host) => {
    expect(hostRefusal({ host }, rules)).toMatch(/missing or no address/);
  });

  test.each([
    ["http://localhost:7337", "localhost:7337"],
    ["http://LOCALHOST:7337", "localhost:7337"],
    ["http://10.0.0.3", "10.0.0.3:80"],
    ["https://copies.example.net", "copies.example.net:443"],
    ["http://[::1]:7337", "[::1]:7337"],
  ])("lets a page of %s use %s", (origin, host) => {
    expect(hostRefusal({ origin, host }, rules)).toBeUndefined();
  });

  test.each([
    "http://evil.example.com",
    "http://localhost:8080",
    "https://localhost:9999",
    "null",
    "",
    "file:///etc/passwd",
    "chrome-extension://abc",
  ])("refuses a page of %s", (origin) => {
    expect(hostRefusal({ origin, host: "localhost:7337" }, rules)).toMatch(/web page/);
  });
});

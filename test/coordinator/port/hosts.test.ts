import { describe, expect, test } from "vitest";
import { hostRefusal, upgradeRefusal } from "../../../src/coordinator/port/hosts.ts";

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
    expect(hostRefusal({ host }, rules)).toMatch(/missing or not an address/);
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

describe("upgradeRefusal()", () => {
  const host = "alias.example.org:7337";

  test("lets a program use any name that leads here, as a person typed it", () => {
    const headers = { host, "sec-websocket-key": "x", "sec-websocket-version": "13", "user-agent": "fanfold sink" };
    expect(upgradeRefusal(headers, rules)).toBeUndefined();
  });

  // What a browser sends with a WebSocket, whatever else it leaves out for a name that it does not trust.
  test.each([
    { origin: "http://alias.example.org:7337" },
    { origin: "null" },
    { origin: "" },
    { "sec-websocket-origin": "http://alias.example.org:7337" },
    { "sec-fetch-site": "same-origin" },
    { "sec-fetch-mode": "websocket" },
  ])("refuses a name that leads here to a page: %j", (headers) => {
    expect(upgradeRefusal({ host, ...headers }, rules)).toContain("--allow-host alias.example.org");
  });

  test.each([{ origin: "http://evil.example.com" }, { "sec-websocket-origin": "http://evil.example.com" }])(
    "refuses a page from elsewhere under a name of its own: %j",
    (headers) => {
      expect(upgradeRefusal({ host: "localhost:7337", ...headers }, rules)).toMatch(/web page/);
    },
  );

  test("lets a page of the coordinator itself connect", () => {
    expect(upgradeRefusal({ host: "localhost:7337", origin: "http://localhost:7337" }, rules)).toBeUndefined();
  });
});

import { expect, test } from "vitest";
import type { TokenRecord } from "../../../src/coordinator/access/access-store.ts";
import { BrowserSessions, SESSIONS_PER_TOKEN_MAX } from "../../../src/coordinator/access/browser-sessions.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { ManualClock } from "../manual-clock.ts";

const PLACE = { port: 7337, isSecure: true };
const token = { id: "k3m9x2qa" } as TokenRecord;

function pairOf(cookie: string): string {
  return cookie.split(";")[0] ?? "";
}

test("over TLS the cookie is for this host and for TLS alone", () => {
  const browsers = new BrowserSessions({ clock: new ManualClock(), random: systemRandom });
  const cookie = browsers.open(token, PLACE);
  expect(cookie).toMatch(
    /^__Host-fanfold-7337=[0-9a-f]{32}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200; Secure$/,
  );
  expect(browsers.tokenOf(pairOf(cookie), PLACE)).toBe(token.id);
  expect(browsers.tokenOf(pairOf(cookie), { ...PLACE, isSecure: false })).toBeUndefined();
  expect(browsers.tokenOf(pairOf(cookie), { ...PLACE, port: 7338 })).toBeUndefined();
  expect(browsers.tokenOf(`${pairOf(cookie).slice(0, -1)}x`, PLACE)).toBeUndefined();
});

test("a browser is forgotten after half a day, and when too many others came", () => {
  const clock = new ManualClock();
  const browsers = new BrowserSessions({ clock, random: systemRandom });
  const first = pairOf(browsers.open(token, PLACE));
  clock.advance(12 * 3_600_000);
  expect(browsers.tokenOf(first, PLACE)).toBeUndefined();
  const second = pairOf(browsers.open(token, PLACE));
  for (let count = 0; count < 255; count += 1) browsers.open({ ...token, id: `other${count}` }, PLACE);
  expect(browsers.tokenOf(second, PLACE)).toBe(token.id);
  browsers.open({ ...token, id: "last" }, PLACE);
  expect(browsers.tokenOf(second, PLACE)).toBeUndefined();
});

test("whoever logs in again and again by one token logs out its own browsers alone", () => {
  const browsers = new BrowserSessions({ clock: new ManualClock(), random: systemRandom });
  const admin = pairOf(browsers.open({ ...token, id: "admin" }, PLACE));
  const [first, second] = [pairOf(browsers.open(token, PLACE)), pairOf(browsers.open(token, PLACE))];
  for (let count = 2; count <= SESSIONS_PER_TOKEN_MAX; count += 1) browsers.open(token, PLACE);
  expect([first, second, admin].map((each) => browsers.tokenOf(each, PLACE))).toEqual([undefined, token.id, "admin"]);
  for (let count = 0; count < 1000; count += 1) browsers.open(token, PLACE);
  expect(browsers.tokenOf(admin, PLACE)).toBe("admin");
});

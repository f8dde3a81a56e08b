import { expect, test } from "vitest";
import { Attempts } from "../../../src/coordinator/access/attempts.ts";
import { handClock } from "../../helpers/hand-clock.ts";

const MINUTE_MS = 60_000;

function delaysOf(attempts: Attempts, count: number, who: { address: string; identity?: string }): number[] {
  return Array.from({ length: count }, () => {
    attempts.failed(who);
    return attempts.delayMs(who);
  });
}

test("the first failures cost nothing, later ones more and more", () => {
  const attempts = new Attempts(handClock());
  const delays = delaysOf(attempts, 12, { address: "10.0.0.1" });
  expect(delays).toEqual([0, 0, 0, 0, 0, 1000, 2000, 4000, 8000, 8000, 8000, 8000]);
  expect(attempts.delayMs({ address: "10.0.0.2" })).toBe(0);
});

test("whoever goes on is banned, until nothing was tried for a while", () => {
  const clock = handClock();
  const attempts = new Attempts(clock);
  delaysOf(attempts, 19, { address: "10.0.0.1" });
  expect(attempts.isBanned({ address: "10.0.0.1" })).toBe(false);
  attempts.failed({ address: "::ffff:10.0.0.1" });
  expect(attempts.isBanned({ address: "10.0.0.1" })).toBe(true);
  clock.advance(14 * MINUTE_MS);
  attempts.failed({ address: "10.0.0.1" });
  clock.advance(14 * MINUTE_MS);
  expect(attempts.isBanned({ address: "10.0.0.1" })).toBe(true);
  clock.advance(MINUTE_MS);
  expect(attempts.isBanned({ address: "10.0.0.1" })).toBe(false);
  expect(attempts.delayMs({ address: "10.0.0.1" })).toBe(0);
});

test("an identity is known wherever it comes from, and does not spoil the address for others", () => {
  const attempts = new Attempts(handClock());
  for (let host = 0; host < 20; host += 1) attempts.failed({ address: `10.0.${host}.1`, identity: "a" });
  expect(attempts.isBanned({ address: "10.9.9.9", identity: "a" })).toBe(true);
  expect(attempts.isBanned({ address: "10.0.3.1", identity: "b" })).toBe(false);
  expect(attempts.isBanned({ address: "10.0.3.1" })).toBe(false);
});

test("an IPv6 network is one address", () => {
  const attempts = new Attempts(handClock());
  for (let host = 0; host < 20; host += 1) attempts.failed({ address: `2001:db8::${host}` });
  expect(attempts.isBanned({ address: "2001:db8::ffff:1" })).toBe(true);
  expect(attempts.isBanned({ address: "2001:db8:0:1::1" })).toBe(false);
});

test("many addresses that fail push out the one that failed longest ago, not the others", () => {
  const attempts = new Attempts(handClock());
  delaysOf(attempts, 20, { address: "10.0.0.1" });
  delaysOf(attempts, 20, { address: "10.0.0.2" });
  for (let host = 0; host < 4095; host += 1) attempts.failed({ address: `192.168.${host >> 8}.${host & 255}` });
  expect(attempts.isBanned({ address: "10.0.0.1" })).toBe(false);
  expect(attempts.isBanned({ address: "10.0.0.2" })).toBe(true);
});

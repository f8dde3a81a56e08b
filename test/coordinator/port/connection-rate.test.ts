import { expect, test } from "vitest";
import { ConnectionRate } from "../../../src/coordinator/port/connection-rate.ts";
import { handClock } from "../../helpers/hand-clock.ts";

function taken(rate: ConnectionRate, address: string, tries: number): number {
  return Array.from({ length: tries }, () => rate.takes(address)).filter(Boolean).length;
}

test("an address has a burst, and then so many connections a second; others are not touched by it", () => {
  const clock = handClock();
  const rate = new ConnectionRate(clock);
  expect(taken(rate, "10.0.0.1", 2000)).toBe(1024);
  clock.advance(500);
  expect(taken(rate, "::ffff:10.0.0.1", 100)).toBe(32);
  expect(taken(rate, "10.0.0.2", 100)).toBe(100);
  clock.advance(60_000);
  expect(taken(rate, "10.0.0.1", 2000)).toBe(1024);
});

test("this machine may open any number", () => {
  expect(taken(new ConnectionRate(handClock()), "127.0.0.1", 5000)).toBe(5000);
});

import { expect, test } from "vitest";
import { STEPS_MS, STRANGERS_PER_SUSPECT_MAX, Strangers } from "../../../src/coordinator/port/strangers.ts";
import { addressGroup } from "../../../src/lib/net/address-group.ts";
import { handClock } from "../../helpers/hand-clock.ts";

function roomOf(max: number, perAddressMax: number) {
  const clock = handClock();
  const room = new Strangers({ clock, max, perAddressMax });
  const cut: string[] = [];
  const enter = (name: string, address: string) => room.enter(address, () => cut.push(name));
  return { clock, room, cut, enter };
}

test("an address has a bound of its own: its oldest connection goes", () => {
  const { room, cut, enter } = roomOf(10, 2);
  enter("other", "10.0.0.9");
  for (const name of ["a", "b", "c", "d"]) enter(name, "10.0.0.1");
  expect(cut).toEqual(["a", "b"]);
  expect(room.count).toBe(3);
});

test("a full room makes place at the cost of the address with the most connections", () => {
  const { room, cut, enter } = roomOf(4, 3);
  enter("first", "10.0.0.9");
  for (const name of ["a", "b", "c"]) enter(name, "10.0.0.1");
  enter("new", "10.0.0.7");
  expect(cut).toEqual(["a"]);
  expect(room.count).toBe(4);
});

test("who is known is not counted, and never cut", () => {
  const { room, cut, enter, clock } = roomOf(4, 1);
  const member = enter("member", "10.0.0.1");
  member.leaves();
  member.leaves();
  enter("a", "10.0.0.1");
  expect([room.count, cut]).toEqual([1, []]);
  clock.advance(STEPS_MS.opening + 1000);
  expect([room.count, cut]).toEqual([0, ["a"]]);
});

test("an address from which much was tried in vain gets less room", () => {
  const room = new Strangers({ clock: handClock(), isSuspect: (address) => address === "10.0.0.1" });
  const cut: string[] = [];
  for (const address of ["10.0.0.1", "10.0.0.2"])
    for (let number = 0; number < STRANGERS_PER_SUSPECT_MAX + 2; number += 1)
      room.enter(address, () => cut.push(`${address} ${number}`));
  expect(cut).toEqual(["10.0.0.1 0", "10.0.0.1 1"]);
});

test("each step has its own time", () => {
  const { cut, enter, clock } = roomOf(4, 4);
  const slow = enter("slow", "10.0.0.1");
  const quick = enter("quick", "10.0.0.1");
  clock.advance(STEPS_MS.opening - 1000);
  quick.begins("handshake");
  clock.advance(2000);
  expect(cut).toEqual(["slow"]);
  slow.begins("hello");
  quick.begins("answer");
  clock.advance(STEPS_MS.answer - 1000);
  expect(cut).toEqual(["slow"]);
  clock.advance(2000);
  expect(cut).toEqual(["slow", "quick"]);
});

test("an IPv6 network counts as one address", () => {
  const { cut, enter } = roomOf(9, 1);
  enter("a", "2001:db8:1:2::1");
  enter("b", "2001:db8:1:2:ffff::7");
  enter("c", "2001:db8:1:3::1");
  expect(cut).toEqual(["a"]);
  expect(addressGroup("::ffff:10.0.0.3")).toBe(addressGroup("10.0.0.3"));
  expect(addressGroup("fe80::1%eth0")).toBe(addressGroup("fe80::2%eth1"));
});

import { expect, test } from "vitest";
import { Openers } from "../../../src/coordinator/session/openers.ts";
import { SESSIONS_MAX, SESSIONS_PER_ADDRESS_MAX } from "../../../src/protocol/limits.ts";

/** Sessions that so many members opened from one address, each its own. */
function openedFrom(address: string, count: number): Openers {
  const openers = new Openers();
  for (let number = 0; number < count; number += 1) openers.opened(`s${number}`, { identity: `${number}`, address });
  return openers;
}

test("an address may open half of the sessions, with as many members as it has", () => {
  const openers = openedFrom("2001:db8::1", SESSIONS_PER_ADDRESS_MAX);
  expect(openers.refusal({ identity: "new", address: "2001:db8::2" })).toContain("opened from 2001:db8::2");
  expect(openers.refusal({ identity: "new", address: "10.0.0.1" })).toBeUndefined();
  openers.closed("s0");
  expect(openers.refusal({ identity: "new", address: "2001:db8::2" })).toBeUndefined();
});

test("on the coordinator's own machine all share one address, and may open all", () => {
  const nearly = openedFrom("127.0.0.1", SESSIONS_MAX - 1);
  expect(nearly.refusal({ identity: "new", address: "127.0.0.1" })).toBeUndefined();
  const full = openedFrom("127.0.0.1", SESSIONS_MAX);
  expect(full.refusal({ identity: "new", address: "10.0.0.1" })).toContain(`${SESSIONS_MAX} sessions are open`);
});

import { expect, test } from "vitest";
import { Renewals } from "../../../src/coordinator/broker/renewals.ts";
import { handClock } from "../../helpers/hand-clock.ts";

test("a member is renewed again and again, until it is gone", () => {
  const clock = handClock();
  const renewals = new Renewals({ clock, everyMs: 1000 });
  const [one, other] = [new AbortController(), new AbortController()];
  const renewed: string[] = [];
  renewals.begin("one", one.signal, () => renewed.push("one"));
  clock.advance(500);
  renewals.begin("other", other.signal, () => renewed.push("other"));
  clock.advance(500);
  expect(renewed).toEqual(["one"]);
  clock.advance(1000);
  expect(renewed).toEqual(["one", "other", "one"]);
  one.abort();
  clock.advance(1000);
  expect(renewed).toEqual(["one", "other", "one", "other"]);
  renewals.end("other");
  clock.advance(5000);
  expect(renewed).toHaveLength(4);
});

test("a later connection of a member takes the place of the one before, whose end ends nothing", () => {
  const clock = handClock();
  const renewals = new Renewals({ clock, everyMs: 1000 });
  const [before, now] = [new AbortController(), new AbortController()];
  const renewed: string[] = [];
  renewals.begin("one", before.signal, () => renewed.push("before"));
  renewals.begin("one", now.signal, () => renewed.push("now"));
  before.abort();
  clock.advance(1000);
  expect(renewed).toEqual(["now"]);
  now.abort();
  renewals.begin("one", now.signal, () => renewed.push("too late"));
  clock.advance(5000);
  expect(renewed).toEqual(["now"]);
});

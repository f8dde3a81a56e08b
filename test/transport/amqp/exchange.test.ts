import { expect, it } from "vitest";
import { subjectsOf, toSubject, upSubject, upWildcard } from "../../../src/protocol/subjects.ts";
import { exchangeOf } from "../../../src/transport/amqp/exchange.ts";

it("exchangeOf gives all subjects of a session the same exchange, which carries its id", () => {
  const subjects = subjectsOf("abc123");
  const all = [subjects.data, toSubject(subjects, "s1"), upSubject(subjects, "s1"), upWildcard(subjects)];
  expect(new Set(all.map(exchangeOf))).toEqual(new Set(["fanfold.abc123"]));
});

it("exchangeOf gives a short pattern the exchange of the subjects it matches", () => {
  expect(exchangeOf("a.*")).toBe(exchangeOf("a.b"));
  expect(exchangeOf("a.b.*")).toBe(exchangeOf("a.b.c"));
});

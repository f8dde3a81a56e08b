import { expect, it } from "vitest";
import { subjectsOf, toSubject, upSubject, upWildcard } from "../../../src/protocol/subjects.ts";
import { exchangeOf, exchangesOf } from "../../../src/transport/amqp/exchange.ts";

it("exchangeOf gives what the source publishes one exchange, and what the sinks say another", () => {
  const subjects = subjectsOf("abc123");
  const { session, up } = exchangesOf("abc123");
  expect([subjects.data, toSubject(subjects, "s1")].map(exchangeOf)).toEqual([session, session]);
  expect([upSubject(subjects, "s1"), upWildcard(subjects)].map(exchangeOf)).toEqual([up, up]);
});

it("exchangeOf gives a short pattern the exchange of the subjects it matches", () => {
  expect(exchangeOf("a.*")).toBe(exchangeOf("a.b"));
  expect(exchangeOf("a.b.*")).toBe(exchangeOf("a.b.c"));
});

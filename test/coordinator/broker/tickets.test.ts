import { describe, expect, test } from "vitest";
import { rightsOf, Tickets } from "../../../src/coordinator/broker/tickets.ts";
import { systemRandom } from "../../../src/lib/random.ts";

const sink = { memberId: "k1k1k1", name: "alpha", role: "sink", sessionId: "s".repeat(12) } as const;
const source = { ...sink, memberId: "so", role: "source" } as const;
const root = `fanfold.${sink.sessionId}`;
const other = `fanfold.${"t".repeat(12)}`;

describe("rightsOf()", () => {
  test.each([
    [
      source,
      "publish",
      [`${root}.data`, `${root}.to.k1k1k1`],
      [`${root}.up.k1k1k1`, `${root}.to.*`, `${root}.to.`, `${root}.to.a.b`, `${other}.data`, ""],
    ],
    [source, "subscribe", [`${root}.up.*`], [`${root}.data`, `${root}.*`, `${root}.to.*`, `${other}.up.*`]],
    [
      sink,
      "publish",
      [`${root}.up.k1k1k1`],
      [`${root}.up.k2k2k2`, `${root}.data`, `${root}.to.k1k1k1`, `${other}.up.k1k1k1`],
    ],
    [
      sink,
      "subscribe",
      [`${root}.data`, `${root}.to.k1k1k1`],
      [`${root}.to.k2k2k2`, `${root}.to.*`, `${root}.up.*`, `${other}.data`],
    ],
  ])("of a member allow what its role needs and nothing else: %#", (holder, verb, allowed, refused) => {
    const rights = rightsOf(holder);
    const may = (subject: string) => (verb === "publish" ? rights.mayPublish(subject) : rights.maySubscribe(subject));
    expect(allowed.filter((subject) => !may(subject))).toEqual([]);
    expect(refused.filter(may)).toEqual([]);
  });
});

describe("Tickets", () => {
  test("are valid until the member gets another one, or is gone", () => {
    const tickets = new Tickets(systemRandom);
    const first = tickets.issue(sink);
    expect(tickets.authorize(first)?.name).toBe("sink alpha");
    const second = tickets.issue({ ...sink, sessionId: "t".repeat(12) });
    expect(tickets.authorize(first)).toBeUndefined();
    expect(tickets.authorize(second)?.maySubscribe(`${other}.data`)).toBe(true);
    tickets.revoke(sink.memberId);
    tickets.revoke(sink.memberId);
    expect(tickets.authorize(second)).toBeUndefined();
    expect(tickets.authorize("")).toBeUndefined();
  });
});

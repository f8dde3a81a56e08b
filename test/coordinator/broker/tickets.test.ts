import { describe, expect, test } from "vitest";
import { Tickets } from "../../../src/coordinator/broker/tickets.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { parseTicket } from "../../../src/transport/embedded/handshake.ts";

const sink = { memberId: "k1k1k1", identity: "a1", name: "alpha", role: "sink", sessionId: "s".repeat(12) } as const;
const source = { ...sink, memberId: "so", role: "source" } as const;
/** What the relay lets somebody do who proves this ticket. */
function rightsBy(tickets: Tickets, ticket: string) {
  const parsed = parseTicket(ticket);
  const facts = tickets.find(parsed?.id ?? "");
  if (facts !== undefined) expect(facts.secret).toEqual(parsed?.secret);
  return facts?.rights;
}

const root = `fanfold.${sink.sessionId}`;
const other = `fanfold.${"t".repeat(12)}`;

describe("the rights of a ticket", () => {
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
    const tickets = new Tickets(systemRandom);
    const rights = rightsBy(tickets, tickets.issue(holder));
    const may = (subject: string) =>
      verb === "publish" ? rights?.mayPublish(subject) === true : rights?.maySubscribe(subject) === true;
    expect(allowed.filter((subject) => !may(subject))).toEqual([]);
    expect(refused.filter(may)).toEqual([]);
  });
});

test("a sink publishes no more at once than a report has, a source a whole frame", () => {
  const tickets = new Tickets(systemRandom);
  const bytesMax = [sink, source].map((holder) => rightsBy(tickets, tickets.issue(holder))?.messageBytesMax);
  expect(bytesMax).toEqual([64 * 1024 + 136, 4 * 1024 * 1024]);
});

describe("Tickets", () => {
  test("are valid until the member gets another one, or is gone", () => {
    const tickets = new Tickets(systemRandom);
    const first = tickets.issue(sink);
    expect(rightsBy(tickets, first)?.name).toBe("sink alpha");
    const second = tickets.issue({ ...sink, sessionId: "t".repeat(12) });
    expect(rightsBy(tickets, first)).toBeUndefined();
    expect(rightsBy(tickets, second)?.maySubscribe(`${other}.data`)).toBe(true);
    tickets.revoke(sink.memberId);
    tickets.revoke(sink.memberId);
    expect(rightsBy(tickets, second)).toBeUndefined();
    expect(rightsBy(tickets, "")).toBeUndefined();
  });

  test("allow a session to be seen by others unless it runs and is not sealed", () => {
    const tickets = new Tickets(systemRandom);
    const rights = rightsBy(tickets, tickets.issue(sink));
    const elsewhere = rightsBy(tickets, tickets.issue({ ...sink, memberId: "k2k2k2", sessionId: "t".repeat(12) }));
    const may = () => [rights?.mayBeExposed(), elsewhere?.mayBeExposed()];
    expect(may()).toEqual([true, true]);
    tickets.begin(sink.sessionId, false);
    expect(may()).toEqual([false, true]);
    tickets.begin(sink.sessionId, true);
    expect(may()).toEqual([true, true]);
    tickets.begin(sink.sessionId, false);
    tickets.over(sink.sessionId);
    expect(may()).toEqual([true, true]);
  });

  test("of an earlier coordinator are good again, and what is no ticket is none", () => {
    const [before, tickets] = [new Tickets(systemRandom), new Tickets(systemRandom)];
    const ticket = before.issue(sink);
    tickets.load(sink, ticket);
    expect(rightsBy(tickets, ticket)?.name).toBe("sink alpha");
    expect(tickets.keep(sink)).toBe(ticket);
    tickets.load(sink, "a ticket of another form");
    expect(rightsBy(tickets, ticket)).toBeUndefined();
    expect(rightsBy(tickets, tickets.keep(sink))?.name).toBe("sink alpha");
  });
});

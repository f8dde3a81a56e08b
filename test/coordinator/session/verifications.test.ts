import { describe, expect, test } from "vitest";
import type { Client } from "../../../src/coordinator/session/effects.ts";
import { Verifications } from "../../../src/coordinator/session/verifications.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import type { CoordinatorMessage } from "../../../src/protocol/messages/control.ts";
import type { CoordinatorEvent } from "../../../src/protocol/messages/coordinator-events.ts";
import type { VerifyReport } from "../../../src/protocol/messages/verification.ts";
import { DIFFERENCE_KINDS } from "../../../src/protocol/messages/verify-events.ts";
import { ManualClock } from "../manual-clock.ts";

const PROGRESS = { filesFound: 10, filesDone: 3, bytesFound: 100, bytesDone: 30 };
const EQUAL: VerifyReport = {
  ...{
    by: "order",
    result: "equal",
    trees: 1,
    files: 10,
    bytes: 100,
    differing: 0,
    missing: 0,
    wanted: 0,
    problems: [],
  },
  startedAt: "2026-12-01T03:00:00.000Z",
  endedAt: "2026-12-01T03:00:06.000Z",
};

/** Two sinks of the session photos, one of music, and a source. */
function labOf() {
  const clock = new ManualClock();
  const [sent, events, kept]: [string[], CoordinatorEvent[], string[]] = [[], [], []];
  const told = new Map<string, string>();
  const clientOf = (memberId: string, slot: string, role = "sink"): Client => {
    const send = (message: CoordinatorMessage) => sent.push(`${memberId} ${message.type}`);
    return {
      memberId,
      slot,
      role,
      identity: memberId.repeat(32),
      connection: { send },
      facts: {},
    } as unknown as Client;
  };
  const [attic, cellar] = [clientOf("a1", "photos"), clientOf("c1", "photos")];
  const [other, source] = [clientOf("b1", "music"), clientOf("s1", "photos", "source")];
  const clients = new Map([attic, cellar, other, source].map((client) => [client.memberId, client]));
  const verifications = new Verifications({
    ...{ clients, clock, random: systemRandom },
    known: (session) =>
      (session === "photos" ? [attic, { identity: "d1".repeat(32) }] : []).map(({ identity: key }) => ({
        key,
        name: key.slice(0, 2),
      })),
    nameOf: ({ memberId }) => memberId,
    told: {
      isTold: (key, report) => told.get(key) === report,
      sinkTold: (key, { report, check }) => {
        told.set(key, report);
        if (check !== undefined) kept.push(`${key.slice(0, 2)} ${check.result}`);
      },
    },
    emit: (event) => events.push(event),
  });
  const ask = () => {
    const asked = verifications.ask({ session: "photos", trees: "newest", limit: "20M" });
    if (asked === undefined) throw new Error("nobody was asked");
    return asked.id;
  };
  const states = (id: string) => verifications.find(id)?.sinks.map(({ name, state }) => `${name} ${state}`);
  const read = (client: Client, id: string, progress = PROGRESS) =>
    verifications.reading(client, { type: "verifying", id, progress });
  const answer = (client: Client, id: string | undefined, report = EQUAL) =>
    verifications.verified(client, { type: "verified", ...(id === undefined ? {} : { id }), report });
  return {
    clock,
    clientOf,
    attic,
    clients,
    cellar,
    other,
    source,
    verifications,
    sent,
    events,
    kept,
    ask,
    states,
    read,
    answer,
  };
}

describe("Verifications", () => {
  test("asks the sinks of one session that are here, names those that are away, and knows none of another", () => {
    const { ask, states, sent, verifications } = labOf();
    const id = ask();
    expect(sent).toEqual(["a1 verify", "c1 verify"]);
    expect(states(id)).toEqual(["a1 asked", "c1 asked", "d1 away"]);
    expect(verifications.ask({ session: "nobody", trees: "newest" })).toBeUndefined();
    expect(verifications.find("x".repeat(12))).toBeUndefined();
  });

  test("is over when all have answered, and takes the first answer of each, from nobody else", () => {
    const { clock, ask, attic, cellar, other, source, verifications, events, kept, states, read, answer } = labOf();
    const id = ask();
    read(attic, id);
    for (const client of [other, source]) read(client, id);
    expect(states(id)).toEqual(["a1 reading", "c1 asked", "d1 away"]);
    answer(source, id);
    answer(attic, id, { ...EQUAL, result: "differs", differing: 2 });
    clock.advance(5_000);
    answer(attic, id, { ...EQUAL, startedAt: "2026-12-01T04:00:00.000Z" });
    expect(verifications.find(id)).toMatchObject({ isOver: false, sinks: [{ report: { differing: 2 } }, {}, {}] });
    answer(cellar, id);
    expect(verifications.find(id)).toMatchObject({ isOver: true });
    expect(kept).toEqual(["a1 differs", "c1 equal"]);
    expect(events).toMatchObject([
      { type: "verified", session: "photos", name: "a1", report: { differing: 2 } },
      { type: "verified", session: "photos", name: "c1", report: { differing: 0 } },
    ]);
  });

  test("does not wait for one that is silent, nor for one that is gone; who comes back in time goes on", () => {
    const { clock, clientOf, ask, attic, cellar, verifications, states, read, answer } = labOf();
    const id = ask();
    for (const client of [attic, cellar]) read(client, id);
    clock.advance(50_000);
    read(attic, id);
    clock.advance(10_000);
    expect(states(id)).toEqual(["a1 reading", "c1 silent", "d1 away"]);
    verifications.gone(attic, true);
    clock.advance(14_000);
    expect(states(id)?.[0]).toBe("a1 reading");
    clock.advance(1_000);
    expect(states(id)?.[0]).toBe("a1 gone");
    const back = clientOf("a1", "photos");
    read(back, id);
    // Its old connection is missed only now.
    verifications.gone(attic, true);
    clock.advance(20_000);
    expect(states(id)?.[0]).toBe("a1 reading");
    verifications.gone(back, false);
    expect(states(id)?.[0]).toBe("a1 gone");
    expect(verifications.find(id)?.isOver).toBe(true);
    answer(clientOf("a1", "photos"), id);
    expect(states(id)).toEqual(["a1 done", "c1 silent", "d1 away"]);
  });

  test("does not wait for one that says for ten minutes that it reads, and gets no further", () => {
    const { clock, ask, attic, cellar, verifications, states, read, answer } = labOf();
    const id = ask();
    const during = (second: number, bytesDone: number): void => {
      read(attic, id, { ...PROGRESS, bytesDone: second % 4 });
      read(cellar, id, { ...PROGRESS, bytesDone });
    };
    for (let second = 0; second < 600; second += 2) {
      during(second, 0);
      clock.advance(2_000);
    }
    // What goes forth and back gets no further than it was.
    expect(states(id)).toEqual(["a1 reading", "c1 silent", "d1 away"]);
    during(600, 1);
    clock.advance(2_000);
    expect(states(id)).toEqual(["a1 silent", "c1 reading", "d1 away"]);
    answer(cellar, id);
    expect(verifications.find(id)?.isOver).toBe(true);
    answer(attic, id);
    expect(states(id)).toEqual(["a1 done", "c1 done", "d1 away"]);
  });

  test("takes what nobody asked for once a second of each, and once if it is said again", () => {
    const { clock, attic, events, kept, answer, source } = labOf();
    const at = (second: number): VerifyReport => ({ ...EQUAL, startedAt: `2026-12-01T03:00:0${second}.000Z` });
    clock.advance(10_000);
    for (const report of [at(1), at(2), at(3)]) answer(attic, undefined, report);
    answer(source, undefined, at(4));
    clock.advance(1_000);
    answer(attic, undefined, at(1));
    clock.advance(1_000);
    answer(attic, undefined, { ...at(5), result: "stopped", code: "copy-runs" });
    expect(events).toMatchObject([{ report: at(1) }, { report: { result: "stopped" } }]);
    // What was not read to its end is told, and takes no other's place.
    expect(kept).toEqual(["a1 equal"]);
  });

  test("keeps 8 MiB of what sinks name, of the latest orders, and all counts", () => {
    const { clients, clientOf, ask, verifications, answer } = labOf();
    const liars = Array.from({ length: 252 }, (_, index) => clientOf(`z${index}`, "photos"));
    for (const liar of liars) clients.set(liar.memberId, liar);
    const problems = Array.from({ length: 100 }, (_, index) => ({
      path: `${index}`.padStart(500, "x"),
      kinds: [...DIFFERENCE_KINDS],
    }));
    const lie: VerifyReport = { ...EQUAL, result: "differs", differing: 1_000_000, problems };
    const ids = [ask(), ask(), ask()];
    for (const id of ids) for (const liar of liars) answer(liar, id, lie);
    const answers = ids.map((id) =>
      (verifications.find(id)?.sinks ?? []).flatMap(({ report }) => (report === undefined ? [] : [report])),
    );
    const named = answers.map((reports) => new Set(reports.map((report) => report.problems.length)));
    expect(JSON.stringify(answers).length).toBeLessThan(9 * 1024 * 1024);
    // Each sink of the latest order has the same share.
    expect(named).toEqual([new Set([0]), new Set([0]), new Set([expect.any(Number)])]);
    expect(named[2]).not.toContain(0);
    expect(answers.flat().every(({ differing }) => differing === 1_000_000)).toBe(true);
  });

  test("keeps the answers to the latest 16 orders", () => {
    const { ask, verifications } = labOf();
    const ids = Array.from({ length: 17 }, ask);
    expect(ids.map((id) => verifications.find(id) !== undefined)).toEqual([false, ...ids.slice(1).map(() => true)]);
  });
});

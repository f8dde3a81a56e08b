import type { DatabaseSync } from "node:sqlite";
import { describe, expect, onTestFinished, test } from "vitest";
import { openStore, type Store } from "../../../src/coordinator/history/store.ts";
import { WantedStore } from "../../../src/coordinator/history/wanted-store.ts";
import { Courier } from "../../../src/coordinator/notices/courier.ts";
import { NoticeOutbox } from "../../../src/coordinator/notices/notice-outbox.ts";
import { checkNotices, type NoticeOptions, Notices } from "../../../src/coordinator/notices/notices.ts";
import { checkWants } from "../../../src/coordinator/notices/wanted.ts";
import { FanfoldError } from "../../../src/lib/errors.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import type { CoordinatorEvent } from "../../../src/protocol/messages/coordinator-events.ts";
import { type HandClock, handClock } from "../../helpers/hand-clock.ts";
import { stateFolder } from "../coordinator-fixture.ts";

const HOUR_MS = 3_600_000;
const turn = () => new Promise((resolve) => setImmediate(resolve));

async function storeOf(): Promise<Store> {
  const store = await openStore(await stateFolder(), new Date(0));
  onTestFinished(() => store.close());
  return store;
}

/** An outbox with a courier whose receiver answers as the test says. */
async function courierOf(clock: HandClock, answer: () => boolean) {
  const { database } = await storeOf();
  const outbox = new NoticeOutbox(database);
  const events: CoordinatorEvent[] = [];
  const told: string[] = [];
  const courier = new Courier({
    ...{ way: "webhook", outbox, clock, random: systemRandom },
    emit: (event) => events.push(event),
    deliver: async ({ id }) => {
      told.push(id);
      if (answer()) return "";
      throw new FanfoldError("refused", "cannot tell: no");
    },
  });
  onTestFinished(() => courier[Symbol.asyncDispose]());
  const add = (id: string): number =>
    outbox.add("webhook", { id, body: '{"type":"ended","session":"photos"}', due: clock.date() });
  return { outbox, courier, events, told, add, database };
}

describe("Courier", () => {
  test("tells one after the other, and nothing twice", async () => {
    const { outbox, courier, events, told, add } = await courierOf(handClock(), () => true);
    add("first");
    add("second");
    courier.wake();
    while (outbox.next("webhook") !== undefined) await turn();
    expect(told).toEqual(["first", "second"]);
    expect(events).toMatchObject([{ type: "told", id: "first", about: "ended", session: "photos" }, { id: "second" }]);
  });

  test("tries again, later and later, gives up after a day, and lets no other wait for it", async () => {
    const clock = handClock();
    let isThere = false;
    const { outbox, courier, events, told, add } = await courierOf(clock, () => isThere);
    add("lost");
    courier.wake();
    const waits: number[] = [];
    for (let attempts = 1; attempts <= 10; attempts += 1) {
      while (told.length < attempts || (outbox.next("webhook")?.attempts ?? attempts) < attempts) await turn();
      await turn();
      const due = outbox.next("webhook")?.due.getTime();
      if (due === undefined) break;
      waits.push(Math.round((due - clock.nowMs()) / 1000));
      clock.advance(due - clock.nowMs());
    }
    expect(told).toHaveLength(10);
    expect(waits).toEqual([...waits].sort((one, other) => one - other));
    expect(waits[0]).toBeLessThanOrEqual(2);
    expect(waits).toHaveLength(9);
    expect(clock.nowMs()).toBeGreaterThan(20 * HOUR_MS);
    expect(events.at(-1)).toMatchObject({
      code: "notice-failed",
      message: expect.stringContaining("given up after 10"),
    });
    isThere = true;
    add("next");
    courier.wake();
    while (outbox.next("webhook") !== undefined) await turn();
    expect(told.at(-1)).toBe("next");
  });

  test("keeps the newest 1000 of what is to be told", async () => {
    const { outbox, add, database } = await courierOf(handClock(), () => false);
    database.exec("BEGIN");
    let lost = 0;
    for (let index = 0; index < 1003; index += 1) lost += add(String(index));
    database.exec("COMMIT");
    expect(lost).toBe(3);
    expect(outbox.next("webhook")?.id).toBe("3");
  });
});

describe("Notices", () => {
  const add = (database: DatabaseSync, session: string, result: string, clock: HandClock): void => {
    const at = clock.date().toISOString();
    const insert = `INSERT INTO sessions (id, name, epoch, state, opened, started, ended, result)
      VALUES (?, ?, 1, 'ended', ?, ?, ?, ?)`;
    database.prepare(insert).run(`${session}${clock.nowMs()}`, session, at, at, at, result);
  };

  function open(store: Store, clock: HandClock, options: NoticeOptions) {
    const events: CoordinatorEvent[] = [];
    const { database } = store;
    const ground = {
      database,
      clock,
      random: systemRandom,
      emit: (event: CoordinatorEvent) => void events.push(event),
    };
    const notices = new Notices(options, ground);
    onTestFinished(() => notices[Symbol.asyncDispose]());
    notices.open();
    return { notices, events, types: () => events.map(({ type }) => type) };
  }

  test("tell once that a copy is missed, also after a restart, and once that there is one again", async () => {
    const store = await storeOf();
    const clock = handClock();
    const options = { wants: [{ session: "nightly", withinMs: 26 * HOUR_MS }] };
    const first = open(store, clock, options);
    clock.advance(26 * HOUR_MS);
    expect(first.types()).toEqual([]);
    clock.advance(60_000);
    expect(first.events).toMatchObject([{ type: "missed", session: "nightly", withinMs: 26 * HOUR_MS }]);
    expect(first.events[0]).not.toHaveProperty("lastProven");
    clock.advance(20 * HOUR_MS);
    expect(first.types()).toEqual(["missed"]);
    await first.notices[Symbol.asyncDispose]();

    const second = open(store, clock, options);
    clock.advance(HOUR_MS);
    expect(second.types()).toEqual([]);
    expect(new WantedStore(store.database).list()).toMatchObject([{ session: "nightly", missed: expect.any(String) }]);
    for (const result of ["incomplete", "quorum", "failed", "cancelled", "dry-run"]) {
      add(store.database, "nightly", result, clock);
      clock.advance(60_000);
      expect(second.types(), result).toEqual([]);
    }
    add(store.database, "nightly", "complete", clock);
    second.notices.look();
    expect(second.events).toMatchObject([{ type: "recovered", session: "nightly", lastProven: expect.any(String) }]);
    clock.advance(26 * HOUR_MS + 60_000);
    expect(second.types()).toEqual(["recovered", "missed"]);
    expect(second.events[1]).toHaveProperty("lastProven");
  });

  test("watch the names that match, the first want of each, and forget those that nobody wants any more", async () => {
    const store = await storeOf();
    const clock = handClock();
    for (const session of ["photos-a", "photos-b", "other"]) add(store.database, session, "complete", clock);
    const wants = [
      { session: "photos-b", withinMs: HOUR_MS },
      { session: "photos-*", withinMs: 2 * HOUR_MS },
    ];
    const first = open(store, clock, { wants });
    clock.advance(1.5 * HOUR_MS);
    expect(first.events).toMatchObject([{ type: "missed", session: "photos-b" }]);
    clock.advance(HOUR_MS);
    expect(first.events).toMatchObject([{ session: "photos-b" }, { type: "missed", session: "photos-a" }]);
    await first.notices[Symbol.asyncDispose]();
    open(store, clock, { wants: [{ session: "photos-a", withinMs: 9 * HOUR_MS }] });
    expect(new WantedStore(store.database).list()).toMatchObject([{ session: "photos-a", withinMs: 9 * HOUR_MS }]);
  });

  test("take a dot in a pattern for a dot, and no star for every letter", async () => {
    const store = await storeOf();
    const clock = handClock();
    for (const session of ["a.b", "axb", "a.bc"]) add(store.database, session, "complete", clock);
    open(store, clock, { wants: [{ session: "a.b*", withinMs: HOUR_MS }] });
    const watched = new WantedStore(store.database).list().map(({ session }) => session);
    expect(watched.toSorted()).toEqual(["a.b", "a.bc"]);
  });

  test("lose no watched name to many others, and say when some are not watched", async () => {
    const store = await storeOf();
    const clock = handClock();
    const many = (prefix: string): void => {
      store.database.exec("BEGIN");
      for (let index = 0; index < 300; index += 1) add(store.database, `${prefix}${index}`, "complete", clock);
      store.database.exec("COMMIT");
    };
    add(store.database, "photos-a", "complete", clock);
    clock.advance(60_000);
    many("tiny-");
    const { notices, events } = open(store, clock, { wants: [{ session: "photos-*", withinMs: HOUR_MS }] });
    const watched = () => new WantedStore(store.database).list().map(({ session }) => session);
    expect(watched()).toEqual(["photos-a"]);
    clock.advance(60_000);
    many("photos-b");
    notices.look();
    notices.look();
    expect(watched()).toHaveLength(256);
    expect(watched()).toContain("photos-a");
    expect(events).toMatchObject([{ type: "warning", message: expect.stringMatching(/^more names .* photos-\*/) }]);
    clock.advance(HOUR_MS - 60_000);
    expect(events).toContainEqual(expect.objectContaining({ type: "missed", session: "photos-a" }));
  });

  test("say that a name is not watched any more that the history forgets", async () => {
    const store = await storeOf();
    const clock = handClock();
    add(store.database, "photos-a", "failed", clock);
    const { notices, events } = open(store, clock, { wants: [{ session: "photos-*", withinMs: HOUR_MS }] });
    store.database.exec("DELETE FROM sessions");
    notices.look();
    notices.look();
    expect(events).toMatchObject([{ type: "warning", message: expect.stringMatching(/^photos-a is not watched/) }]);
    expect(new WantedStore(store.database).list()).toEqual([]);
  });

  test("drop what nobody is to be told any more, and say so", async () => {
    const store = await storeOf();
    const clock = handClock();
    const first = open(store, clock, { webhook: "http://127.0.0.1:1/" });
    first.notices.ended({ session: "photos", sessionId: "abc", result: "complete" });
    await first.notices[Symbol.asyncDispose]();
    const second = open(store, clock, {});
    expect(second.events).toMatchObject([{ type: "warning", message: expect.stringContaining("1 notices") }]);
    expect(new NoticeOutbox(store.database).next("webhook")).toBeUndefined();
  });

  test.each([
    [{ webhook: "ftp://host" }],
    [{ onEnd: Buffer.from("/usr/bin/m\xe9l", "latin1") }],
    [{ webhookSecret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" }],
    [{ webhook: "http://host", webhookSecret: "short" }],
    [{ wants: [{ session: "a b", withinMs: HOUR_MS }] }],
    [{ wants: [{ session: "a", withinMs: 59_999 }] }],
  ])("cannot be asked for %j", async (options) => {
    await expect(checkNotices(options)).rejects.toMatchObject({ code: "usage" });
  });

  test("watch no more than 64 wants", () => {
    const wants = Array.from({ length: 65 }, (_, index) => ({ session: `s${index}`, withinMs: HOUR_MS }));
    expect(() => checkWants(wants)).toThrow(/at most 64/);
  });
});

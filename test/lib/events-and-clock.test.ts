import { describe, expect, test } from "vitest";
import { EventHub } from "../../src/lib/async/event-hub.ts";
import { pump } from "../../src/lib/async/pump.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { FanfoldError } from "../../src/lib/errors.ts";
import { systemRandom } from "../../src/lib/random.ts";

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const read: T[] = [];
  for await (const item of items) read.push(item);
  return read;
}

describe("EventHub", () => {
  test("hands every event to every reader of that time, and ends them all after what waits", async () => {
    const hub = new EventHub<number>();
    hub.emit(0);
    const first = hub.events();
    hub.emit(1);
    const second = hub.events();
    hub.emit(2);
    hub.end();
    hub.emit(3);
    expect([await all(first), await all(second), await all(hub.events())]).toEqual([[1, 2], [2], []]);
  });

  test("holds no more than its bound for a reader that never reads", async () => {
    const hub = new EventHub<number>();
    const events = hub.events();
    for (let index = 0; index < 50_000; index += 1) hub.emit(index);
    hub.end();
    const read = await all(events);
    expect(read).toHaveLength(10_000);
    expect(read[0]).toBe(0);
  });
});

describe("pump()", () => {
  test("takes one item after another, and passes on what an item or the source of them throws", async () => {
    const taken: string[] = [];
    const failures: FanfoldError[] = [];
    async function* items() {
      yield 1;
      yield 2;
      throw new FanfoldError("closed", "no more");
    }
    await pump(
      items(),
      async (item) => {
        taken.push(`begin ${item}`);
        await Promise.resolve();
        taken.push(`end ${item}`);
      },
      (error) => failures.push(error),
    );
    expect([taken, failures.map(({ code }) => code)]).toEqual([["begin 1", "end 1", "begin 2", "end 2"], ["closed"]]);
    await pump(
      items(),
      () => {
        throw new TypeError("cannot");
      },
      (error) => failures.push(error),
    );
    expect(failures[1]).toMatchObject({ code: "internal", message: "cannot" });
  });
});

describe("systemClock", () => {
  test("sleeps, and wakes with the reason of its signal", async () => {
    const abort = new AbortController();
    await systemClock.sleep(1, abort.signal);
    const sleeping = systemClock.sleep(1_000_000, abort.signal);
    abort.abort(new FanfoldError("interrupted", "enough"));
    await expect(sleeping).rejects.toMatchObject({ code: "interrupted" });
    await expect(systemClock.sleep(1, abort.signal)).rejects.toMatchObject({ code: "interrupted" });
  });

  test("never goes backwards", () => {
    const times = Array.from({ length: 1000 }, () => systemClock.nowMs());
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  test("calls back until it is told to stop", async () => {
    const called = Promise.withResolvers<void>();
    const timer = systemClock.every(1, called.resolve);
    await called.promise;
    timer[Symbol.dispose]();
    timer[Symbol.dispose]();
  });
});

describe("systemRandom", () => {
  test("gives ids of the asked length from a-z and 0-9, all of them about as often", () => {
    const counts = new Map<string, number>();
    for (let index = 0; index < 2000; index += 1) {
      const id = systemRandom.id(18);
      expect(id).toMatch(/^[a-z0-9]{18}$/);
      for (const character of id) counts.set(character, (counts.get(character) ?? 0) + 1);
    }
    expect(counts.size).toBe(36);
    // A thousand each is expected, with a deviation of 31: eight of them happen to nobody.
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(250);
    expect(systemRandom.id(0)).toBe("");
  });

  test("gives hex digits and fractions within their bounds", () => {
    expect(systemRandom.hex(32)).toMatch(/^[0-9a-f]{64}$/);
    const fractions = Array.from({ length: 1000 }, () => systemRandom.fraction());
    expect(Math.min(...fractions)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...fractions)).toBeLessThan(1);
  });
});

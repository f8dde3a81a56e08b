import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { BoundedQueue } from "../../../src/lib/memory/bounded-queue.ts";

function queueOf(limit: number): BoundedQueue<string> {
  return new BoundedQueue<string>({ limit, sizeOf: (item) => item.length });
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const taken: T[] = [];
  for await (const item of items) taken.push(item);
  return taken;
}

describe("a bounded queue", () => {
  test("hands over in order what was pushed before and while its reader waits", async () => {
    const queue = queueOf(100);
    queue.push("one");
    const taken = all(queue);
    await setImmediate();
    queue.push("two");
    queue.push("three");
    queue.end();
    expect(await taken).toEqual(["one", "two", "three"]);
  });

  test("refuses what does not fit, and takes it once there is room", async () => {
    const queue = queueOf(5);
    const iterator = queue[Symbol.asyncIterator]();
    expect([queue.push("abc"), queue.push("def"), queue.push("de")]).toEqual([true, false, true]);
    expect([queue.size, queue.length]).toEqual([5, 2]);
    await iterator.next();
    expect([queue.size, queue.length]).toEqual([2, 1]);
    expect(queue.push("def")).toBe(true);
  });

  test("takes a single item that is larger than its limit, but only when it is empty", () => {
    const queue = queueOf(2);
    expect([queue.push("large"), queue.push("x")]).toEqual([true, false]);
  });

  test("takes nothing after its end, and still hands over what waits", async () => {
    const queue = queueOf(100);
    queue.push("before");
    queue.end();
    expect(queue.push("after")).toBe(false);
    expect(await all(queue)).toEqual(["before"]);
  });

  test("forgets what waits when it is cleared", async () => {
    const queue = queueOf(100);
    queue.push("before");
    queue.clear();
    expect([queue.size, queue.length]).toEqual([0, 0]);
    expect(await all(queue)).toEqual([]);
  });

  test("can be iterated only once", async () => {
    const queue = queueOf(100);
    queue.end();
    await all(queue);
    await expect(all(queue)).rejects.toMatchObject({ code: "internal" });
  });

  test("keeps its order over many more items than it holds at a time", async () => {
    const queue = new BoundedQueue<number>({ limit: 3000, sizeOf: () => 1 });
    const taken: number[] = [];
    const iterator = queue[Symbol.asyncIterator]();
    for (let next = 0; next < 10_000; ) {
      while (next < 10_000 && queue.push(next)) next += 1;
      for (let count = 0; count < 2500; count += 1) taken.push((await iterator.next()).value ?? -1);
    }
    queue.end();
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) taken.push(next.value);
    expect(taken).toEqual(Array.from({ length: 10_000 }, (_, index) => index));
  });

  test("keeps nothing of what its reader has taken", async () => {
    setFlagsFromString("--expose-gc");
    const collectGarbage = runInNewContext("gc") as () => void;
    const queue = new BoundedQueue<{ payload: string }>({ limit: 100, sizeOf: () => 1 });
    const taken: WeakRef<object>[] = [];
    for (let index = 0; index < 50; index += 1) queue.push({ payload: `item ${index}` });
    const iterator = queue[Symbol.asyncIterator]();
    for (let index = 0; index < 49; index += 1) {
      const { value } = await iterator.next();
      if (value !== undefined) taken.push(new WeakRef(value));
    }
    await setImmediate();
    collectGarbage();
    // The generator itself may hold the last one that it gave.
    expect(taken.filter((item) => item.deref() !== undefined).length).toBeLessThanOrEqual(1);
  });
});

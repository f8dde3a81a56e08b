import { setImmediate } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { FanfoldError } from "../../../src/lib/errors.ts";
import { openThread, type Thread, threadsLoaded } from "../../../src/lib/threads/thread.ts";

function begin(module = "../../helpers/threads/echo-thread"): {
  thread: Thread<unknown>;
  messages: unknown[];
  failures: FanfoldError[];
  next: () => Promise<unknown>;
} {
  const [messages, failures]: [unknown[], FanfoldError[]] = [[], []];
  let wake = Promise.withResolvers<unknown>();
  const told = (list: unknown[]) => (value: unknown) => {
    list.push(value);
    wake.resolve(value);
    wake = Promise.withResolvers();
  };
  const thread = openThread<unknown, unknown>({
    module,
    base: import.meta.url,
    data: { name: "data" },
    onMessage: told(messages),
    onFailure: told(failures),
  });
  onTestFinished(() => thread.stop());
  return { thread, messages, failures, next: () => wake.promise };
}

describe("openThread()", () => {
  test("passes data, messages and buffers to and fro", async () => {
    const { thread, next } = begin();
    expect(await next()).toEqual({ greeting: { name: "data" } });
    const bytes = new Uint8Array([1, 2, 3]);
    thread.post(bytes, [bytes.buffer]);
    expect(bytes.length).toBe(0);
    expect(await next()).toEqual(new Uint8Array([1, 2, 3]));
  });

  test("tells how much of its time it worked, since it was asked last", async () => {
    const { thread, next } = begin();
    await next();
    thread.busyShare();
    thread.post("work");
    await next();
    const worked = thread.busyShare();
    expect(worked).toBeGreaterThan(0);
    expect(worked).toBeLessThanOrEqual(1);
    expect(thread.processorMs()).toBeGreaterThan(0);
  });

  test("tells an error that nobody caught once, as a coded error, and takes no more messages", async () => {
    const { thread, failures, messages, next } = begin();
    await next();
    thread.post("throw");
    expect(await next()).toBeInstanceOf(FanfoldError);
    thread.post("late");
    await thread.stop();
    expect([failures.map(({ message }) => message), messages.length]).toEqual([["as I was told"], 1]);
  });

  test("tells of a thread that ends by itself, which would else be waited for without end", async () => {
    const { thread, failures, next } = begin();
    await next();
    thread.post("leave");
    await next();
    expect(failures).toHaveLength(1);
  });

  test("tells that its module is missing", async () => {
    const { failures, next } = begin("../helpers/no-such-thread");
    await next();
    expect(failures).toHaveLength(1);
  });

  test("is silent after it was stopped, however often", async () => {
    const { thread, failures, messages } = begin();
    thread.post("throw");
    await Promise.all([thread.stop(), thread.stop()]);
    thread.post("late");
    await setImmediate();
    expect([failures, messages]).toEqual([[], []]);
  });

  test("ends no thread while it is being loaded: native code that is, and is interrupted, aborts the process", async () => {
    const flag = new Int32Array(new SharedArrayBuffer(4));
    const thread = openThread<unknown, unknown>({
      ...{ module: "../../helpers/threads/slow-thread", base: import.meta.url, data: flag },
      onMessage: () => undefined,
      onFailure: () => undefined,
    });
    await thread.stop();
    expect(Atomics.load(flag, 0)).toBe(1);
  });

  test("tells when none is being loaded", async () => {
    await threadsLoaded();
    const flag = new Int32Array(new SharedArrayBuffer(4));
    const thread = openThread<unknown, unknown>({
      ...{ module: "../../helpers/threads/slow-thread", base: import.meta.url, data: flag },
      onMessage: () => undefined,
      onFailure: () => undefined,
    });
    await threadsLoaded();
    expect(Atomics.load(flag, 0)).toBe(1);
    await thread.stop();
  });
});

import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { abortable } from "../../../src/lib/async/abort.ts";

const OVER = new Error("over");

/** Settled one by one, then one turn for the system to tell of failures that nobody took. */
async function unheard(act: (fail: () => void, promise: Promise<never>) => Promise<void>): Promise<unknown[]> {
  const heard: unknown[] = [];
  const hear = (reason: unknown) => heard.push(reason);
  const others = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection").on("unhandledRejection", hear);
  const { promise, reject } = Promise.withResolvers<never>();
  await act(() => reject(new Error("failed")), promise);
  await new Promise((resolve) => setImmediate(resolve));
  process.removeAllListeners("unhandledRejection");
  for (const other of others) process.on("unhandledRejection", other);
  return heard;
}

describe("what abortable() was to wait for fails later, and ends no process", () => {
  test("when the signal had aborted before", async () => {
    const heard = await unheard(async (fail, promise) => {
      await expect(abortable(promise, AbortSignal.abort(OVER))).rejects.toMatchObject({ cause: OVER });
      fail();
    });
    expect(heard).toEqual([]);
  });

  test("when the signal aborts meanwhile", async () => {
    const heard = await unheard(async (fail, promise) => {
      const end = new AbortController();
      const waiting = abortable(promise, end.signal);
      const aborted = once(end.signal, "abort");
      end.abort(OVER);
      await aborted;
      await expect(waiting).rejects.toMatchObject({ cause: OVER });
      fail();
    });
    expect(heard).toEqual([]);
  });

  test("and one that nobody waits for is told, so that this test could fail", async () => {
    const heard = await unheard(async (fail, promise) => {
      void promise.then(() => undefined);
      fail();
    });
    expect(heard).toMatchObject([{ message: "failed" }]);
  });
});

import { expect, test } from "vitest";
import type { Clock } from "../../../src/lib/clock.ts";
import { verifyFolder } from "../../../src/sink/verify/verify.ts";
import { copiedTree } from "../../helpers/copies/verified.ts";

/** Goes only while somebody sleeps, and then at once. */
function sleepersClock(): Clock {
  let nowMs = 0;
  return {
    nowMs: () => nowMs,
    date: () => new Date(nowMs),
    sleep: async (ms) => {
      nowMs += ms;
    },
    every: () => ({ [Symbol.dispose]: () => undefined }),
  };
}

test.each([
  // Three times 1 MiB are paid for before the rest of the last file is read, and the small files.
  ["1M", 2_900, 3_500],
  [1024 * 1024, 2_900, 3_500],
  ["off", 0, 0],
  [undefined, 0, 0],
])("verifyFolder() at a rate of %s reads the disk no faster", async (limit, leastMs, mostMs) => {
  const limited = limit === undefined ? {} : { bytesPerSecondMax: limit };
  const run = verifyFolder({
    folder: copiedTree(),
    clock: sleepersClock(),
    signal: new AbortController().signal,
    ...limited,
  });
  const { elapsedMs, counts } = await run.result;
  expect(counts).toMatchObject({ bytes: 3_568_576, differing: 0 });
  expect(elapsedMs).toBeGreaterThanOrEqual(leastMs);
  expect(elapsedMs).toBeLessThanOrEqual(mostMs);
});

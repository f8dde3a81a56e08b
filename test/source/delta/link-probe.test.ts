import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LINK_BYTES_PER_SECOND_MAX, LinkProbe } from "../../../src/source/delta/link-probe.ts";
import { handClock } from "../../helpers/hand-clock.ts";

const KIB = 1024;

interface Link {
  readonly bytesPerSecond: number;
  /** Of the way there and back, and until a sink reports. */
  readonly delayMs: number;
  /** How often the source looks. */
  readonly everyMs: number;
}

/** What is sent over such a link, and whether it is found to be fast. */
function probe({ bytesPerSecond, delayMs, everyMs }: Link): { readonly sentBytes: number; readonly isFast: boolean } {
  const clock = handClock();
  const found = new LinkProbe(clock);
  let sentBytes = 0;
  let underWay: { bytes: number; readonly atMs: number } | undefined;
  for (let look = 0; look < 10_000 && !found.isFast; look += 1) {
    const bytes = found.next();
    sentBytes += bytes;
    if (bytes > 0) underWay = { bytes, atMs: clock.nowMs() + delayMs };
    const fromMs = clock.nowMs();
    clock.advance(everyMs);
    if (underWay === undefined) continue;
    const ms = clock.nowMs() - Math.max(fromMs, underWay.atMs);
    const came = Math.min(underWay.bytes, Math.max(0, (ms * bytesPerSecond) / 1000));
    underWay.bytes -= came;
    if (came > 0) found.back(came);
  }
  return { sentBytes, isFast: found.isFast };
}

describe("LinkProbe", () => {
  test("finds a fast link out with 3.5 MiB", () => {
    const link = { bytesPerSecond: 20 * LINK_BYTES_PER_SECOND_MAX, delayMs: 10, everyMs: 8 };
    expect(probe(link)).toEqual({ sentBytes: 3584 * KIB, isFast: true });
  });

  test("sends no more than 512 KiB over a very slow one", () => {
    expect(probe({ bytesPerSecond: 100 * KIB, delayMs: 10, everyMs: 8 })).toEqual({
      ...{ sentBytes: 512 * KIB, isFast: false },
    });
  });

  test.each([10, 60, 100])("finds a fast link out also when each answer takes %i ms", (delayMs) => {
    expect(probe({ bytesPerSecond: 3 * LINK_BYTES_PER_SECOND_MAX, delayMs, everyMs: 8 })).toMatchObject({
      isFast: true,
    });
  });

  test("never takes a slow link for fast, whatever its delay, when it looks often", () => {
    const link = fc.record({
      // Looks at the end of each stage are up to 8 ms late.
      bytesPerSecond: fc.integer({ min: KIB, max: Math.floor(LINK_BYTES_PER_SECOND_MAX * 0.85) }),
      delayMs: fc.integer({ min: 0, max: 500 }),
      everyMs: fc.integer({ min: 1, max: 8 }),
    });
    fc.assert(fc.property(link, (one) => !probe(one).isFast));
  });
});

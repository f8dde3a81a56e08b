import { describe, expect, test } from "vitest";
import { CompressionChoice } from "../../../src/source/read/compression-choice.ts";

const MIB = 1024 * 1024;
interface Path {
  readonly frames: number;
  /** What the path takes to carry a MiB, and the processor to compress one. */
  readonly msPerMib: number;
  readonly costMs?: number;
  readonly ratio: number;
}

/** Sends frames of 1 MiB; returns how many were tried. */
function triedOf(choice: CompressionChoice, { frames, msPerMib, costMs = 4, ratio }: Path): number {
  let tried = 0;
  for (let index = 0; index < frames; index += 1) {
    const tries = choice.next();
    if (tries) choice.tried({ contentBytes: MIB, ms: costMs }, ratio < 1);
    tried += tries ? 1 : 0;
    const mib = tries ? ratio : 1;
    choice.published(mib * MIB);
    const waitMs = mib * msPerMib - (tries ? costMs : 0);
    if (waitMs > 0) choice.waited(waitMs);
  }
  return tried;
}

describe("CompressionChoice", () => {
  test("tries every frame when it is on, and none when it is off", () => {
    const path = { frames: 100, msPerMib: 2, ratio: 1 };
    expect(triedOf(new CompressionChoice("on"), path)).toBe(100);
    expect(triedOf(new CompressionChoice("off"), { ...path, msPerMib: 200 })).toBe(0);
  });

  test("tries the first frames only, over a path that keeps up with the source", () => {
    expect(triedOf(new CompressionChoice("auto"), { frames: 10_000, msPerMib: 2, ratio: 0.3 })).toBeLessThan(10);
  });

  test("tries the first frames only, where the path is slow because all processors are at work", () => {
    const path = { frames: 10_000, msPerMib: 30, costMs: 12, ratio: 0.3 };
    expect(triedOf(new CompressionChoice("auto"), path)).toBeLessThan(20);
  });

  test("tries every frame that shrinks, over 50 Mbit/s", () => {
    expect(triedOf(new CompressionChoice("auto"), { frames: 1_000, msPerMib: 168, ratio: 0.3 })).toBe(1_000);
  });

  test("tries nearly every frame when compressing it takes as long as sending the result over 50 Mbit/s", () => {
    expect(triedOf(new CompressionChoice("auto"), { frames: 1_000, msPerMib: 168, ratio: 0.02 })).toBeGreaterThan(900);
  });

  test("tries one frame in seventeen while content does not shrink, and every frame again as soon as it does", () => {
    const choice = new CompressionChoice("auto");
    expect(triedOf(choice, { frames: 1_700, msPerMib: 168, ratio: 1 })).toBeLessThan(110);
    // At most sixteen pass until it is seen.
    expect(triedOf(choice, { frames: 1_000, msPerMib: 168, ratio: 0.3 })).toBeGreaterThanOrEqual(984);
  });

  test("takes a stall, however long, for no more than the time for one window", () => {
    const choice = new CompressionChoice("auto");
    choice.waited(60_000);
    expect(triedOf(choice, { frames: 10_000, msPerMib: 2, ratio: 0.3 })).toBe(16);
  });
});

import { describe, expect, test } from "vitest";
import { deltaModeOf, recipesPay } from "../../../src/source/delta/delta-choice.ts";
import { DeltaChoice } from "../../../src/source/delta/recipe-choice.ts";
import type { HeldMoment } from "../../../src/source/session/held-back.ts";

describe("DeltaChoice", () => {
  test("takes every file with on, and none with off", () => {
    const [on, off] = [new DeltaChoice("on"), new DeltaChoice("off")];
    for (const choice of [on, off]) {
      choice.look(false);
      choice.answered(false);
    }
    expect([on.takes(), off.takes()]).toEqual([true, false]);
  });

  test("goes by what was known last with auto; before that it tries", () => {
    const choice = new DeltaChoice("auto");
    expect(choice.takes()).toBe(true);
    choice.look(false);
    choice.look(undefined);
    expect(choice.takes()).toBe(false);
    choice.look(true);
    expect(choice.takes()).toBe(true);
  });

  test("lets ever more files pass of which the sinks hold nothing, until they hold some of one", () => {
    const choice = new DeltaChoice("auto");
    const passed = (): number => {
      choice.answered(false);
      for (let count = 0; ; count += 1) if (choice.takes()) return count;
    };
    expect(Array.from({ length: 7 }, passed)).toEqual([1, 2, 4, 8, 16, 16, 16]);
    choice.answered(true);
    expect(passed()).toBe(1);
  });
});

describe("deltaModeOf()", () => {
  test.each([
    ["auto", "free", "127.0.0.1", "off"],
    [undefined, "free", "localhost", "off"],
    ["on", "free", "localhost", "on"],
    ["auto", "wanted", "localhost", "auto"],
    ["auto", "free", "192.0.2.1", "auto"],
    ["off", "needed", "192.0.2.1", "off"],
  ] as const)("makes of %s, where sealing is %s at %s: %s", (mode, sealing, host, want) => {
    expect(deltaModeOf(mode, { sealing }, { host, port: 7337 })).toBe(want);
  });
});

describe("recipesPay()", () => {
  const MIB = 1024 * 1024;
  const still: HeldMoment = {
    ...{ queuedBytes: 0, windowBytes: 1_000, reading: undefined, limited: false, sentBytesPerSecond: 0, sinks: [] },
  };
  test.each<readonly [string, Partial<HeldMoment>, boolean | undefined]>([
    ["a slow link has a queue", { queuedBytes: 300, sentBytesPerSecond: 6 * MIB }, true],
    ["nothing was measured yet, and there is a queue", { queuedBytes: 300 }, true],
    ["a rate is set", { limited: true, sentBytesPerSecond: MIB }, true],
    ["a fast link has a queue", { queuedBytes: 300, sentBytesPerSecond: 100 * MIB }, false],
    ["the source's disk is what the content waits for", { reading: "disk", sentBytesPerSecond: 20 * MIB }, false],
    ["the source reads for recipes, and nothing flows", { reading: "disk" }, undefined],
    ["nothing happens", {}, undefined],
  ])("says when %s", (_, more, want) => {
    expect(recipesPay({ ...still, ...more })).toBe(want);
  });
});

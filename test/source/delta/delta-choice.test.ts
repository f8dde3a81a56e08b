import { describe, expect, test } from "vitest";
import { deltaModeOf, recipesPay } from "../../../src/source/delta/delta-choice.ts";
import { DeltaChoice, type RecipesPay } from "../../../src/source/delta/recipe-choice.ts";
import type { HeldMoment } from "../../../src/source/session/held-back.ts";
import { handClock } from "../../helpers/hand-clock.ts";

const MIB = 1024 * 1024;

describe("DeltaChoice", () => {
  test("takes every file with on, and none with off", () => {
    const [on, off] = [new DeltaChoice("on", handClock()), new DeltaChoice("off", handClock())];
    for (const choice of [on, off]) {
      choice.look(false);
      choice.answered(false);
    }
    expect([on.takes(), off.takes()]).toEqual([true, false]);
  });

  test("goes by what was known last with auto", () => {
    const choice = new DeltaChoice("auto", handClock());
    choice.look(false);
    choice.look(undefined);
    expect([choice.takes(), choice.turns(MIB, MIB)]).toEqual([false, false]);
    choice.look(MIB);
    expect([choice.takes(), choice.turns(MIB, 4 * MIB), choice.turns(MIB, 5 * MIB)]).toEqual([true, true, false]);
  });

  test("takes it to pay as long as nothing is known, and looks at the link once so many bytes were tried", () => {
    const choice = new DeltaChoice("auto", handClock());
    const tried = (bytes: number) => {
      expect(choice.takes()).toBe(true);
      choice.begins(bytes);
      return choice.padding() > 0;
    };
    expect([tried(30 * MIB), tried(2 * MIB), tried(MIB)]).toEqual([false, false, true]);
    expect(choice.padding(), "one after another").toBe(0);
  });

  test("gives a recipe up when padding tells that the link is fast", () => {
    const clock = handClock();
    const choice = new DeltaChoice("auto", clock);
    choice.begins(9_000 * MIB);
    for (let sent = choice.padding(); sent > 0; sent = choice.padding()) {
      expect(choice.goesOn(8 * MIB)).toBe(true);
      clock.advance(20);
      choice.stored(sent);
    }
    expect([choice.goesOn(16 * MIB), choice.takes()]).toEqual([false, false]);
  });

  test.each([
    ["is known to be slow", "auto", MIB],
    ["is known to be fast", "auto", false],
    ["does not matter", "on", undefined],
  ] as const)("sends no padding where the link %s", (_, mode, pays) => {
    const choice = new DeltaChoice(mode, handClock());
    choice.look(pays);
    choice.begins(9_000 * MIB);
    expect(choice.padding()).toBe(0);
  });

  test("gives up a recipe for which a file is read too slowly, and lets the next file pass", () => {
    const clock = handClock();
    const choice = new DeltaChoice("auto", clock);
    choice.look(20 * MIB);
    choice.begins(9_000 * MIB);
    clock.advance(900);
    expect(choice.goesOn(32 * MIB), "a moment says nothing").toBe(true);
    clock.advance(1_100);
    expect(choice.goesOn(160 * MIB)).toBe(true);
    expect(choice.goesOn(159 * MIB)).toBe(false);
    expect([choice.takes(), choice.takes()]).toEqual([false, true]);
  });

  test("reads to the end with on, and where nothing is known of the link", () => {
    const clock = handClock();
    for (const [mode, pays] of [
      ["on", MIB],
      ["auto", undefined],
      ["auto", 0],
    ] as const) {
      const choice = new DeltaChoice(mode, clock);
      choice.look(pays);
      choice.begins(MIB);
      clock.advance(60_000);
      expect(choice.goesOn(1)).toBe(true);
    }
  });

  test("lets ever more files pass of which the sinks hold nothing, until they hold some of one", () => {
    const choice = new DeltaChoice("auto", handClock());
    choice.look(MIB);
    const passed = (): number => {
      choice.answered(false);
      for (let count = 0; ; count += 1) {
        if (choice.takes()) return count;
        expect(choice.turns(MIB, MIB), "nor does one turn that passes").toBe(false);
      }
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
  const still: HeldMoment = {
    ...{ queuedBytes: 0, windowBytes: 1_000, reading: undefined, limited: false, sentBytesPerSecond: 0, sinks: [] },
  };
  const sinkAt = (place: "link" | "disk" | undefined): HeldMoment["sinks"] => [
    {
      name: "one",
      hold: { outstandingBytes: 900, windowBytes: 1_000, unanswered: 0, holdsReader: false, looksUp: false },
      ...{ hashing: false, limited: false, pace: place && { place, bytesPerSecond: MIB } },
    },
  ];
  test.each<readonly [string, Partial<HeldMoment>, number | undefined, RecipesPay]>([
    ["a slow link has a queue", { queuedBytes: 300 }, 6 * MIB, 6 * MIB],
    ["nothing was measured yet, and there is a queue", { queuedBytes: 300 }, undefined, undefined],
    ["a rate is set", { limited: true }, MIB, MIB],
    ["a fast link has a queue", { queuedBytes: 300 }, 100 * MIB, false],
    ["the link of a sink is slow", { sinks: sinkAt("link") }, 6 * MIB, 6 * MIB],
    ["a sink's disk is slow", { sinks: sinkAt("disk"), sentBytesPerSecond: 6 * MIB }, 6 * MIB, false],
    ["a sink has not said where its time goes", { sinks: sinkAt(undefined), sentBytesPerSecond: MIB }, MIB, undefined],
    ["the source's disk is what content waits for", { reading: "disk", sentBytesPerSecond: 20 * MIB }, 20 * MIB, false],
    ["the source reads for recipes, and nothing flows", { reading: "disk" }, 20 * MIB, undefined],
    ["nothing happens", {}, MIB, undefined],
  ])("says when %s", (_, more, flow, want) => {
    expect(recipesPay({ ...still, ...more }, flow)).toBe(want);
  });
});

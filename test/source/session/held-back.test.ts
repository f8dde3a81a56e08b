import { describe, expect, test } from "vitest";
import type { Backpressure } from "../../../src/source/publish/publisher-options.ts";
import {
  HeldBackWatch,
  type HeldMoment,
  type HoldingSink,
  isHeldByLink,
} from "../../../src/source/session/held-back.ts";

const WINDOW = 1_000;

function sink(
  name: string,
  more: Partial<Omit<HoldingSink, "hold">> = {},
  hold: Partial<Backpressure> = {},
): HoldingSink {
  return {
    ...{ name, hashing: false, limited: false, pace: { place: "link", bytesPerSecond: 7 }, ...more },
    hold: { outstandingBytes: 0, windowBytes: WINDOW, unanswered: 0, holdsReader: false, looksUp: false, ...hold },
  };
}

const FULL = { outstandingBytes: WINDOW };
const ON_DISK = { pace: { place: "disk", bytesPerSecond: 38 } } as const;

function moment(more: Partial<HeldMoment> = {}): HeldMoment {
  return {
    ...{ queuedBytes: 0, windowBytes: WINDOW, reading: undefined, limited: false, sentBytesPerSecond: 50, sinks: [] },
    ...more,
  };
}

/** What is said after so many looks at these moments, in turn. */
function lookedAt(looks: number, ...moments: readonly HeldMoment[]): HeldBackWatch {
  const watch = new HeldBackWatch();
  for (let look = 0; look < looks; look += 1) watch.look(moments[look % moments.length] ?? moment());
  return watch;
}

describe("HeldBackWatch", () => {
  test.each<readonly [string, HeldMoment, unknown]>([
    ["nothing, while everything flows", moment({ sinks: [sink("a", {}, { outstandingBytes: 100 })] }), undefined],
    [
      "the sink that has most to store, with what it says of itself",
      moment({ sinks: [sink("a", {}, { outstandingBytes: 600 }), sink("b", ON_DISK, FULL)] }),
      { sink: "b", place: "disk", bytesPerSecond: 38 },
    ],
    [
      "the link of a sink that waits for what comes, or has said nothing of itself",
      moment({ sinks: [sink("b", { pace: undefined }, FULL)] }),
      { sink: "b", place: "link", bytesPerSecond: 50 },
    ],
    [
      "a sink that does not answer because it reads what it holds",
      moment({ sinks: [sink("a", ON_DISK, FULL), sink("b", { hashing: true }, { holdsReader: true })] }),
      { sink: "b", place: "hashing", bytesPerSecond: 0 },
    ],
    [
      "the source's link, where frames wait for it: whatever else is full is so for that",
      moment({ queuedBytes: 300, sinks: [sink("b", ON_DISK, FULL)] }),
      { place: "link", bytesPerSecond: 50 },
    ],
    ["the source's disk", moment({ reading: "disk" }), { place: "disk", bytesPerSecond: 50 }],
    ["the source's processor", moment({ reading: "processor" }), { place: "processor", bytesPerSecond: 50 }],
    [
      "not the reader, while a sink is full",
      moment({ reading: "disk", sinks: [sink("b", ON_DISK, FULL)] }),
      expect.objectContaining({ sink: "b" }),
    ],
    ["no rate that people have set: at the source", moment({ limited: true, reading: "disk" }), undefined],
    ["nor at a sink", moment({ sinks: [sink("b", { limited: true }, FULL)] }), undefined],
  ])("names %s", (_what, at, want) => {
    const watch = lookedAt(60, at);
    expect(watch.now).toEqual(want);
    expect(watch.mostly).toEqual(want);
  });

  test("needs some seconds of the same", () => {
    const slow = moment({ reading: "disk" });
    expect(lookedAt(10, slow).now).toBeUndefined();
    expect(lookedAt(10, slow).mostly).toBeUndefined();
    expect(lookedAt(20, slow).now).toBeDefined();
  });

  test("says nothing where it changes all the time", () => {
    const watch = lookedAt(90, moment({ reading: "disk" }), moment({ queuedBytes: WINDOW }), moment());
    expect([watch.now, watch.mostly]).toEqual([undefined, undefined]);
  });

  test("tells the last seconds from the whole copy", () => {
    const watch = lookedAt(200, moment({ reading: "disk" }));
    for (let look = 0; look < 30; look += 1) watch.look(moment({ queuedBytes: WINDOW }));
    expect([watch.now?.place, watch.mostly?.place]).toEqual(["link", "disk"]);
  });
});

describe("isHeldByLink()", () => {
  test.each<readonly [boolean, string, HeldMoment]>([
    [true, "frames wait for the source's link", moment({ queuedBytes: 300, sinks: [sink("b", ON_DISK, FULL)] })],
    [true, "the sink that has most to store waits for its link", moment({ sinks: [sink("b", {}, FULL)] })],
    [true, "the source is held to a rate", moment({ limited: true, sinks: [sink("b", ON_DISK, FULL)] })],
    [true, "a sink is held to a rate", moment({ sinks: [sink("b", { ...ON_DISK, limited: true }, FULL)] })],
    [
      false,
      "a sink's disk is slow",
      moment({ sinks: [sink("a", {}, { outstandingBytes: 600 }), sink("b", ON_DISK, FULL)] }),
    ],
    [false, "a sink reads what it holds", moment({ sinks: [sink("b", { hashing: true }, { holdsReader: true })] })],
    [false, "a sink has not said yet", moment({ sinks: [sink("b", { pace: undefined }, FULL)] })],
    [false, "nothing is full", moment({ reading: "disk", sinks: [sink("a", {}, { outstandingBytes: 100 })] })],
  ])("is %s where %s", (want, _where, at) => {
    expect(isHeldByLink(at)).toBe(want);
  });
});

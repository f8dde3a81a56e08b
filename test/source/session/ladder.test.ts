import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Backpressure } from "../../../src/source/publish/publisher-options.ts";
import {
  AWAY_SILENCE_MS,
  DETACH_AFTER_MS,
  DETACH_LOOKING_UP_MS,
  FROZEN_SILENCE_MS,
  LADDER_LOOK_MS,
  LAG_LOOKS_MS,
  LAG_SILENCE_MS,
  Ladder,
  type LadderSink,
  type StragglerPolicy,
} from "../../../src/source/session/ladder.ts";

const WINDOW = 1_000;
const hold = (own: Partial<Backpressure> = {}): Backpressure => ({
  outstandingBytes: 0,
  windowBytes: WINDOW,
  unanswered: 0,
  holdsReader: false,
  looksUp: false,
  ...own,
});
const idle = (sinkId: string): LadderSink => ({ sinkId, silentMs: 0, hashing: false, hold: hold() });
const full = (sinkId: string): LadderSink => ({
  sinkId,
  silentMs: 0,
  hashing: false,
  hold: hold({ outstandingBytes: WINDOW }),
});

/** Looks as long as told; what was said, with when. */
function watch(
  policy: StragglerPolicy,
  forMs: number,
  sinksAt: (nowMs: number) => readonly LadderSink[],
): [sinkId: string, to: string, atMs: number][] {
  const ladder = new Ladder(policy);
  const said: [string, string, number][] = [];
  for (let now = 0; now <= forMs; now += LADDER_LOOK_MS)
    for (const { sinkId, to } of ladder.look(now, sinksAt(now))) said.push([sinkId, to, now]);
  return said;
}

const changes = (said: readonly [string, string, number][]): string[] => said.map(([sinkId, to]) => `${sinkId} ${to}`);

describe("Ladder", () => {
  test("a sink that alone holds the window lags after half of the looks, and is detached after lagging long enough", () => {
    const said = watch("detach", 60_000, () => [full("slow"), idle("quick")]);
    expect(changes(said).slice(0, 2)).toEqual(["slow lagging", "slow detached"]);
    const [lagging, detached] = said.map(([, , atMs]) => atMs);
    expect(lagging).toBe(LAG_LOOKS_MS / 2);
    expect((detached ?? 0) - (lagging ?? 0)).toBe(DETACH_AFTER_MS);
  });

  test("a sink that is only a little slower than the others is not detached: they are seldom without work", () => {
    const peer = (now: number): LadderSink => (now % 1_000 < 400 ? idle("peer") : full("peer"));
    expect(watch("detach", 60_000, (now) => [full("slow"), peer(now)])).toEqual([]);
  });

  test("no sink lags when it is alone, when all are equally fast, or when the window is not used", () => {
    expect(watch("detach", 60_000, () => [full("only")])).toEqual([]);
    expect(watch("detach", 60_000, () => [full("one"), full("two")])).toEqual([]);
    const some = { ...idle("some"), hold: hold({ outstandingBytes: WINDOW * 0.4 }) };
    expect(watch("detach", 60_000, () => [some, idle("quick")])).toEqual([]);
  });

  test("a sink that does not answer the page that the reader waits for holds the others, too", () => {
    const hashing = { ...idle("hashing"), hold: hold({ unanswered: 3, holdsReader: true }) };
    expect(changes(watch("detach", 30_000, () => [hashing, idle("quick")])).slice(0, 2)).toEqual([
      "hashing lagging",
      "hashing detached",
    ]);
    const both = { ...idle("other"), hold: hold({ unanswered: 1 }) };
    expect(watch("detach", 30_000, () => [hashing, both])).toEqual([]);
  });

  test("a sink that hashes what it has is detached for its answers, but never given up for them", () => {
    const hashing = { ...idle("hashing"), hashing: true, hold: hold({ unanswered: 3, holdsReader: true }) };
    const quick = idle("quick");
    expect(changes(watch("detach", 18_000, () => [hashing, quick])).slice(0, 2)).toEqual([
      "hashing lagging",
      "hashing detached",
    ]);
    expect(watch("drop", 120_000, () => [hashing, quick])).toEqual([]);
    const silent = { ...hashing, hashing: false };
    expect(changes(watch("drop", 18_000, () => [silent, quick])).slice(0, 2)).toEqual([
      "hashing lagging",
      "hashing detached",
    ]);
    // Its data is another matter.
    const slow = { ...hashing, hold: hold({ outstandingBytes: WINDOW }) };
    expect(changes(watch("drop", 18_000, () => [slow, quick])).slice(0, 2)).toEqual([
      "hashing lagging",
      "hashing detached",
    ]);
  });

  test("a sink that looks up pieces for a recipe has more time, and not for ever", () => {
    const owes = hold({ unanswered: 1, holdsReader: true, looksUp: true });
    const looking = { ...idle("looking"), hashing: true, hold: owes };
    const said = watch("detach", 120_000, () => [looking, idle("quick")]);
    expect(changes(said).slice(0, 2)).toEqual(["looking lagging", "looking detached"]);
    const [lagging = 0, detached = 0] = said.map(([, , atMs]) => atMs);
    expect(detached - lagging).toBe(DETACH_LOOKING_UP_MS);
    const mute = watch("detach", 120_000, () => [{ ...looking, hashing: false }, idle("quick")]);
    expect((mute[1]?.[2] ?? 0) - (mute[0]?.[2] ?? 0)).toBe(DETACH_AFTER_MS);
  });

  test("two slow sinks are both detached from a quick one", () => {
    const said = watch("detach", 17_500, () => [full("one"), full("two"), idle("quick")]);
    expect(changes(said).sort()).toEqual(["one detached", "one lagging", "two detached", "two lagging"]);
  });

  test("a sink that recovers is live again, and must lag as long as any other to be detached", () => {
    const said = watch("detach", 40_000, (now) => [
      now < 15_000 || now >= 26_000 ? full("slow") : idle("slow"),
      idle("q"),
    ]);
    expect(changes(said)).toEqual(["slow lagging", "slow live", "slow lagging"]);
  });

  test("with the policy wait nobody is detached, with any policy silence is away", () => {
    expect(changes(watch("wait", 60_000, () => [full("slow"), idle("quick")]))).toEqual(["slow lagging"]);
    for (const policy of ["wait", "detach", "drop"] as const) {
      const said = watch(policy, AWAY_SILENCE_MS, (now) => [{ ...idle("silent"), silentMs: now }, idle("quick")]);
      expect(said).toEqual([
        ["silent", "lagging", LAG_SILENCE_MS],
        ["silent", "away", AWAY_SILENCE_MS],
      ]);
    }
  });

  test("a sink is not held up by one that is silent itself", () => {
    const silent = { ...idle("silent"), silentMs: LAG_SILENCE_MS };
    expect(changes(watch("detach", 60_000, () => [full("slow"), silent]))).toEqual(["silent lagging"]);
  });

  test("a sink that is silent while it holds the others is away after 3 s, by its data or by its answers; with wait it is not", () => {
    const byData = (now: number): LadderSink => ({ ...full("frozen"), silentMs: now });
    const byAnswer = (now: number): LadderSink => ({
      ...{ ...idle("frozen"), silentMs: now },
      hold: hold({ unanswered: 1, holdsReader: true }),
    });
    for (const frozen of [byData, byAnswer]) {
      for (const policy of ["detach", "drop"] as const) {
        const away = watch(policy, FROZEN_SILENCE_MS, (now) => [frozen(now), idle("quick")]).at(-1);
        expect(away).toEqual(["frozen", "away", FROZEN_SILENCE_MS]);
      }
      const waited = watch("wait", AWAY_SILENCE_MS, (now) => [frozen(now), idle("quick")]);
      expect(waited.filter(([, to]) => to !== "lagging")).toEqual([["frozen", "away", AWAY_SILENCE_MS]]);
    }
  });

  test("a sink that is silent and holds nobody has the usual time", () => {
    const said = watch("detach", 10_000, (now) => [{ ...full("silent"), silentMs: now }, full("busy")]);
    expect(said.filter(([, to]) => to === "away")).toEqual([]);
  });

  test("nobody is away early while no other sink is heard either", () => {
    const said = watch("detach", 10_000, (now) => [
      { ...full("one"), silentMs: now },
      { ...idle("two"), silentMs: now },
    ]);
    expect(said.filter(([, to]) => to === "away")).toEqual([]);
  });

  test("sinks that an outage silences together are given the usual time; two at once are not an outage", () => {
    const silent = (count: number) => (now: number) => [
      ...Array.from({ length: count }, (_, index) => ({
        ...full(`silent${index}`),
        // They said their last words within a second.
        silentMs: Math.max(0, now - index * 300),
      })),
      idle("quick"),
    ];
    const awayMs = (count: number) => {
      const away = watch("detach", 15_000, silent(count)).filter(([, to]) => to === "away");
      return [0, 1].map((index) => away.find(([sinkId]) => sinkId === `silent${index}`)?.[2]);
    };
    expect(awayMs(2)).toEqual([FROZEN_SILENCE_MS, FROZEN_SILENCE_MS + 300]);
    expect(awayMs(4)).toEqual([undefined, undefined]);
  });

  test("never detaches the last one, nor a sink before it lagged, whatever happens", () => {
    const moment = fc.record({
      outstandingBytes: fc.integer({ min: 0, max: WINDOW }),
      unanswered: fc.nat(3),
      holdsReader: fc.boolean(),
      looksUp: fc.boolean(),
      silentMs: fc.nat(AWAY_SILENCE_MS * 2),
      ms: fc.integer({ min: LADDER_LOOK_MS, max: 10_000 }),
    });
    fc.assert(
      fc.property(fc.array(fc.tuple(moment, moment), { maxLength: 40 }), fc.boolean(), (moments, alone) => {
        const ladder = new Ladder("detach");
        const lagged = new Set<string>();
        let now = 0;
        for (const [one, two] of moments) {
          for (const until = now + one.ms; now < until; now += LADDER_LOOK_MS) {
            const sinks = (alone ? [one] : [one, two]).map(({ silentMs, ...rest }, index) => ({
              sinkId: `${index}`,
              ...{ silentMs, hashing: false },
              hold: { windowBytes: WINDOW, ...rest },
            }));
            for (const { sinkId, to } of ladder.look(now, sinks)) {
              if (to === "lagging") lagged.add(sinkId);
              if (to === "live") lagged.delete(sinkId);
              if (to === "detached") expect([alone, lagged.has(sinkId)]).toEqual([false, true]);
            }
          }
        }
      }),
      { numRuns: 50 },
    );
  });
});

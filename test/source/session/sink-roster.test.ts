import { describe, expect, test } from "vitest";
import type { UpMessage } from "../../../src/protocol/frame/report.ts";
import { SinkRoster } from "../../../src/source/session/sink-roster.ts";

const members = [
  { id: "aaaaaa", name: "alpha" },
  { id: "bbbbbb", name: "beta" },
];
const progress = (bytesDone: number) => ({ filesDone: 1, bytesDone, currentFile: "f" });
const report = (bytesDone: number, busy?: "syncing"): UpMessage => ({
  type: "report",
  receivedUpTo: 0,
  missing: [],
  storedUpTo: 0,
  progress: progress(bytesDone),
  ...(busy === undefined ? {} : { busy }),
});
const proof = (problemCount = 0) => ({
  type: "proof" as const,
  pages: 1,
  digest: "d",
  receipt: "receipt",
  progress: progress(9),
  problemCount,
  problems: [],
  filesUnchanged: 0,
  bytesUnchanged: 0,
  bytesKept: 0,
  entriesChanged: 0,
});

describe("SinkRoster", () => {
  test("shows what each sink says last, and that it verifies", () => {
    const roster = new SinkRoster(members, 0);
    roster.heard("aaaaaa", report(5), 1);
    roster.heard("bbbbbb", report(7, "syncing"), 1);
    roster.heard("bbbbbb", { type: "want", page: 0, want: "all" }, 2);
    roster.heard("stranger", report(99), 2);
    expect(roster.lines(0, 0)).toEqual([
      { name: "alpha", state: "receiving", progress: progress(5) },
      { name: "beta", state: "verifying", progress: progress(7) },
    ]);
  });

  test("shows to what each holds itself, and takes what is stored for progress, whoever wanted it", () => {
    const roster = new SinkRoster(members, 0);
    const limit = { bytesPerSecond: 1024, from: "order" } as const;
    roster.heard("aaaaaa", { ...report(5), storedUpTo: 1, limit } as UpMessage, 10);
    roster.heard("aaaaaa", { ...report(5), storedUpTo: 2, limit } as UpMessage, 20);
    expect([roster.stillMs("aaaaaa", 25), roster.limitOf("aaaaaa"), roster.limitOf("bbbbbb")]).toEqual([5, 1024, null]);
    expect(roster.lines(0, 0)[0]).toMatchObject({ name: "alpha", limit });
    roster.heard("aaaaaa", { ...report(5), storedUpTo: 2 } as UpMessage, 30);
    expect([roster.limitOf("aaaaaa"), roster.lines(0, 0)[0]?.limit]).toEqual([null, undefined]);
  });

  test("knows how long each was silent, and how long it said nothing new", () => {
    const roster = new SinkRoster(members, 100);
    expect([roster.silentMs("aaaaaa", 130), roster.stillMs("aaaaaa", 130)]).toEqual([30, 30]);
    roster.heard("aaaaaa", report(5), 140);
    roster.heard("aaaaaa", report(5), 150);
    expect([roster.silentMs("aaaaaa", 160), roster.stillMs("aaaaaa", 160)]).toEqual([10, 20]);
    roster.heard("aaaaaa", report(5, "syncing"), 170);
    roster.heard("aaaaaa", { type: "want", page: 0, want: "none" }, 180);
    expect([roster.silentMs("aaaaaa", 180), roster.stillMs("aaaaaa", 180)]).toEqual([0, 0]);
    // Repeated each second, also by a sink whose disk hangs.
    roster.heard("aaaaaa", { type: "lacks", entry: 1, slice: 0, lacks: "none" }, 190);
    expect([roster.silentMs("aaaaaa", 190), roster.stillMs("aaaaaa", 190)]).toEqual([0, 10]);
    roster.heard("aaaaaa", { type: "want", page: 0, want: "none" }, 192);
    expect([roster.silentMs("aaaaaa", 192), roster.stillMs("aaaaaa", 192)]).toEqual([0, 12]);
    roster.heard("aaaaaa", { type: "want", page: 1, want: "none" }, 194);
    expect(roster.stillMs("aaaaaa", 194)).toBe(0);
    roster.allHeard(200);
    expect([roster.silentMs("bbbbbb", 205), roster.stillMs("bbbbbb", 205)]).toEqual([5, 5]);
  });

  test("takes hashing for progress as long as that gets further", () => {
    const roster = new SinkRoster(members, 0);
    const hashing = (steps: number): UpMessage => ({ ...report(5), busy: "hashing", steps }) as UpMessage;
    for (const [steps, nowMs, stillMs] of [
      [1, 10, 0],
      [1, 20, 10],
      [2, 30, 0],
      [2, 90, 60],
    ] as const) {
      roster.heard("aaaaaa", hashing(steps), nowMs);
      expect([roster.isHashing("aaaaaa"), roster.stillMs("aaaaaa", nowMs)]).toEqual([true, stillMs]);
    }
    // Another lane begins with its first page.
    roster.heard("aaaaaa", { type: "want", page: 3, want: "none" }, 100);
    roster.nextLane("aaaaaa", 110);
    roster.heard("aaaaaa", { type: "want", page: 0, want: "none" }, 120);
    expect(roster.stillMs("aaaaaa", 120)).toBe(0);
  });

  test("shows who is away and for how long it is waited for, until it is heard again", () => {
    const roster = new SinkRoster(members, 0);
    roster.left("aaaaaa", { code: "interrupted", reason: "Ctrl-C", sinceMs: 5 });
    expect([roster.leftOf("aaaaaa")?.reason, roster.lines(6, 100)[0]?.state]).toEqual(["Ctrl-C", "receiving"]);
    roster.putAway("aaaaaa", { code: "interrupted", reason: "Ctrl-C", sinceMs: 5 });
    expect(roster.lines(35, 100)[0]).toMatchObject({ state: "away", leftMs: 70 });
    expect([roster.heard("aaaaaa", report(1), 40), roster.heard("aaaaaa", report(1), 41)]).toEqual([true, false]);
    expect(roster.awayOf("aaaaaa")).toBeUndefined();
    roster.present("aaaaaa", 50);
    expect(roster.leftOf("aaaaaa")).toBeUndefined();
  });

  test("numbers the lanes of each sink on, and says that it was caught up", () => {
    const roster = new SinkRoster(members, 0);
    expect([roster.streamOf("aaaaaa"), roster.nextLane("aaaaaa", 1), roster.streamOf("aaaaaa")]).toEqual([0, 1, 1]);
    expect(roster.lines(0, 0)[0]?.state).toBe("detached");
    roster.failed("aaaaaa", "sinks-lost", "gone");
    roster.join({ id: "aaaaaa", name: "alpha" }, 5);
    roster.join({ id: "cccccc", name: "gamma" }, 5);
    expect([roster.nextLane("aaaaaa", 6), roster.nextLane("cccccc", 6), roster.live()]).toEqual([
      2,
      1,
      ["aaaaaa", "bbbbbb", "cccccc"],
    ]);
    roster.unserve("cccccc");
    expect([roster.streamOf("cccccc"), roster.nextLane("cccccc", 7)]).toEqual([undefined, 2]);
    expect(roster.proven("aaaaaa", proof(), "later")).toMatchObject({ caughtUp: true, message: "later" });
    expect(roster.proven("bbbbbb", proof())).toMatchObject({ caughtUp: false });
  });

  test("says of a copy that its sink did not sync it, and of no other", () => {
    const roster = new SinkRoster(members, 0);
    expect(roster.proven("aaaaaa", { ...proof(), unsynced: true })).toMatchObject({ unsynced: true });
    expect(roster.proven("bbbbbb", proof())).not.toHaveProperty("unsynced");
  });

  test("settles each sink once: the first outcome stands", () => {
    const roster = new SinkRoster(members, 0);
    roster.heard("aaaaaa", proof(), 1);
    expect(roster.proven("aaaaaa", proof())).toMatchObject({
      sinkId: "aaaaaa",
      name: "alpha",
      outcome: "proven",
      bytesDone: 9,
      digest: "d",
    });
    expect(roster.failed("aaaaaa", "internal", "too late")).toBeUndefined();
    expect(roster.proven("aaaaaa", proof())).toBeUndefined();
    expect([roster.live(), roster.isLive("aaaaaa"), roster.isLive("stranger")]).toEqual([["bbbbbb"], false, false]);
    expect(roster.failed("bbbbbb", "disk-full", "full")).toMatchObject({
      outcome: "failed",
      code: "disk-full",
      message: "full",
    });
    expect(roster.proven("bbbbbb", proof())).toBeUndefined();
    expect([
      roster.live(),
      roster.outcomes().map(({ outcome }) => outcome),
      roster.failed("stranger", "internal", "x"),
    ]).toEqual([[], ["proven", "failed"], undefined]);
  });

  test("calls a proof with problems incomplete, and a report after it changes no state", () => {
    const roster = new SinkRoster(members, 0);
    expect(roster.proven("aaaaaa", proof(2))).toMatchObject({ outcome: "incomplete", problemCount: 2 });
    roster.heard("aaaaaa", report(3), 5);
    expect(roster.lines(0, 0)[0]?.state).toBe("incomplete");
  });

  test("says of the sinks of a dry run that they compare, until they have said what they want", () => {
    const roster = new SinkRoster(members, 0, "comparing");
    roster.heard("aaaaaa", report(3), 5);
    expect(roster.lines(0, 0).map(({ state }) => state)).toEqual(["comparing", "comparing"]);
  });
});

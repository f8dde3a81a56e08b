import { describe, expect, test } from "vitest";
import { REPAIR_BYTES_MIN } from "../../../src/protocol/limits.ts";
import { REPAIRS_OF_FRAME_MAX, RepairRequests } from "../../../src/source/publish/repair-requests.ts";

const [kept, exists] = [0, 100];
const TICK_MS = 20;

const once = (sinkId: string) => [{ sinkId, times: 1 }];

describe("RepairRequests", () => {
  test("holds off before it sends again, and then sends each frame once", () => {
    const requests = new RepairRequests();
    requests.ask("a", [[3, 5]], { nowMs: 0, kept, exists });
    expect(requests.due(10)).toEqual([]);
    expect(requests.due(40)).toEqual([
      { sequence: 3, sinks: once("a") },
      { sequence: 4, sinks: once("a") },
    ]);
    expect(requests.due(60)).toEqual([]);
  });

  test("names all sinks that miss a frame", () => {
    const requests = new RepairRequests();
    requests.ask("a", [[3, 5]], { nowMs: 0, kept, exists });
    requests.ask("b", [[4, 6]], { nowMs: 5, kept, exists });
    expect(requests.due(50)).toEqual([
      { sequence: 3, sinks: once("a") },
      { sequence: 4, sinks: [...once("a"), ...once("b")] },
      { sequence: 5, sinks: once("b") },
    ]);
  });

  test("does not send what has arrived in the meantime: the newest report counts", () => {
    const requests = new RepairRequests();
    requests.ask("a", [[3, 5]], { nowMs: 0, kept, exists });
    requests.ask("a", [[4, 5]], { nowMs: 10, kept, exists });
    expect(requests.due(50)).toEqual([{ sequence: 4, sinks: once("a") }]);
    requests.ask("a", [], { nowMs: 60, kept, exists });
    expect(requests.due(1_000)).toEqual([]);
  });

  test("gives a repair its time to arrive before it is sent once more to the same sink", () => {
    const requests = new RepairRequests();
    const sentMs: number[] = [];
    for (let nowMs = 0; nowMs < 1_000; nowMs += 10) {
      requests.ask("a", [[7, 8]], { nowMs, kept, exists });
      for (const _ of requests.due(nowMs)) sentMs.push(nowMs);
    }
    expect(sentMs).toEqual([30, 280, 530, 780]);
  });

  test("gathers those that ask for a frame after it was sent for twice as long each time, up to 2 s", () => {
    const requests = new RepairRequests();
    const sentMs: number[] = [];
    for (let nowMs = 0; nowMs < 10_000; nowMs += 10) {
      requests.ask(`sink${nowMs}`, [[7, 8]], { nowMs, kept, exists });
      for (const { sinks } of requests.due(nowMs)) {
        sentMs.push(nowMs);
        for (const { sinkId } of sinks) requests.ask(sinkId, [], { nowMs, kept, exists });
      }
    }
    expect(sentMs).toEqual([30, 530, 1_530, 3_530, 5_530, 7_530, 9_530]);
  });

  test("knows no frame that was stored by all or not published, and bounds what one report can ask for", () => {
    const requests = new RepairRequests();
    requests.ask("a", [[0, Number.MAX_SAFE_INTEGER]], { nowMs: 0, kept: 97, exists });
    expect(requests.due(50).map(({ sequence }) => sequence)).toEqual([97, 98, 99]);
    requests.ask("b", [[0, 1_000_000]], { nowMs: 100, kept: 0, exists: 1_000_000 });
    expect(requests.due(200)).toHaveLength(4_096 - 3);
  });

  test("gives a sink its share of repairs and no more", () => {
    const requests = new RepairRequests();
    expect(requests.spend("a", REPAIR_BYTES_MIN, 0)).toBe(true);
    expect(requests.spend("a", 1, 0)).toBe(false);
    expect(requests.spend("a", 1, REPAIR_BYTES_MIN * 2)).toBe(true);
    expect(requests.spend("b", 1, 0)).toBe(true);
  });

  test("sends nothing to a sink that has left", () => {
    const requests = new RepairRequests();
    requests.ask("a", [[3, 4]], { nowMs: 0, kept, exists });
    requests.forget("a");
    expect(requests.due(100)).toEqual([]);
  });

  test.each([40, 200])(
    "counts a frame for each sink alone, and sends it seldom, when %i sinks ask one after another",
    (sinks) => {
      const requests = new RepairRequests();
      const [gapMs, missing] = [260, new Set<string>()];
      let [sent, worst] = [0, 0];
      for (let nowMs = 0; nowMs < (sinks + 10) * gapMs; nowMs += TICK_MS) {
        // Each says it once when its turn has come, and reports that it has the frame once that was sent.
        if (nowMs % gapMs === 0 && nowMs / gapMs < sinks) {
          const sinkId = `sink${nowMs / gapMs}`;
          missing.add(sinkId);
          requests.ask(sinkId, [[5, 6]], { nowMs, kept, exists });
        }
        for (const repair of requests.due(nowMs)) {
          sent += 1;
          for (const { sinkId, times } of repair.sinks) {
            worst = Math.max(worst, times);
            missing.delete(sinkId);
            requests.ask(sinkId, [], { nowMs, kept, exists });
          }
        }
      }
      expect([missing.size, worst]).toEqual([0, 1]);
      // Once in two seconds, but for the first ones.
      expect(sent).toBeLessThanOrEqual((sinks * gapMs) / 2_000 + 5);
    },
  );

  test("a sink that asks for a frame for ever is over the limit after some seconds, and those beside it are not", () => {
    const requests = new RepairRequests();
    const times = new Map<string, number>();
    let overMs: number | undefined;
    for (let nowMs = 0; overMs === undefined && nowMs < 600_000; nowMs += TICK_MS) {
      requests.ask("greedy", [[5, 6]], { nowMs, kept, exists });
      const turn = `sink${Math.floor(nowMs / 1_000)}`;
      if (nowMs % 1_000 === 0) requests.ask(turn, [[5, 6]], { nowMs, kept, exists });
      for (const { sinks } of requests.due(nowMs)) {
        for (const sink of sinks) times.set(sink.sinkId, sink.times);
        requests.ask(turn, [], { nowMs, kept, exists });
      }
      if ((times.get("greedy") ?? 0) > REPAIRS_OF_FRAME_MAX) overMs = nowMs;
    }
    expect(overMs).toBeGreaterThan(7_000);
    expect(overMs).toBeLessThan(10_000);
    times.delete("greedy");
    expect(Math.max(...times.values())).toBe(1);
  });
});

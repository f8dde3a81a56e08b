import { describe, expect, test } from "vitest";
import { REPAIR_BYTES_MIN } from "../../../src/protocol/limits.ts";
import { RepairRequests } from "../../../src/source/publish/repair-requests.ts";

const exists = 100;

describe("RepairRequests", () => {
  test("holds off before it sends again, and then sends each frame once", () => {
    const requests = new RepairRequests();
    requests.ask("a", [[3, 5]], { nowMs: 0, exists });
    expect(requests.due(10)).toEqual([]);
    expect(requests.due(40)).toEqual([
      { sequence: 3, times: 1, sinkId: "a" },
      { sequence: 4, times: 1, sinkId: "a" },
    ]);
    expect(requests.due(60)).toEqual([]);
  });

  test("sends to all at once what several sinks miss, and to the one what only it misses", () => {
    const requests = new RepairRequests();
    requests.ask("a", [[3, 5]], { nowMs: 0, exists });
    requests.ask("b", [[4, 6]], { nowMs: 5, exists });
    expect(requests.due(50)).toEqual([
      { sequence: 3, times: 1, sinkId: "a" },
      { sequence: 4, times: 1, sinkId: undefined },
      { sequence: 5, times: 1, sinkId: "b" },
    ]);
  });

  test("does not send what has arrived in the meantime: the newest report counts", () => {
    const requests = new RepairRequests();
    requests.ask("a", [[3, 5]], { nowMs: 0, exists });
    requests.ask("a", [[4, 5]], { nowMs: 10, exists });
    expect(requests.due(50)).toEqual([{ sequence: 4, times: 1, sinkId: "a" }]);
    requests.ask("a", [], { nowMs: 60, exists });
    expect(requests.due(1_000)).toEqual([]);
  });

  test("sends once more what is still missing when a repair had its time to arrive", () => {
    const requests = new RepairRequests();
    requests.ask("a", [[7, 8]], { nowMs: 0, exists });
    expect(requests.due(40)).toHaveLength(1);
    requests.ask("a", [[7, 8]], { nowMs: 100, exists });
    expect(requests.due(120)).toEqual([]);
    requests.ask("a", [[7, 8]], { nowMs: 300, exists });
    expect(requests.due(310)).toEqual([{ sequence: 7, times: 2, sinkId: "a" }]);
  });

  test("knows no frame that was not published, and bounds what one report can ask for", () => {
    const requests = new RepairRequests();
    requests.ask("a", [[98, Number.MAX_SAFE_INTEGER]], { nowMs: 0, exists });
    expect(requests.due(50)).toHaveLength(2);
    requests.ask("a", [[0, 1_000_000]], { nowMs: 0, exists: 1_000_000 });
    expect(requests.due(50).length).toBeLessThanOrEqual(4_096);
  });

  test("gives a sink its share of repairs and no more", () => {
    const requests = new RepairRequests();
    expect(requests.spend("a", REPAIR_BYTES_MIN, 0)).toBe(true);
    expect(requests.spend("a", 1, 0)).toBe(false);
    expect(requests.spend("a", 1, REPAIR_BYTES_MIN * 2)).toBe(true);
    expect(requests.spend("b", 1, 0)).toBe(true);
  });

  test("counts how often a frame was sent again while it is still missed", () => {
    const requests = new RepairRequests();
    const times: number[] = [];
    for (let nowMs = 0; nowMs < 4_000; nowMs += 300) {
      requests.ask("a", [[5, 6]], { nowMs, exists });
      times.push(...requests.due(nowMs + 40).map((repair) => repair.times));
    }
    expect(times).toEqual(times.map((_, index) => index + 1));
    expect(times.length).toBeGreaterThan(10);
  });

  test("sends nothing to a sink that has left", () => {
    const requests = new RepairRequests();
    requests.ask("a", [[3, 4]], { nowMs: 0, exists });
    requests.forget("a");
    expect(requests.due(100)).toEqual([]);
  });
});

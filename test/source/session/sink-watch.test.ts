import { expect, test } from "vitest";
import { SinkRoster } from "../../../src/source/session/sink-roster.ts";
import { SinkWatch, STUCK_MS_MAX } from "../../../src/source/session/sink-watch.ts";
import type { Streams } from "../../../src/source/session/streams.ts";
import { createMemoryBroker } from "../../helpers/transports/memory-broker.ts";

const SINK = { id: "k1k1k1", name: "alpha" };

test("the time in which the source itself stood still does not count for a sink that is away", () => {
  const roster = new SinkRoster([SINK], 0);
  const failed: string[] = [];
  const main = { sinkIds: new Set<string>() };
  const watch = new SinkWatch({
    roster,
    streams: { main, lanesWait: false, tick: () => undefined, find: () => undefined } as unknown as Streams,
    transport: createMemoryBroker({ preferredPayloadBytes: 65_536 }).connect(),
    ...{ sinkTimeoutMs: 600_000, stragglers: "detach", nowMs: 0 },
    ...{ onState: () => undefined, onDetached: () => undefined, onFailed: (sinkId) => failed.push(sinkId) },
  });
  roster.putAway(SINK.id, { code: "sinks-lost", reason: "it is silent", sinceMs: 0 });
  watch.look(100);
  watch.look(900_000);
  watch.look(900_100);
  expect(failed).toEqual([]);
  for (let nowMs = 900_200; nowMs < 1_510_000; nowMs += 1000) watch.look(nowMs);
  expect(failed[0]).toBe(SINK.id);
});

test("a frozen sink is away after 3 s while it holds the others, with the reason it left for where that is known", () => {
  for (const left of [false, true]) {
    const roster = new SinkRoster([SINK, { id: "k2k2k2", name: "beta" }], 0);
    const told: string[] = [];
    const hold = (sinkId: string) => ({
      ...{
        outstandingBytes: sinkId === SINK.id ? 1_000 : 0,
        windowBytes: 1_000,
        unanswered: 0,
        holdsReader: false,
        looksUp: false,
      },
    });
    const main = { sinkIds: new Set([SINK.id, "k2k2k2"]), hold };
    const watch = new SinkWatch({
      roster,
      streams: {
        main,
        lanesWait: false,
        tick: () => undefined,
        find: () => undefined,
        drop: () => undefined,
      } as unknown as Streams,
      transport: createMemoryBroker({ preferredPayloadBytes: 65_536 }).connect(),
      ...{ sinkTimeoutMs: 600_000, stragglers: "detach", nowMs: 0 },
      ...{ onDetached: () => undefined, onFailed: () => undefined },
      onState: (sinkId, state, message) => void told.push(`${sinkId} ${state} ${message}`),
    });
    if (left) roster.left(SINK.id, { code: "interrupted", reason: "Stopped by SIGINT", sinceMs: 1_000 });
    for (let nowMs = 100; nowMs <= 3_000; nowMs += 100) {
      roster.present("k2k2k2", nowMs);
      watch.look(nowMs);
    }
    const why = left ? "Stopped by SIGINT" : "nothing was heard from it for 3 s";
    expect(told.at(-1)).toBe(`${SINK.id} away ${why}; the source waits 10 min for it`);
    expect(roster.streamOf(SINK.id)).toBeUndefined();
  }
});

test("a sink that never answers a recipe fails after ten minutes, whatever it repeats; one that gets further does not", () => {
  const [mute, reading] = [SINK.id, "k2k2k2"];
  const roster = new SinkRoster([SINK, { id: reading, name: "beta" }], 0);
  const failed: [string, number][] = [];
  const owes = { outstandingBytes: 0, windowBytes: 1_000, unanswered: 1, holdsReader: true, looksUp: true };
  const main = { sinkIds: new Set([mute, reading]), hold: () => owes, waitsFor: () => true };
  let nowMs = 0;
  const watch = new SinkWatch({
    roster,
    streams: { main, lanesWait: false, tick: () => undefined, find: () => main } as unknown as Streams,
    transport: createMemoryBroker({ preferredPayloadBytes: 65_536 }).connect(),
    ...{ sinkTimeoutMs: 600_000, stragglers: "detach", nowMs },
    ...{ onState: () => undefined, onDetached: () => undefined },
    onFailed: (sinkId) => {
      failed.push([sinkId, nowMs]);
      roster.failed(sinkId, "sinks-lost", "stuck");
    },
  });
  const progress = { filesDone: 0, bytesDone: 0, currentFile: "" };
  for (; nowMs <= 2 * STUCK_MS_MAX; nowMs += 1_000) {
    for (const [sinkId, steps] of [
      [mute, 1],
      [reading, nowMs],
    ] as const) {
      const busy = { busy: "hashing", steps } as const;
      roster.heard(sinkId, { type: "report", receivedUpTo: 3, missing: [], storedUpTo: 1, progress, ...busy }, nowMs);
      roster.heard(sinkId, { type: "want", page: 0, want: "all", older: [[1, 2_000_000]] }, nowMs);
      roster.heard(sinkId, { type: "lacks", entry: 1, slice: 0, lacks: "all" }, nowMs);
    }
    watch.look(nowMs);
  }
  expect(failed).toEqual([[mute, STUCK_MS_MAX]]);
});

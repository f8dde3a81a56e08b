import { expect, test } from "vitest";
import { SinkRoster } from "../../../src/source/session/sink-roster.ts";
import { SinkWatch } from "../../../src/source/session/sink-watch.ts";
import type { Streams } from "../../../src/source/session/streams.ts";
import { createMemoryBroker } from "../../../src/transport/memory.ts";

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

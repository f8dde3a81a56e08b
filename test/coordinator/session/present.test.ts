import { expect, test } from "vitest";
import type { SaidOfSink } from "../../../src/coordinator/history/sink-store.ts";
import type { Client } from "../../../src/coordinator/session/effects.ts";
import { Present } from "../../../src/coordinator/session/present.ts";
import { ManualClock } from "../manual-clock.ts";

/** Who is present, and what is written down of them: the free space, and the second in which it was said. */
function presentOf() {
  const clock = new ManualClock();
  const kept: (readonly [free: number | undefined, second: number, name: string | undefined])[] = [];
  const history = {
    sinkSaid: ({ freeBytes, name }: SaidOfSink, at: Date) => kept.push([freeBytes, at.getTime() / 1000, name]),
  };
  const sink = { memberId: "k1", slot: "default", identity: "ef".repeat(32), role: "sink", facts: {} } as Client;
  const present = new Present(new Map([[sink.memberId, sink]]), {
    ...{ clock, history },
    views: { show: () => undefined, said: () => undefined },
  } as unknown as ConstructorParameters<typeof Present>[1]);
  const say = (freeBytes: number): void => present.said(sink, { freeBytes, sizeBytes: 100 }, undefined);
  return { clock, kept, present, sink, say };
}

test("what a sink says is written down every 5 s at most, and the last of it when somebody asks or it goes", () => {
  const { clock, kept, present, sink, say } = presentOf();
  clock.advance(10_000);
  present.came(sink, "attic");
  expect(kept.splice(0)).toEqual([[undefined, 10, "attic"]]);
  clock.advance(5000);
  say(90);
  expect(kept.splice(0)).toEqual([[90, 15, undefined]]);
  clock.advance(1000);
  say(80);
  clock.advance(1000);
  say(70);
  expect(kept).toEqual([]);
  clock.advance(1000);
  present.keepAll();
  present.keepAll();
  expect(kept.splice(0)).toEqual([[70, 17, undefined]]);
  say(60);
  present.gone(sink);
  present.gone(sink);
  expect(kept.splice(0)).toEqual([[60, 18, undefined]]);
});

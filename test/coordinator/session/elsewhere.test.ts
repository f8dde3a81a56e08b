import { describe, expect, test } from "vitest";
import { Lookout } from "../../../src/coordinator/session/elsewhere.ts";
import { emptySlot, type SessionSlot } from "../../../src/coordinator/session/session-slot.ts";
import { SESSIONS_TOLD_MAX } from "../../../src/protocol/limits.ts";
import { clientOf, coordinatorOf, EventReader } from "../coordinator-fixture.ts";
import { ManualClock } from "../manual-clock.ts";
import { SlotDriver } from "./slot-driver.ts";

function slotOf(name: string, fill: (slot: SlotDriver) => void): SessionSlot {
  const slot = new SlotDriver();
  slot.state = emptySlot(name, "0".repeat(32));
  fill(slot);
  return slot.state;
}

const withSinks = (name: string, ...ids: string[]) =>
  slotOf(name, (slot) => {
    for (const id of ids) slot.enter(id, "sink");
  });
const withSource = (name: string, id: string, ...sinks: string[]) =>
  slotOf(name, (slot) => {
    slot.enter(id, "source", { needed: 9 });
    for (const sink of sinks) slot.enter(sink, "sink");
  });

function toldBy(...slots: SessionSlot[]): readonly string[] {
  const told: string[] = [];
  const clock = new ManualClock();
  using _lookout = new Lookout({
    clock,
    slots: () => slots,
    mayEnter: () => true,
    tell: (memberId, { session, sessions }) => told.push(`${memberId} in ${session}: ${sessions.join()}`),
  });
  clock.advance(2_000);
  return told;
}

describe("who is told that others wait elsewhere", () => {
  test("are a source without a sink, and sinks without a source, with the sessions where such wait", () => {
    expect(toldBy(withSource("foo", "so"), withSinks("nightly", "k1", "k2"), withSinks("default", "k3"))).toEqual([
      "so in foo: default,nightly",
      ...["k1 in nightly: foo", "k2 in nightly: foo", "k3 in default: foo"],
    ]);
  });

  test("are not who has somebody, nor who is alone everywhere", () => {
    expect(toldBy(withSource("foo", "so"))).toEqual([]);
    expect(toldBy(withSinks("foo", "k1"), withSinks("bar", "k2"))).toEqual([]);
    // A source with too few sinks is not alone, and somebody who came to another session may be wanted there.
    expect(toldBy(withSource("foo", "so", "k1"), withSinks("bar", "k2"))).toEqual(["k2 in bar: foo"]);
    const running = slotOf("run", (slot) => {
      slot.enter("k3", "sink");
      slot.enter("s3", "source", { needed: 1 });
    });
    expect(toldBy(running, withSinks("bar", "k2"))).toEqual([]);
    const joining = slotOf("join", (slot) => slot.join("s4", "source"));
    expect(toldBy(joining, withSinks("bar", "k2"))).toEqual([]);
  });
});

test("a source that waits in vain is told where sinks wait, each name once, and no more than the limit at a time", async () => {
  const clock = new ManualClock();
  const coordinator = await coordinatorOf({ clock });
  const events = new EventReader(coordinator);
  const source = await clientOf(coordinator);
  await source.enter("source", { session: "foo" });
  await source.expect("sinks");
  await events.until("registered");
  const sinkIn = async (session: string) => {
    const sink = await clientOf(coordinator);
    await sink.enter("sink", { session });
    await events.until("registered");
    return sink;
  };
  const names = Array.from({ length: SESSIONS_TOLD_MAX + 1 }, (_, index) => `s${String(index).padStart(2, "0")}`);
  const first = await sinkIn("s00");
  for (const name of names.slice(1)) await sinkIn(name);
  for (let looks = 0; looks < 3; looks += 1) clock.advance(2000);
  const told = await source.expect("elsewhere");
  expect(told).toEqual({ type: "elsewhere", session: "foo", sessions: names.slice(0, SESSIONS_TOLD_MAX) });
  expect(await first.expect("elsewhere")).toEqual({ type: "elsewhere", session: "s00", sessions: ["foo"] });
  // Nothing of what was told comes again: what comes next is the start with the sink that was missing.
  await sinkIn("foo");
  expect((await source.expect("start")).sinks).toHaveLength(1);
});

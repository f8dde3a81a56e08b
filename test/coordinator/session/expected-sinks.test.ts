import { describe, expect, test } from "vitest";
import { waitingView } from "../../../src/coordinator/views/session-view.ts";
import { effectOf, messageTo, SlotDriver, told } from "./slot-driver.ts";

describe("a source that expects sinks by name", () => {
  test("starts when they are there: others do not count, and take part", () => {
    const slot = new SlotDriver();
    slot.enter("so", "source", { needed: 2, expected: ["alpha", "beta"] });
    slot.enter("k1", "sink", { label: "alpha" });
    slot.enter("k2", "sink", { label: "zeta" });
    slot.enter("k3", "sink", { label: "eta" });
    expect(slot.state.running).toBeUndefined();
    expect(waitingView(slot.state)).toMatchObject({ needed: 2, missing: ["beta"] });
    slot.enter("k4", "sink", { label: "beta" });
    expect(slot.state.running?.sinks.map(({ name }) => name)).toEqual(["alpha", "zeta", "eta", "beta"]);
  });

  test("has nobody missing in the view when all are there, nor without names", () => {
    const slot = new SlotDriver();
    slot.join("so", "source", { needed: 1, expected: ["alpha"] });
    slot.enter("k1", "sink", { label: "alpha" });
    expect(waitingView(slot.state)).not.toHaveProperty("missing");
    const other = new SlotDriver();
    other.enter("so", "source", { needed: 2 });
    expect(waitingView(other.state)).not.toHaveProperty("missing");
  });
});

describe("a source that needs fewer sinks than it did", () => {
  const need = (slot: SlotDriver, memberId: string, needed: number) => slot.feed({ type: "need", memberId, needed });

  test("starts with those that are there", () => {
    const slot = new SlotDriver();
    slot.enter("so", "source", { needed: 3 });
    for (const id of ["k1", "k2"]) slot.enter(id, "sink");
    const effects = need(slot, "so", 2);
    for (const id of ["so", "k1", "k2"]) expect(told(effects, id)).toEqual(["start"]);
    expect(messageTo(effects, "so", "start").sinks.map(({ id }) => id)).toEqual(["k1", "k2"]);
  });

  test("is told who is there when it is still not enough, and starts with the next", () => {
    const slot = new SlotDriver();
    slot.enter("so", "source", { needed: 3 });
    slot.enter("k1", "sink");
    expect(messageTo(need(slot, "so", 2), "so", "sinks")).toMatchObject({ needed: 2, sinks: [{ id: "k1" }] });
    expect(told(slot.enter("k2", "sink"), "so")).toEqual(["start"]);
  });

  test("that said so while the session started changes nothing", () => {
    const slot = new SlotDriver();
    slot.enter("k1", "sink");
    slot.enter("so", "source", { needed: 1 });
    const { running } = slot.state;
    expect(need(slot, "so", 1)).toEqual([]);
    expect(slot.state.running).toBe(running);
  });

  test("is a source: a sink that says so breaks the protocol", () => {
    const slot = new SlotDriver();
    slot.enter("so", "source", { needed: 3 });
    slot.enter("k1", "sink");
    expect(effectOf(need(slot, "k1", 1), "violation")).toMatchObject({ memberId: "k1" });
    expect(slot.state.running).toBeUndefined();
  });
});

import { describe, expect, test } from "vitest";
import { versionRefusal } from "../../../src/coordinator/session/session-machine.ts";
import { isVacant } from "../../../src/coordinator/session/session-slot.ts";
import { PROTOCOL_VERSION, SINKS_PER_SESSION_MAX } from "../../../src/protocol/limits.ts";
import { effectOf, identityOf, messageTo, provenOutcome, SlotDriver, summaryOf, told } from "./slot-driver.ts";

describe("a session that waits", () => {
  test("is opened by the first client of its name, with epoch 1", () => {
    const slot = new SlotDriver();
    const effects = slot.join("k1", "sink");
    expect(effectOf(effects, "opened").session).toEqual({ id: "session00001", epoch: 1 });
    expect(effectOf(effects, "welcome")).toMatchObject({ session: { id: "session00001" }, underWay: false });
  });

  test("counts a sink only after its ready", () => {
    const slot = new SlotDriver();
    slot.enter("so", "source");
    expect(told(slot.join("k1", "sink"), "so")).toEqual([]);
    expect(slot.state.running).toBeUndefined();
    slot.ready("k1");
    expect(slot.state.running?.sinks).toEqual([{ id: "k1", name: "k1" }]);
  });

  test("tells the source who is registered, at its arrival and at every change", () => {
    const slot = new SlotDriver();
    slot.enter("k1", "sink", { label: "alpha" });
    expect(messageTo(slot.join("so", "source", { needed: 3 }), "so", "sinks")).toEqual({
      type: "sinks",
      needed: 3,
      sinks: [{ id: "k1", name: "alpha" }],
    });
    slot.ready("so");
    expect(messageTo(slot.enter("k2", "sink"), "so", "sinks").sinks.map((sink) => sink.id)).toEqual(["k1", "k2"]);
    expect(messageTo(slot.go("k1"), "so", "sinks").sinks.map((sink) => sink.id)).toEqual(["k2"]);
  });

  test("starts at once when enough sinks are registered, with all of them", () => {
    const slot = new SlotDriver();
    for (const id of ["k1", "k2", "k3"]) slot.enter(id, "sink");
    const effects = slot.enter("so", "source", { needed: 2 });
    for (const id of ["so", "k1", "k2", "k3"]) {
      const start = messageTo(effects, id, "start");
      expect(start.sinks.map((sink) => sink.id)).toEqual(["k1", "k2", "k3"]);
      expect(start).toMatchObject({ epoch: 1, source: { id: "so" }, sourceIdentity: "so".repeat(8) });
    }
  });

  test("does not start while its source is not ready", () => {
    const slot = new SlotDriver();
    slot.join("so", "source");
    slot.enter("k1", "sink");
    expect(slot.state.running).toBeUndefined();
    expect(told(slot.ready("so"), "k1")).toEqual(["start"]);
  });

  test("goes on without its source, whose leaving the sinks are told", () => {
    const slot = new SlotDriver();
    slot.enter("k1", "sink");
    slot.enter("so", "source", { needed: 2 });
    const effects = slot.go("so", "wait-timeout", "the wait ended");
    expect(told(effects, "k1")).toEqual(["left"]);
    expect(messageTo(effects, "k1", "left")).toMatchObject({ role: "source", code: "wait-timeout" });
    slot.enter("s2", "source", { needed: 1 });
    expect(slot.state.running?.id).toBe("session00001");
  });

  test("is forgotten when its last member has left", () => {
    const slot = new SlotDriver();
    slot.enter("k1", "sink");
    const effects = slot.go("k1");
    expect(effectOf(effects, "forgotten").session.id).toBe("session00001");
    expect(isVacant(slot.state)).toBe(true);
  });
});

describe("a session that runs", () => {
  function running(...stay: string[]): SlotDriver {
    const slot = new SlotDriver();
    for (const id of ["k1", "k2"]) slot.enter(id, "sink", { stay: stay.includes(id) });
    slot.enter("so", "source", { needed: 2 });
    return slot;
  }

  test("gives every member its ended, each sink with its own outcome", () => {
    const slot = running();
    const effects = slot.finish("so");
    expect(messageTo(effects, "k1", "ended")).toMatchObject({ mine: { sinkId: "k1", outcome: "proven" } });
    expect(messageTo(effects, "k2", "ended")).toMatchObject({
      mine: { sinkId: "k2" },
      summary: { result: "complete" },
    });
    expect(messageTo(effects, "so", "ended").mine).toBeUndefined();
    expect(isVacant(slot.state)).toBe(true);
  });

  test("sends a sink its own problems, and not those of the others", () => {
    const slot = running();
    const problems = [{ path: "a", kind: "unreadable", message: "no" }];
    const sinks = ["k1", "k2"].map((id) => ({ ...provenOutcome({ id, name: id }), problems }));
    const effects = slot.feed({ type: "finished", memberId: "so", summary: summaryOf(sinks) });
    const ended = messageTo(effects, "k1", "ended");
    expect(ended.mine?.problems).toEqual(problems);
    expect(ended.summary?.sinks.map((sink) => sink.problems)).toEqual([[], []]);
    expect(messageTo(effects, "so", "ended").summary?.sinks).toEqual(sinks);
  });

  test("takes a late sink that the source did not count any more to the next session", () => {
    const slot = running();
    expect(told(slot.enter("k3", "sink"), "k3")).toEqual(["start"]);
    const sinks = ["k1", "k2"].map((id) => provenOutcome({ id, name: id }));
    const effects = slot.feed({ type: "finished", memberId: "so", summary: summaryOf(sinks) });
    expect(told(effects, "k1")).toEqual(["ended"]);
    expect(told(effects, "k3")).toEqual(["welcome"]);
  });

  test("moves sinks that stay to the next session by a new welcome", () => {
    const slot = running("k1");
    const effects = slot.finish("so");
    expect(told(effects, "k1")).toEqual(["ended", "welcome"]);
    expect(told(effects, "k2")).toEqual(["ended"]);
    expect(effectOf(effects, "welcome")).toMatchObject({ session: { id: slot.state.waiting?.id }, underWay: false });
    slot.ready("k1");
    slot.enter("s2", "source");
    expect(slot.state.running?.sinks.map((sink) => sink.id)).toEqual(["k1"]);
  });

  test("lets a late sink in: it starts on its own, and the source is told", () => {
    const slot = running();
    const effects = slot.join("k3", "sink");
    expect(effectOf(effects, "welcome")).toMatchObject({ underWay: true, session: { id: "session00001", epoch: 1 } });
    const ready = slot.ready("k3");
    const start = messageTo(ready, "k3", "start");
    expect(start).toMatchObject({ late: true, epoch: 1, source: { id: "so" }, sourceIdentity: identityOf("so") });
    expect(start.sinks.map((sink) => sink.id)).toEqual(["k1", "k2", "k3"]);
    expect(messageTo(ready, "so", "joined")).toMatchObject({ member: { id: "k3" }, restarted: true });
    expect(told(ready, "k1")).toEqual([]);
    expect(told(slot.finish("so"), "k3")).toEqual(["ended"]);
  });

  test("lets a sink in late that was not ready at the start", () => {
    const slot = new SlotDriver();
    slot.enter("k1", "sink");
    slot.join("k2", "sink");
    expect(told(slot.enter("so", "source"), "k2")).toEqual([]);
    expect(messageTo(slot.ready("k2"), "k2", "start")).toMatchObject({ late: true });
  });

  test("welcomes a late sink to the next session when this one ends before it is ready", () => {
    const slot = running();
    slot.join("k3", "sink");
    expect(told(slot.finish("so"), "k3")).toEqual([]);
    expect(effectOf(slot.ready("k3"), "welcome")).toMatchObject({
      underWay: false,
      session: { id: slot.state.waiting?.id },
    });
    slot.ready("k3");
    slot.enter("s2", "source");
    expect(slot.state.running?.sinks.map((sink) => sink.id)).toEqual(["k3"]);
  });

  test("welcomes a sink that answers only after the end to the next session", () => {
    const slot = new SlotDriver();
    slot.enter("k1", "sink");
    slot.join("k2", "sink");
    slot.enter("so", "source");
    slot.finish("so");
    expect(effectOf(slot.ready("k2"), "welcome")).toMatchObject({ underWay: false, session: { epoch: 1 } });
  });

  test("tells the source of a sink that leaves, and goes on", () => {
    const slot = running();
    const effects = slot.go("k1", "disk-full", "no space");
    expect(messageTo(effects, "so", "left")).toMatchObject({ role: "sink", member: { id: "k1" }, code: "disk-full" });
    expect(told(effects, "k2")).toEqual([]);
    expect(told(slot.finish("so"), "k1")).toEqual([]);
  });

  test("tells everybody what kind of a run it is", () => {
    const slot = new SlotDriver();
    slot.enter("k1", "sink");
    const effects = slot.enter("so", "source", { dryRun: true });
    expect(messageTo(effects, "k1", "start")).toMatchObject({ dryRun: true, late: false });
  });

  test.each([
    ["waits for its sinks", 5],
    ["is copying", 1],
  ])("refuses a second source while the first %s, and names it", (doing, needed) => {
    const slot = new SlotDriver();
    slot.enter("k1", "sink");
    slot.enter("so", "source", { label: "beta", needed });
    const refusal = effectOf(slot.join("s2", "source"), "refuse");
    expect(refusal.code).toBe("session-busy");
    expect(refusal.reason).toContain(`the source "beta" ${doing}`);
    expect(slot.state.members.some((member) => member.id === "s2")).toBe(false);
  });

  test.each(["k1", "s2"])("calls a finished of anyone but its source a violation: %s", (memberId) => {
    const slot = running();
    slot.finish("so");
    slot.enter("k1", "sink");
    slot.enter("s2", "source", { needed: 9 });
    expect(effectOf(slot.finish(memberId), "violation").memberId).toBe(memberId);
  });
});

describe("names and limits", () => {
  test("a name that was not asked for is made unique with the first free number", () => {
    const slot = new SlotDriver();
    for (const id of ["k1", "k2", "k3"]) slot.enter(id, "sink", { label: "alpha" });
    expect(slot.state.members.map((member) => member.name)).toEqual(["alpha", "alpha-2", "alpha-3"]);
    slot.go("k2");
    slot.enter("k4", "sink", { label: "alpha" });
    expect(slot.state.members.at(-1)?.name).toBe("alpha-2");
  });

  test("a name that was asked for and is taken is refused", () => {
    const slot = new SlotDriver();
    slot.enter("k1", "sink", { label: "alpha" });
    expect(effectOf(slot.join("k2", "sink", { label: "alpha", labelAsked: true }), "refuse").code).toBe("name-taken");
    expect(slot.join("k3", "sink", { label: "beta", labelAsked: true }).map((effect) => effect.type)).toEqual([
      "welcome",
    ]);
  });

  test("a session takes no more sinks than the limit", () => {
    const slot = new SlotDriver();
    for (let number = 0; number < SINKS_PER_SESSION_MAX; number += 1) slot.join(`m${number}`, "sink");
    expect(effectOf(slot.join("one-more", "sink"), "refuse").reason).toContain(`${SINKS_PER_SESSION_MAX} sinks`);
    expect(slot.join("so", "source").some((effect) => effect.type === "welcome")).toBe(true);
  });

  test("versionRefusal() names both versions", () => {
    expect(versionRefusal(PROTOCOL_VERSION)).toBeUndefined();
    expect(versionRefusal(PROTOCOL_VERSION + 1)).toContain(`version ${PROTOCOL_VERSION + 1}`);
    expect(versionRefusal(PROTOCOL_VERSION + 1)).toContain(`version ${PROTOCOL_VERSION}`);
  });

  test("events of a member that is not there change nothing", () => {
    const slot = new SlotDriver();
    slot.enter("k1", "sink");
    const before = slot.state;
    for (const effects of [slot.ready("nobody"), slot.finish("nobody"), slot.go("nobody"), slot.ready("k1")]) {
      expect(effects).toEqual([]);
    }
    expect(slot.state).toEqual(before);
  });
});

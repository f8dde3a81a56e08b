import { describe, expect, test } from "vitest";
import { isVacant, type SessionSlot } from "../../../src/coordinator/session/session-slot.ts";
import { effectOf, identityOf, messageTo, SlotDriver, told } from "./slot-driver.ts";

function running(options: { readonly stay?: boolean } = {}): SlotDriver {
  const slot = new SlotDriver();
  for (const id of ["k1", "k2"]) slot.enter(id, "sink", options);
  slot.enter("so", "source", { needed: 2 });
  return slot;
}

function idsOf(members: readonly { readonly id: string }[] | undefined): string[] {
  return (members ?? []).map((member) => member.id);
}

describe("a member of a running session that goes", () => {
  test.each<["go" | "lose", string]>([
    ["go", "interrupted"],
    ["lose", "source-lost"],
  ])("leaves the session running without its source: %s", (how, code) => {
    const slot = running();
    const effects = slot[how]("so");
    expect(told(effects, "k1")).toEqual(["left"]);
    expect(messageTo(effects, "k2", "left")).toMatchObject({ role: "source", member: { id: "so" }, code });
    expect(slot.state.running?.epoch).toBe(1);
  });

  test("keeps the ticket of a copy that may go on, and not that of a member that left", () => {
    const slot = running();
    expect(effectOf(slot.lose("k1"), "release")).toMatchObject({ memberId: "k1", comesBack: true });
    expect(effectOf(slot.go("k2"), "release")).toMatchObject({ memberId: "k2", comesBack: false });
  });

  test("ends the session when it was the last one and said so", () => {
    const slot = running({ stay: true });
    for (const id of ["so", "k1"]) slot.lose(id);
    const effects = slot.go("k2");
    expect(effectOf(effects, "ended").end).toMatchObject({ type: "broken-off", code: "interrupted" });
    expect(isVacant(slot.state)).toBe(true);
  });

  test("holds the session for a while when the last connection broke", () => {
    const slot = running();
    for (const id of ["k1", "k2", "so"]) slot.lose(id);
    expect(slot.state.running).toBeDefined();
    expect(effectOf(slot.feed({ type: "expired" }), "ended").end).toMatchObject({ code: "interrupted" });
    expect(isVacant(slot.state)).toBe(true);
  });

  test("is not missed when somebody is there at the end of that time", () => {
    const slot = running();
    for (const id of ["k1", "so"]) slot.lose(id);
    expect(slot.feed({ type: "expired" })).toEqual([]);
  });
});

describe("a process that lost its link and says back", () => {
  test("a sink goes on as the member it was", () => {
    const slot = running();
    slot.lose("k1");
    const welcome = effectOf(slot.back("new", "sink", { identity: identityOf("k1"), label: "other" }), "welcome");
    expect(welcome).toMatchObject({ rejoined: true, underWay: false, session: { id: "session00001", epoch: 1 } });
    expect(welcome.member).toMatchObject({ id: "k1", name: "k1" });
    const effects = slot.ready("k1");
    expect(told(effects, "k1")).toEqual([]);
    expect(messageTo(effects, "so", "joined")).toEqual({
      type: "joined",
      member: { id: "k1", name: "k1", key: "k1".repeat(8) },
      restarted: false,
    });
    expect(told(slot.finish("so"), "k1")).toEqual(["ended"]);
  });

  test("a source goes on, and is told only then who came and went meanwhile", () => {
    const slot = running();
    slot.lose("so");
    expect(told(slot.lose("k1"), "so")).toEqual([]);
    slot.lose("k2");
    slot.back("k2", "sink");
    expect(told(slot.ready("k2"), "k2")).toEqual(["left"]);
    expect(effectOf(slot.back("so", "source"), "welcome")).toMatchObject({ rejoined: true });
    const effects = slot.ready("so");
    expect(told(effects, "so")).toEqual(["left", "joined"]);
    expect(messageTo(effects, "so", "left")).toMatchObject({ member: { id: "k1" }, code: "sink-lost" });
    expect(messageTo(effects, "so", "joined")).toMatchObject({ member: { id: "k2" }, restarted: false });
    expect(effects.some((effect) => effect.type === "send" && effect.message.type === "start")).toBe(false);
  });

  test("a source that is back starts the sinks that came late in its absence, and hears that a sink was restarted", () => {
    const slot = running();
    slot.lose("so");
    slot.lose("k1");
    expect(told(slot.enter("k1", "sink"), "k1")).toEqual(["left"]);
    expect(told(slot.enter("k3", "sink"), "k3")).toEqual(["left"]);
    slot.back("so", "source");
    const effects = slot.ready("so");
    expect(told(effects, "k1")).toEqual(["start"]);
    expect(messageTo(effects, "k3", "start")).toMatchObject({ late: true, epoch: 1 });
    expect(told(effects, "so")).toEqual(["left", "joined", "joined"]);
  });

  test("a source of an ended session is superseded, a sink is let into the next one", () => {
    const slot = running();
    const back = { sessionId: "session00001", epoch: 1 };
    for (const id of ["k1", "k2"]) slot.lose(id);
    slot.go("so");
    expect(effectOf(slot.join("so", "source", { back }), "refuse")).toMatchObject({
      code: "superseded",
      reason: expect.stringContaining("ended"),
    });
    expect(effectOf(slot.join("k1", "sink", { back }), "welcome")).toMatchObject({
      rejoined: false,
      underWay: false,
    });
  });

  test("a source that another process of it took over from is superseded", () => {
    const slot = running();
    slot.lose("so");
    slot.enter("so", "source", { needed: 2 });
    expect(slot.state.running?.epoch).toBe(2);
    const refusal = slot.join("old", "source", {
      identity: identityOf("so"),
      back: { sessionId: "session00001", epoch: 1 },
    });
    expect(effectOf(refusal, "refuse").reason).toContain("another process");
    expect(slot.state.members.find((member) => member.id === "so")?.away).toBeUndefined();
  });

  test("nobody takes the place of a member with another secret", () => {
    const slot = running();
    slot.lose("k1");
    const effects = slot.back("k9", "sink");
    expect(effectOf(effects, "welcome")).toMatchObject({ rejoined: false, member: { id: "k9" } });
    slot.lose("so");
    expect(effectOf(slot.back("s9", "source"), "refuse").code).toBe("superseded");
  });
});

describe("a sink that was started again", () => {
  test("keeps its id and name, and starts late in the epoch that runs", () => {
    const slot = running();
    slot.lose("k1");
    const welcome = effectOf(slot.join("new", "sink", { identity: identityOf("k1") }), "welcome");
    expect(welcome).toMatchObject({ underWay: true, rejoined: false, member: { id: "k1", name: "k1" } });
    const effects = slot.ready("k1");
    expect(messageTo(effects, "k1", "start")).toMatchObject({ late: true, epoch: 1 });
    expect(messageTo(effects, "so", "joined")).toMatchObject({ member: { id: "k1" }, restarted: true });
    expect(idsOf(slot.state.running?.sinks)).toEqual(["k1", "k2"]);
  });

  test("is no new process of somebody who goes on: its old one cannot come back behind it", () => {
    const slot = running();
    slot.lose("k1");
    slot.join("k1", "sink");
    slot.lose("k1");
    expect(effectOf(slot.back("k1", "sink"), "welcome")).toMatchObject({ rejoined: false, underWay: true });
  });
});

describe("a source that was started again", () => {
  test("takes its session over: the same id, the next epoch, with the sinks that are there", () => {
    const slot = running();
    slot.lose("so");
    const effects = slot.join("new", "source", { identity: identityOf("so"), needed: 2, dryRun: true });
    expect(effectOf(effects, "welcome")).toMatchObject({
      rejoined: false,
      member: { id: "so" },
      session: { id: "session00001", epoch: 2 },
    });
    expect(idsOf(messageTo(effects, "so", "sinks").sinks)).toEqual(["k1", "k2"]);
    const started = slot.ready("so");
    for (const id of ["so", "k1", "k2"]) {
      expect(messageTo(started, id, "start")).toMatchObject({ epoch: 2, late: false, dryRun: true });
    }
    expect(slot.state.running).toMatchObject({ id: "session00001", epoch: 2 });
  });

  test("waits for the sinks it wants; a sink that is away joins late when the session went on without it", () => {
    const slot = running();
    slot.lose("so");
    slot.lose("k2");
    expect(told(slot.enter("so", "source", { needed: 2 }), "k1")).toEqual([]);
    slot.lose("so");
    slot.enter("so", "source", { needed: 1 });
    expect(slot.state.running?.epoch).toBe(2);
    expect(idsOf(slot.state.running?.sinks)).toEqual(["k1"]);
    const welcome = effectOf(slot.join("k2", "sink", { back: { sessionId: "session00001", epoch: 1 } }), "welcome");
    expect(welcome).toMatchObject({ underWay: true, rejoined: false, member: { id: "k2" } });
    expect(messageTo(slot.ready("k2"), "k2", "start")).toMatchObject({ late: true, epoch: 2 });
    expect(idsOf(slot.state.running?.sinks)).toEqual(["k1", "k2"]);
  });

  test("finds a sink registered that came back before it, and one that comes while it waits", () => {
    const slot = running();
    for (const id of ["so", "k1"]) slot.lose(id);
    slot.enter("k1", "sink");
    slot.lose("k2");
    expect(idsOf(messageTo(slot.join("so", "source", { needed: 2 }), "so", "sinks").sinks)).toEqual(["k1"]);
    slot.ready("so");
    expect(messageTo(slot.enter("k2", "sink"), "k2", "start")).toMatchObject({ epoch: 2, late: false });
  });

  test("keeps others out while it is away, and says who has the session and what helps", () => {
    const slot = running();
    slot.lose("so");
    const { code, reason } = effectOf(slot.join("s2", "source"), "refuse");
    expect(code).toBe("session-busy");
    for (const part of ['source "so"', "same command", "--cancel", "--session"]) expect(reason).toContain(part);
  });

  test("loses a session that nobody is in to another source that comes first", () => {
    const slot = running();
    for (const id of ["so", "k1", "k2"]) slot.lose(id);
    const effects = slot.join("s2", "source");
    expect(effectOf(effects, "ended").session.id).toBe("session00001");
    expect(effectOf(effects, "welcome").session).toMatchObject({ epoch: 1 });
    expect(slot.state.waiting?.id).not.toBe("session00001");
    expect(idsOf(slot.state.members)).toEqual(["s2"]);
  });
});

describe("cancel", () => {
  test.each(["here", "away"])("ends the session for all: its source is %s", (where) => {
    const slot = running();
    if (where === "away") slot.lose("so");
    const effects = slot.cancel(identityOf("so"));
    for (const id of ["k1", "k2", "cancel"]) {
      expect(messageTo(effects, id, "ended")).toMatchObject({ code: "cancelled" });
    }
    expect(told(effects, "so")).toEqual(where === "here" ? ["ended"] : []);
    expect(isVacant(slot.state)).toBe(true);
  });

  test("by the source itself, when it leaves with that code", () => {
    const slot = running({ stay: true });
    const effects = slot.go("so", "cancelled", "Stopped twice");
    expect(told(effects, "k1")).toEqual(["left", "ended", "welcome"]);
    expect(messageTo(effects, "k1", "ended")).toMatchObject({ code: "cancelled" });
    expect(slot.state.waiting?.id).not.toBe("session00001");
  });

  test("ends a session that still waits for its sinks", () => {
    const slot = new SlotDriver();
    slot.enter("k1", "sink");
    slot.enter("so", "source", { needed: 5 });
    expect(told(slot.cancel(identityOf("so")), "k1")).toEqual(["ended"]);
    expect(isVacant(slot.state)).toBe(true);
  });

  test.each(["s9", "k1"])("is refused when there is nothing of this source: %s", (id) => {
    const slot = running();
    expect(effectOf(slot.cancel(identityOf(id)), "refuse").reason).toContain('cannot cancel session "default"');
    expect(slot.state.running).toBeDefined();
  });
});

describe("a restored session", () => {
  function restored(): SlotDriver {
    const slot = running();
    for (const id of ["so", "k1", "k2"]) slot.lose(id);
    const state: SessionSlot = { ...slot.state, kept: true };
    slot.state = state;
    return slot;
  }

  test("is held though those who came back leave again, until its time is over", () => {
    const slot = restored();
    slot.back("k1", "sink");
    slot.ready("k1");
    slot.go("k1");
    expect(slot.state.running).toBeDefined();
    slot.feed({ type: "expired" });
    expect(isVacant(slot.state)).toBe(true);
  });

  test("does not make way for another source", () => {
    const slot = restored();
    expect(effectOf(slot.join("s2", "source"), "refuse").code).toBe("session-busy");
  });

  test("goes on with everybody who comes back, in any order", () => {
    const slot = restored();
    for (const [id, role] of [
      ["k1", "sink"],
      ["so", "source"],
      ["k2", "sink"],
    ] as const) {
      expect(effectOf(slot.back(id, role), "welcome").rejoined).toBe(true);
      slot.ready(id);
    }
    expect(slot.state.running).toMatchObject({ epoch: 1 });
    expect(told(slot.finish("so"), "k2")).toEqual(["ended"]);
  });
});

import { describe, expect, test } from "vitest";
import { isVacant, type SeriesState } from "../../../src/coordinator/session/session-state.ts";
import { effectOf, identityOf, messageTo, SeriesDriver, told } from "./series-driver.ts";

function running(options: { readonly stay?: boolean } = {}): SeriesDriver {
  const series = new SeriesDriver();
  for (const id of ["k1", "k2"]) series.enter(id, "sink", options);
  series.enter("so", "source", { needed: 2 });
  return series;
}

function idsOf(members: readonly { readonly id: string }[] | undefined): string[] {
  return (members ?? []).map((member) => member.id);
}

describe("a member of a running session that goes", () => {
  test.each<["go" | "lose", string]>([
    ["go", "interrupted"],
    ["lose", "source-lost"],
  ])("leaves the session running without its source: %s", (how, code) => {
    const series = running();
    const effects = series[how]("so");
    expect(told(effects, "k1")).toEqual(["left"]);
    expect(messageTo(effects, "k2", "left")).toMatchObject({ role: "source", member: { id: "so" }, code });
    expect(series.state.running?.epoch).toBe(1);
  });

  test("keeps the ticket of a copy that may go on, and not that of a member that left", () => {
    const series = running();
    expect(effectOf(series.lose("k1"), "release")).toMatchObject({ memberId: "k1", comesBack: true });
    expect(effectOf(series.go("k2"), "release")).toMatchObject({ memberId: "k2", comesBack: false });
  });

  test("ends the session when it was the last one and said so", () => {
    const series = running({ stay: true });
    for (const id of ["so", "k1"]) series.lose(id);
    const effects = series.go("k2");
    expect(effectOf(effects, "ended").end).toMatchObject({ type: "broken-off", code: "interrupted" });
    expect(isVacant(series.state)).toBe(true);
  });

  test("holds the session for a while when the last connection broke", () => {
    const series = running();
    for (const id of ["k1", "k2", "so"]) series.lose(id);
    expect(series.state.running).toBeDefined();
    expect(effectOf(series.feed({ type: "expired" }), "ended").end).toMatchObject({ code: "interrupted" });
    expect(isVacant(series.state)).toBe(true);
  });

  test("is not missed when somebody is there at the end of that time", () => {
    const series = running();
    for (const id of ["k1", "so"]) series.lose(id);
    expect(series.feed({ type: "expired" })).toEqual([]);
  });
});

describe("a process that lost its link and says back", () => {
  test("a sink goes on as the member it was", () => {
    const series = running();
    series.lose("k1");
    const welcome = effectOf(series.back("new", "sink", { identity: identityOf("k1"), label: "other" }), "welcome");
    expect(welcome).toMatchObject({ rejoined: true, underWay: false, session: { id: "session00001", epoch: 1 } });
    expect(welcome.member).toMatchObject({ id: "k1", name: "k1" });
    const effects = series.ready("k1");
    expect(told(effects, "k1")).toEqual([]);
    expect(messageTo(effects, "so", "joined")).toEqual({
      type: "joined",
      member: { id: "k1", name: "k1" },
      restarted: false,
    });
    expect(told(series.finish("so"), "k1")).toEqual(["ended"]);
  });

  test("a source goes on, and is told only then who came and went meanwhile", () => {
    const series = running();
    series.lose("so");
    expect(told(series.lose("k1"), "so")).toEqual([]);
    series.lose("k2");
    series.back("k2", "sink");
    expect(told(series.ready("k2"), "k2")).toEqual(["left"]);
    expect(effectOf(series.back("so", "source"), "welcome")).toMatchObject({ rejoined: true });
    const effects = series.ready("so");
    expect(told(effects, "so")).toEqual(["left", "joined"]);
    expect(messageTo(effects, "so", "left")).toMatchObject({ member: { id: "k1" }, code: "sink-lost" });
    expect(messageTo(effects, "so", "joined")).toMatchObject({ member: { id: "k2" }, restarted: false });
    expect(effects.some((effect) => effect.type === "send" && effect.message.type === "start")).toBe(false);
  });

  test("a source that is back starts who came late without it, and hears that a sink was started again", () => {
    const series = running();
    series.lose("so");
    series.lose("k1");
    expect(told(series.enter("k1", "sink"), "k1")).toEqual(["left"]);
    expect(told(series.enter("k3", "sink"), "k3")).toEqual(["left"]);
    series.back("so", "source");
    const effects = series.ready("so");
    expect(told(effects, "k1")).toEqual(["start"]);
    expect(messageTo(effects, "k3", "start")).toMatchObject({ late: true, epoch: 1 });
    expect(told(effects, "so")).toEqual(["left", "joined", "joined"]);
  });

  test("a source of an ended session is superseded, a sink is let into the next one", () => {
    const series = running();
    const back = { sessionId: "session00001", epoch: 1 };
    for (const id of ["k1", "k2"]) series.lose(id);
    series.go("so");
    expect(effectOf(series.join("so", "source", { back }), "refuse")).toMatchObject({
      code: "superseded",
      reason: expect.stringContaining("ended"),
    });
    expect(effectOf(series.join("k1", "sink", { back }), "welcome")).toMatchObject({
      rejoined: false,
      underWay: false,
    });
  });

  test("a source that another process of it took over from is superseded", () => {
    const series = running();
    series.lose("so");
    series.enter("so", "source", { needed: 2 });
    expect(series.state.running?.epoch).toBe(2);
    const refusal = series.join("old", "source", {
      identity: identityOf("so"),
      back: { sessionId: "session00001", epoch: 1 },
    });
    expect(effectOf(refusal, "refuse").reason).toContain("another process");
    expect(series.state.members.find((member) => member.id === "so")?.away).toBeUndefined();
  });

  test("nobody takes the place of a member with another secret", () => {
    const series = running();
    series.lose("k1");
    const effects = series.back("k9", "sink");
    expect(effectOf(effects, "welcome")).toMatchObject({ rejoined: false, member: { id: "k9" } });
    series.lose("so");
    expect(effectOf(series.back("s9", "source"), "refuse").code).toBe("superseded");
  });
});

describe("a sink that was started again", () => {
  test("keeps its id and name, and starts late in the epoch that runs", () => {
    const series = running();
    series.lose("k1");
    const welcome = effectOf(series.join("new", "sink", { identity: identityOf("k1") }), "welcome");
    expect(welcome).toMatchObject({ underWay: true, rejoined: false, member: { id: "k1", name: "k1" } });
    const effects = series.ready("k1");
    expect(messageTo(effects, "k1", "start")).toMatchObject({ late: true, epoch: 1 });
    expect(messageTo(effects, "so", "joined")).toMatchObject({ member: { id: "k1" }, restarted: true });
    expect(idsOf(series.state.running?.sinks)).toEqual(["k1", "k2"]);
  });

  test("is no new process of somebody who goes on: its old one cannot come back behind it", () => {
    const series = running();
    series.lose("k1");
    series.join("k1", "sink");
    series.lose("k1");
    expect(effectOf(series.back("k1", "sink"), "welcome")).toMatchObject({ rejoined: false, underWay: true });
  });
});

describe("a source that was started again", () => {
  test("takes its session over: the same id, the next epoch, with the sinks that are there", () => {
    const series = running();
    series.lose("so");
    const effects = series.join("new", "source", { identity: identityOf("so"), needed: 2, dryRun: true });
    expect(effectOf(effects, "welcome")).toMatchObject({
      rejoined: false,
      member: { id: "so" },
      session: { id: "session00001", epoch: 2 },
    });
    expect(idsOf(messageTo(effects, "so", "sinks").sinks)).toEqual(["k1", "k2"]);
    const started = series.ready("so");
    for (const id of ["so", "k1", "k2"]) {
      expect(messageTo(started, id, "start")).toMatchObject({ epoch: 2, late: false, dryRun: true });
    }
    expect(series.state.running).toMatchObject({ id: "session00001", epoch: 2 });
  });

  test("waits for the sinks it wants; one that is away comes late when it went on without it", () => {
    const series = running();
    series.lose("so");
    series.lose("k2");
    expect(told(series.enter("so", "source", { needed: 2 }), "k1")).toEqual([]);
    series.lose("so");
    series.enter("so", "source", { needed: 1 });
    expect(series.state.running?.epoch).toBe(2);
    expect(idsOf(series.state.running?.sinks)).toEqual(["k1"]);
    const welcome = effectOf(series.join("k2", "sink", { back: { sessionId: "session00001", epoch: 1 } }), "welcome");
    expect(welcome).toMatchObject({ underWay: true, rejoined: false, member: { id: "k2" } });
    expect(messageTo(series.ready("k2"), "k2", "start")).toMatchObject({ late: true, epoch: 2 });
    expect(idsOf(series.state.running?.sinks)).toEqual(["k1", "k2"]);
  });

  test("finds a sink registered that came back before it, and one that comes while it waits", () => {
    const series = running();
    for (const id of ["so", "k1"]) series.lose(id);
    series.enter("k1", "sink");
    series.lose("k2");
    expect(idsOf(messageTo(series.join("so", "source", { needed: 2 }), "so", "sinks").sinks)).toEqual(["k1"]);
    series.ready("so");
    expect(messageTo(series.enter("k2", "sink"), "k2", "start")).toMatchObject({ epoch: 2, late: false });
  });

  test("keeps others out while it is away, and says who has the session and what helps", () => {
    const series = running();
    series.lose("so");
    const { code, reason } = effectOf(series.join("s2", "source"), "refuse");
    expect(code).toBe("session-busy");
    for (const part of ['source "so"', "same command", "--cancel", "--session"]) expect(reason).toContain(part);
  });

  test("loses a session that nobody is in to another source that comes first", () => {
    const series = running();
    for (const id of ["so", "k1", "k2"]) series.lose(id);
    const effects = series.join("s2", "source");
    expect(effectOf(effects, "ended").session.id).toBe("session00001");
    expect(effectOf(effects, "welcome").session).toMatchObject({ epoch: 1 });
    expect(series.state.waiting?.id).not.toBe("session00001");
    expect(idsOf(series.state.members)).toEqual(["s2"]);
  });
});

describe("cancel", () => {
  test.each(["here", "away"])("ends the session for all: its source is %s", (where) => {
    const series = running();
    if (where === "away") series.lose("so");
    const effects = series.cancel(identityOf("so"));
    for (const id of ["k1", "k2", "cancel"]) {
      expect(messageTo(effects, id, "ended")).toMatchObject({ code: "cancelled" });
    }
    expect(told(effects, "so")).toEqual(where === "here" ? ["ended"] : []);
    expect(isVacant(series.state)).toBe(true);
  });

  test("by the source itself, when it leaves with that code", () => {
    const series = running({ stay: true });
    const effects = series.go("so", "cancelled", "Stopped twice");
    expect(told(effects, "k1")).toEqual(["left", "ended", "welcome"]);
    expect(messageTo(effects, "k1", "ended")).toMatchObject({ code: "cancelled" });
    expect(series.state.waiting?.id).not.toBe("session00001");
  });

  test("ends a session that still waits for its sinks", () => {
    const series = new SeriesDriver();
    series.enter("k1", "sink");
    series.enter("so", "source", { needed: 5 });
    expect(told(series.cancel(identityOf("so")), "k1")).toEqual(["ended"]);
    expect(isVacant(series.state)).toBe(true);
  });

  test.each(["s9", "k1"])("is refused when there is nothing of this source: %s", (id) => {
    const series = running();
    expect(effectOf(series.cancel(identityOf(id)), "refuse").reason).toContain('Cancel session "default"');
    expect(series.state.running).toBeDefined();
  });
});

describe("a restored session", () => {
  function restored(): SeriesDriver {
    const series = running();
    for (const id of ["so", "k1", "k2"]) series.lose(id);
    const state: SeriesState = { ...series.state, kept: true };
    series.state = state;
    return series;
  }

  test("is held though those who came back leave again, until its time is over", () => {
    const series = restored();
    series.back("k1", "sink");
    series.ready("k1");
    series.go("k1");
    expect(series.state.running).toBeDefined();
    series.feed({ type: "expired" });
    expect(isVacant(series.state)).toBe(true);
  });

  test("does not make way for another source", () => {
    const series = restored();
    expect(effectOf(series.join("s2", "source"), "refuse").code).toBe("session-busy");
  });

  test("goes on with everybody who comes back, in any order", () => {
    const series = restored();
    for (const [id, role] of [
      ["k1", "sink"],
      ["so", "source"],
      ["k2", "sink"],
    ] as const) {
      expect(effectOf(series.back(id, role), "welcome").rejoined).toBe(true);
      series.ready(id);
    }
    expect(series.state.running).toMatchObject({ epoch: 1 });
    expect(told(series.finish("so"), "k2")).toEqual(["ended"]);
  });
});

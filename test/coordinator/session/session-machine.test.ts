import { describe, expect, test } from "vitest";
import { versionRefusal } from "../../../src/coordinator/session/session-machine.ts";
import { isVacant } from "../../../src/coordinator/session/session-state.ts";
import { PROTOCOL_VERSION, SINKS_PER_SESSION_MAX } from "../../../src/protocol/limits.ts";
import { effectOf, identityOf, messageTo, provenOutcome, SeriesDriver, summaryOf, told } from "./series-driver.ts";

describe("a session that waits", () => {
  test("is opened by the first client of its name, with epoch 1", () => {
    const series = new SeriesDriver();
    const effects = series.join("k1", "sink");
    expect(effectOf(effects, "opened").session).toEqual({ id: "session00001", epoch: 1 });
    expect(effectOf(effects, "welcome")).toMatchObject({ session: { id: "session00001" }, underWay: false });
  });

  test("counts a sink only after its ready", () => {
    const series = new SeriesDriver();
    series.enter("so", "source");
    expect(told(series.join("k1", "sink"), "so")).toEqual([]);
    expect(series.state.running).toBeUndefined();
    series.ready("k1");
    expect(series.state.running?.sinks).toEqual([{ id: "k1", name: "k1" }]);
  });

  test("tells the source who is registered, at its arrival and at every change", () => {
    const series = new SeriesDriver();
    series.enter("k1", "sink", { label: "alpha" });
    expect(messageTo(series.join("so", "source", { needed: 3 }), "so", "sinks")).toEqual({
      type: "sinks",
      needed: 3,
      sinks: [{ id: "k1", name: "alpha" }],
    });
    series.ready("so");
    expect(messageTo(series.enter("k2", "sink"), "so", "sinks").sinks.map((sink) => sink.id)).toEqual(["k1", "k2"]);
    expect(messageTo(series.go("k1"), "so", "sinks").sinks.map((sink) => sink.id)).toEqual(["k2"]);
  });

  test("starts at once when enough sinks are registered, with all of them", () => {
    const series = new SeriesDriver();
    for (const id of ["k1", "k2", "k3"]) series.enter(id, "sink");
    const effects = series.enter("so", "source", { needed: 2 });
    for (const id of ["so", "k1", "k2", "k3"]) {
      const start = messageTo(effects, id, "start");
      expect(start.sinks.map((sink) => sink.id)).toEqual(["k1", "k2", "k3"]);
      expect(start).toMatchObject({ epoch: 1, source: { id: "so" }, sourceIdentity: "so".repeat(8) });
    }
  });

  test("does not start while its source is not ready", () => {
    const series = new SeriesDriver();
    series.join("so", "source");
    series.enter("k1", "sink");
    expect(series.state.running).toBeUndefined();
    expect(told(series.ready("so"), "k1")).toEqual(["start"]);
  });

  test("goes on without its source, whose leaving the sinks are told", () => {
    const series = new SeriesDriver();
    series.enter("k1", "sink");
    series.enter("so", "source", { needed: 2 });
    const effects = series.go("so", "wait-timeout", "the wait ended");
    expect(told(effects, "k1")).toEqual(["left"]);
    expect(messageTo(effects, "k1", "left")).toMatchObject({ role: "source", code: "wait-timeout" });
    series.enter("s2", "source", { needed: 1 });
    expect(series.state.running?.id).toBe("session00001");
  });

  test("is forgotten when its last member has left", () => {
    const series = new SeriesDriver();
    series.enter("k1", "sink");
    const effects = series.go("k1");
    expect(effectOf(effects, "forgotten").session.id).toBe("session00001");
    expect(isVacant(series.state)).toBe(true);
  });
});

describe("a session that runs", () => {
  function running(...stay: string[]): SeriesDriver {
    const series = new SeriesDriver();
    for (const id of ["k1", "k2"]) series.enter(id, "sink", { stay: stay.includes(id) });
    series.enter("so", "source", { needed: 2 });
    return series;
  }

  test("gives every member its ended, each sink with its own outcome", () => {
    const series = running();
    const effects = series.finish("so");
    expect(messageTo(effects, "k1", "ended")).toMatchObject({ mine: { sinkId: "k1", outcome: "proven" } });
    expect(messageTo(effects, "k2", "ended")).toMatchObject({
      mine: { sinkId: "k2" },
      summary: { result: "complete" },
    });
    expect(messageTo(effects, "so", "ended").mine).toBeUndefined();
    expect(isVacant(series.state)).toBe(true);
  });

  test("sends a sink its own problems, and not those of the others", () => {
    const series = running();
    const problems = [{ path: "a", kind: "unreadable", message: "no" }];
    const sinks = ["k1", "k2"].map((id) => ({ ...provenOutcome({ id, name: id }), problems }));
    const effects = series.feed({ type: "finished", memberId: "so", summary: summaryOf(sinks) });
    const ended = messageTo(effects, "k1", "ended");
    expect(ended.mine?.problems).toEqual(problems);
    expect(ended.summary?.sinks.map((sink) => sink.problems)).toEqual([[], []]);
    expect(messageTo(effects, "so", "ended").summary?.sinks).toEqual(sinks);
  });

  test("takes a late sink that the source did not count any more to the next session", () => {
    const series = running();
    expect(told(series.enter("k3", "sink"), "k3")).toEqual(["start"]);
    const sinks = ["k1", "k2"].map((id) => provenOutcome({ id, name: id }));
    const effects = series.feed({ type: "finished", memberId: "so", summary: summaryOf(sinks) });
    expect(told(effects, "k1")).toEqual(["ended"]);
    expect(told(effects, "k3")).toEqual(["welcome"]);
  });

  test("moves sinks that stay to the next session by a new welcome", () => {
    const series = running("k1");
    const effects = series.finish("so");
    expect(told(effects, "k1")).toEqual(["ended", "welcome"]);
    expect(told(effects, "k2")).toEqual(["ended"]);
    expect(effectOf(effects, "welcome")).toMatchObject({ session: { id: series.state.waiting?.id }, underWay: false });
    series.ready("k1");
    series.enter("s2", "source");
    expect(series.state.running?.sinks.map((sink) => sink.id)).toEqual(["k1"]);
  });

  test("lets a late sink in: it starts on its own, and the source is told", () => {
    const series = running();
    const effects = series.join("k3", "sink");
    expect(effectOf(effects, "welcome")).toMatchObject({ underWay: true, session: { id: "session00001", epoch: 1 } });
    const ready = series.ready("k3");
    const start = messageTo(ready, "k3", "start");
    expect(start).toMatchObject({ late: true, epoch: 1, source: { id: "so" }, sourceIdentity: identityOf("so") });
    expect(start.sinks.map((sink) => sink.id)).toEqual(["k1", "k2", "k3"]);
    expect(messageTo(ready, "so", "joined")).toMatchObject({ member: { id: "k3" }, restarted: true });
    expect(told(ready, "k1")).toEqual([]);
    expect(told(series.finish("so"), "k3")).toEqual(["ended"]);
  });

  test("lets a sink in late that was not ready at the start", () => {
    const series = new SeriesDriver();
    series.enter("k1", "sink");
    series.join("k2", "sink");
    expect(told(series.enter("so", "source"), "k2")).toEqual([]);
    expect(messageTo(series.ready("k2"), "k2", "start")).toMatchObject({ late: true });
  });

  test("welcomes a late sink to the next session when this one ends before it is ready", () => {
    const series = running();
    series.join("k3", "sink");
    expect(told(series.finish("so"), "k3")).toEqual([]);
    expect(effectOf(series.ready("k3"), "welcome")).toMatchObject({
      underWay: false,
      session: { id: series.state.waiting?.id },
    });
    series.ready("k3");
    series.enter("s2", "source");
    expect(series.state.running?.sinks.map((sink) => sink.id)).toEqual(["k3"]);
  });

  test("welcomes a sink that answers only after the end to the next session", () => {
    const series = new SeriesDriver();
    series.enter("k1", "sink");
    series.join("k2", "sink");
    series.enter("so", "source");
    series.finish("so");
    expect(effectOf(series.ready("k2"), "welcome")).toMatchObject({ underWay: false, session: { epoch: 1 } });
  });

  test("tells the source of a sink that leaves, and goes on", () => {
    const series = running();
    const effects = series.go("k1", "disk-full", "no space");
    expect(messageTo(effects, "so", "left")).toMatchObject({ role: "sink", member: { id: "k1" }, code: "disk-full" });
    expect(told(effects, "k2")).toEqual([]);
    expect(told(series.finish("so"), "k1")).toEqual([]);
  });

  test("tells everybody what kind of a run it is", () => {
    const series = new SeriesDriver();
    series.enter("k1", "sink");
    const effects = series.enter("so", "source", { dryRun: true });
    expect(messageTo(effects, "k1", "start")).toMatchObject({ dryRun: true, late: false });
  });

  test.each([
    ["waits for its sinks", 5],
    ["is copying", 1],
  ])("refuses a second source while the first %s, and names it", (doing, needed) => {
    const series = new SeriesDriver();
    series.enter("k1", "sink");
    series.enter("so", "source", { label: "beta", needed });
    const refusal = effectOf(series.join("s2", "source"), "refuse");
    expect(refusal.code).toBe("session-busy");
    expect(refusal.reason).toContain(`the source "beta" ${doing}`);
    expect(series.state.members.some((member) => member.id === "s2")).toBe(false);
  });

  test.each(["k1", "s2"])("calls a finished of anyone but its source a violation: %s", (memberId) => {
    const series = running();
    series.finish("so");
    series.enter("k1", "sink");
    series.enter("s2", "source", { needed: 9 });
    expect(effectOf(series.finish(memberId), "violation").memberId).toBe(memberId);
  });
});

describe("names and limits", () => {
  test("a name that was not asked for is made unique with the first free number", () => {
    const series = new SeriesDriver();
    for (const id of ["k1", "k2", "k3"]) series.enter(id, "sink", { label: "alpha" });
    expect(series.state.members.map((member) => member.name)).toEqual(["alpha", "alpha-2", "alpha-3"]);
    series.go("k2");
    series.enter("k4", "sink", { label: "alpha" });
    expect(series.state.members.at(-1)?.name).toBe("alpha-2");
  });

  test("a name that was asked for and is taken is refused", () => {
    const series = new SeriesDriver();
    series.enter("k1", "sink", { label: "alpha" });
    expect(effectOf(series.join("k2", "sink", { label: "alpha", labelAsked: true }), "refuse").code).toBe("name-taken");
    expect(series.join("k3", "sink", { label: "beta", labelAsked: true }).map((effect) => effect.type)).toEqual([
      "welcome",
    ]);
  });

  test("a session takes no more sinks than the limit", () => {
    const series = new SeriesDriver();
    for (let number = 0; number < SINKS_PER_SESSION_MAX; number += 1) series.join(`m${number}`, "sink");
    expect(effectOf(series.join("one-more", "sink"), "refuse").reason).toContain(`${SINKS_PER_SESSION_MAX} sinks`);
    expect(series.join("so", "source").some((effect) => effect.type === "welcome")).toBe(true);
  });

  test("versionRefusal() names both versions", () => {
    expect(versionRefusal(PROTOCOL_VERSION)).toBeUndefined();
    expect(versionRefusal(PROTOCOL_VERSION + 1)).toContain(`version ${PROTOCOL_VERSION + 1}`);
    expect(versionRefusal(PROTOCOL_VERSION + 1)).toContain(`version ${PROTOCOL_VERSION}`);
  });

  test("events of a member that is not there change nothing", () => {
    const series = new SeriesDriver();
    series.enter("k1", "sink");
    const before = series.state;
    for (const effects of [series.ready("nobody"), series.finish("nobody"), series.go("nobody"), series.ready("k1")]) {
      expect(effects).toEqual([]);
    }
    expect(series.state).toEqual(before);
  });
});

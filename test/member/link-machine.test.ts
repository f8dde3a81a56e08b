import { describe, expect, test } from "vitest";
import { FanfoldError } from "../../src/lib/errors.ts";
import { LinkMachine } from "../../src/member/link-machine.ts";
import type { VerifyReport } from "../../src/protocol/messages/verification.ts";
import { welcome } from "./hand-coordinator.ts";

const LEAVE = { type: "leave", code: "interrupted", reason: "Stopped by SIGINT" } as const;
const gone = new FanfoldError("coordinator-lost", "connection closed (1012)");

function machine(limits: { connectTimeoutMs?: number; lostTimeoutMs?: number } = {}): LinkMachine {
  const { connectTimeoutMs, lostTimeoutMs } = limits;
  return new LinkMachine({ where: "backup:7337", connectTimeoutMs, lostTimeoutMs: () => lostTimeoutMs }, 1_000);
}

function welcomed(link: LinkMachine): LinkMachine {
  link.dialling();
  link.connected();
  link.take(welcome());
  link.heard(link.connection);
  return link;
}

describe("LinkMachine", () => {
  test("gives an attempt what is left of the time, and half a second when none is", () => {
    const link = machine({ connectTimeoutMs: 10_000 });
    expect([link.answerWithinMs(1_000), link.answerWithinMs(10_900), link.answerWithinMs(99_000)]).toEqual([
      10_000, 500, 500,
    ]);
    expect(machine().answerWithinMs(99_000)).toBe(Number.POSITIVE_INFINITY);
    expect(link.retryWithinMs(gone, 4_000)).toBe(7_000);
    expect(() => link.retryWithinMs(gone, 11_000)).toThrow(gone);
  });

  test("counts the time of a lost coordinator from its loss, and names both when it is over", () => {
    const link = welcomed(machine({ connectTimeoutMs: 0, lostTimeoutMs: 60_000 }));
    const lost = { type: "control", status: "lost", reason: gone.message };
    expect(link.lost(gone, 50_000)).toEqual([{ type: "emit", event: lost }]);
    expect(link.retryWithinMs(gone, 80_000)).toBe(30_000);
    expect(() => link.retryWithinMs(gone, 110_000)).toThrow(/backup:7337 was lost and did not come back within 60 s/);
  });

  test("says nothing on a connection that was not welcomed, and a leave once it is", () => {
    const link = welcomed(machine());
    link.lost(gone, 2_000);
    expect(link.say({ type: "ready" })).toEqual([]);
    expect(link.say(LEAVE)).toEqual([]);
    link.connected();
    expect(link.say({ type: "ready" })).toEqual([]);
    expect(link.hasNewWelcome).toBe(false);
    const effects = link.take(welcome(true));
    expect(effects.map((effect) => (effect.type === "send" ? effect.message.type : effect.type))).toEqual([
      "emit",
      "ready",
      "leave",
      "told",
      "deliver",
    ]);
    expect(link.hasNewWelcome).toBe(true);
  });

  test("tells the limit of the session before in a new one, and then lets the order go, so that what changes counts", () => {
    const link = welcomed(machine());
    const ordered = { type: "limited", limit: { bytesPerSecond: 1_048_576, from: "order" } } as const;
    link.say(ordered);
    link.lost(gone, 2_000);
    link.connected();
    const effects = link.take(welcome(false));
    expect(effects.filter(({ type }) => type === "send" || type === "limit")).toEqual([
      { type: "send", message: ordered },
      { type: "limit", limit: "default" },
    ]);
  });

  test("hands on an order to read a copy again, and tells what came of it once over each connection", () => {
    const link = welcomed(machine());
    const order = { type: "verify", id: "a".repeat(12), trees: "newest" } as const;
    expect(link.take(order)).toEqual([order]);
    const report: VerifyReport = {
      ...{ by: "order", result: "equal", trees: 1, files: 1, bytes: 1, differing: 0, missing: 0, wanted: 0 },
      ...{ problems: [], startedAt: "2026-12-01T03:00:00.000Z", endedAt: "2026-12-01T03:00:06.000Z" },
    };
    const verified = { type: "verified", id: order.id, report } as const;
    const said = { type: "send", message: verified } as const;
    // Between two sessions, too: it answers no welcome.
    expect(link.say(verified)).toEqual([said]);
    expect(link.take(welcome(false))).not.toContainEqual(said);
    link.lost(gone, 2_000);
    expect(link.say({ ...verified, report: { ...verified.report, files: 2 } })).toEqual([]);
    link.connected();
    const again = link.take(welcome(false)).flatMap((effect) => (effect.type === "send" ? [effect.message] : []));
    expect(again).toMatchObject([{ type: "verified", report: { files: 2 } }]);
  });

  test("tells each reason of a hold once, and that it was held when the time is over", () => {
    const link = machine({ connectTimeoutMs: 5_000 });
    link.connected();
    const hold = { type: "hold", code: "broker-unreachable", reason: "the broker does not answer" } as const;
    expect(link.take(hold)).toMatchObject([{ type: "emit", event: { type: "held", reason: hold.reason } }]);
    expect(link.take(hold)).toEqual([]);
    expect(link.lapsed(6_000)).toMatchObject({ code: "broker-unreachable" });
    link.take(welcome());
    expect(link.lapsed(6_000)).toBeUndefined();
  });
});

import { describe, expect, test } from "vitest";
import { coordinatorView } from "../../../src/cli/view/coordinator-view.ts";
import { PLAIN_STYLE } from "../../../src/cli/view/text/style.ts";
import type { CoordinatorEvent } from "../../../src/protocol/messages/coordinator-events.ts";
import { sampleProgress, sampleSink } from "../terminal/sample-events.ts";
import { linesOf, sampleSession, stateAfter } from "./view-driver.ts";

const session = sampleSession();

describe("coordinatorView", () => {
  test("prints the address that clients use, and how to admit other machines", () => {
    const messages = coordinatorView.messages(
      { type: "listening", addresses: ["localhost:7337"], broker: "embedded", loopbackOnly: true, access: "open" },
      coordinatorView.initial,
      PLAIN_STYLE,
    );
    const text = messages.map((message) => message.text).join("\n");
    expect(text).toContain("--coordinator localhost:7337");
    expect(text).toContain("--host 0.0.0.0");
  });

  test("shows several sessions, each with its sinks, and drops those that ended", () => {
    const other: CoordinatorEvent = {
      ...session,
      view: { ...session.view, session: "music", sessionId: "s2", state: "waiting", sinks: [sampleSink("alpha")] },
    };
    const lines = linesOf(
      coordinatorView.screen(stateAfter(coordinatorView, [session, other]), { columns: 100, rows: 40 }, PLAIN_STYLE),
    );
    expect(lines[0]).toMatch(
      /^photos {2}running {2}source laptop, 3 of 3 sinks: a-sink-with-a-rather-long-name, alpha, beta/,
    );
    expect(lines.at(-1)).toBe("music  waiting  source laptop, 1 of 3 sinks: alpha");
    const named = { ...other, view: { ...other.view, directory: "songs" } };
    const state = stateAfter(coordinatorView, [named]);
    expect(linesOf(coordinatorView.screen(state, { columns: 100, rows: 40 }, PLAIN_STYLE)).at(-1)).toBe(
      "music  waiting  songs from laptop, 1 of 3 sinks: alpha",
    );
    const ended: CoordinatorEvent = { ...session, view: { ...session.view, state: "ended" } };
    expect(
      linesOf(
        coordinatorView.screen(
          stateAfter(coordinatorView, [session, other, ended]),
          { columns: 100, rows: 40 },
          PLAIN_STYLE,
        ),
      ),
    ).toHaveLength(1);
  });

  test("says that a source is away and that it is back, and keeps showing what was copied", () => {
    const paused: CoordinatorEvent = sampleSession({ state: "paused" });
    const text = (event: CoordinatorEvent, ...before: CoordinatorEvent[]) =>
      coordinatorView.messages(event, stateAfter(coordinatorView, before), PLAIN_STYLE).map((message) => message.text);
    expect(text(paused, session)).toEqual(["photos: waits for laptop to come back"]);
    expect(text(paused, session, paused)).toEqual([]);
    expect(text(session, paused)).toEqual(["photos: laptop is back, and the copy goes on"]);
    const lines = linesOf(
      coordinatorView.screen(stateAfter(coordinatorView, [session, paused]), { columns: 100, rows: 40 }, PLAIN_STYLE),
    );
    expect(lines[0]).toMatch(/^photos {2}paused {2}source laptop \(away\), 3 of 3 sinks/);
    expect(lines.filter((line) => line.includes("receiving"))).toEqual([]);
    expect(lines.filter((line) => / {2}paused$/.test(line))).toHaveLength(1);
    expect(lines.slice(1, 4).map((line) => line.trim())).toEqual([
      "waits for laptop to come back",
      expect.stringMatching(/ 25% {2}stands still$/),
      expect.not.stringMatching(/\/s| left/),
    ]);
  });

  test("begins anew with an epoch: what was done before is no part of it", () => {
    const later = { ...session.view, epoch: 2, progress: sampleProgress({ bytesDone: 0, filesDone: 0 }) };
    const lines = linesOf(
      coordinatorView.screen(
        stateAfter(coordinatorView, [session, { ...session, view: later }]),
        { columns: 100, rows: 40 },
        PLAIN_STYLE,
      ),
    );
    expect(lines.join("\n")).toContain("  0%");
  });

  test("is never higher than the terminal, with many sessions and sinks", () => {
    const many = Array.from(
      { length: 10 },
      (_, index): CoordinatorEvent => ({
        ...session,
        view: { ...session.view, session: `s-${index}`, sessionId: `s${index}` },
      }),
    );
    for (const rows of [2, 5, 10, 24, 50]) {
      expect(
        linesOf(coordinatorView.screen(stateAfter(coordinatorView, many), { columns: 80, rows }, PLAIN_STYLE)).length,
      ).toBeLessThan(rows);
    }
  });

  test.each([[], [session]])(
    "breaks the reason of a broker's trouble between words, and cuts nothing off: %#",
    (...before) => {
      const reason = "nothing listens there; check that a NATS server runs there and that no firewall blocks it";
      const event: CoordinatorEvent = {
        type: "broker",
        status: "unreachable",
        broker: "nats://localhost:4222",
        reason,
      };
      const state = stateAfter(coordinatorView, [...before, event]);
      const lines = linesOf(coordinatorView.screen(state, { columns: 77, rows: 24 }, PLAIN_STYLE)).flatMap((line) =>
        line.split("\n"),
      );
      expect(lines.every((line) => line.length <= 77)).toBe(true);
      expect(lines.join(" ").replaceAll(/ +/g, " ")).toContain(`nats://localhost:4222: ${reason}; still trying`);
    },
  );

  test("says that the broker cannot be reached, why, and that it goes on trying", () => {
    const event: CoordinatorEvent = {
      type: "broker",
      status: "unreachable",
      broker: "nats://localhost:4222",
      reason: "connection refused",
    };
    expect(coordinatorView.messages(event, coordinatorView.initial, PLAIN_STYLE)).toEqual([
      {
        level: "warning",
        text: "fanfold: warning: cannot reach the broker at nats://localhost:4222: connection refused; still trying",
      },
    ]);
  });
});

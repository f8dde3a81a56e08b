import { describe, expect, test } from "vitest";
import { sourceView } from "../../../src/cli/view/source-view.ts";
import { summaryMessages } from "../../../src/cli/view/summary-lines.ts";
import { PLAIN_STYLE } from "../../../src/cli/view/text/style.ts";
import type { SessionSummary } from "../../../src/protocol/messages/progress.ts";
import { sampleOutcome, sampleProgress, sampleSink, sampleSummary } from "../terminal/sample-events.ts";
import { linesOf, stateAfter } from "./view-driver.ts";

const MIB = 2 ** 20;

function summaryText(own: Partial<SessionSummary>): string {
  return summaryMessages(sampleSummary(own), PLAIN_STYLE)
    .map(({ text }) => text)
    .join("\n");
}

describe("sourceView with sinks that do not keep up", () => {
  const sinks = [
    sampleSink("alpha", { state: "lagging" }),
    sampleSink("beta", { state: "detached" }),
    sampleSink("gamma", { state: "away", leftMs: 572_000 }),
  ];
  const state = stateAfter(sourceView, [{ type: "progress", progress: sampleProgress(), sinks }]);

  test("shows the state of each, and how long one that is away is still waited for", () => {
    const lines = linesOf(sourceView.screen(state, { columns: 120, rows: 24 }, PLAIN_STYLE)).join("\n");
    expect(lines).toMatch(/alpha .*lagging/);
    expect(lines).toMatch(/beta .*detached/);
    expect(lines).toMatch(/gamma .*away, waited for 9:32 more/);
  });

  test("shows it in plain lines, too", () => {
    expect(sourceView.progressLines(state).get("copy")).toMatch(
      /\(gamma \S+ MiB away, alpha .* lagging, beta .* detached\)/,
    );
  });

  test("says when a sink goes away, in words for standard error, and when it is caught up on its own", () => {
    const said = (sinkState: "away" | "detached" | "lagging") =>
      sourceView.messages(
        { type: "sinkstate", name: "gamma", state: sinkState, message: "why" },
        sourceView.initial,
        PLAIN_STYLE,
      );
    expect(said("away")).toEqual([{ level: "warning", text: "fanfold: sink gamma: away: why" }]);
    expect(said("detached")).toMatchObject([{ level: "info", text: "sink gamma: detached: why" }]);
    expect(said("lagging")).toMatchObject([{ level: "detail" }]);
  });
});

describe("summaryMessages()", () => {
  test("says what was sent, sent again and not needed, and what grew", () => {
    const text = summaryText({ bytesSent: 3 * MIB, bytesSentAgain: 2 * MIB, bytesNotNeeded: MIB, filesGrew: 2 });
    expect(text).toContain(
      "3.0 MiB (128.0 KiB/s); 2.0 MiB sent again; 1.0 MiB not needed: every sink had it; 2 files grew while being read",
    );
    expect(summaryText({ bytesSent: 3 * MIB })).toMatch(/sent +3\.0 MiB \(76\.8 KiB\/s\)$/m);
  });

  test("tells what caught sinks up from what was lost and sent again", () => {
    expect(summaryText({ bytesSent: 4 * MIB, bytesCaughtUp: 4 * MIB })).toMatch(
      /sent +4\.0 MiB \(204\.8 KiB\/s\); 4\.0 MiB more to catch sinks up$/m,
    );
  });

  test("says a rate of what was sent only, and none of a session that ended in its first moments", () => {
    const unchanged = summaryText({ bytes: 700 * MIB, bytesSent: 4000, bytesNotNeeded: 700 * MIB, elapsedMs: 4_000 });
    expect(unchanged.match(/[\d.]+ \S+\/s/g)).toEqual(["1000 B/s"]);
    expect(summaryText({ result: "failed", bytesSent: 0, elapsedMs: 9 })).not.toContain("/s)");
    expect(summaryText({ result: "failed", bytesSent: 5 * MIB, elapsedMs: 9 })).not.toContain("/s)");
  });

  test("says that there was nothing to do", () => {
    expect(summaryText({ result: "unchanged", bytesSent: 0 })).toMatch(
      /^nothing to do: 20,000 files, 4\.0 GiB at 2 sinks already/m,
    );
  });

  test("says which sinks did not sync their copies, as they were told", () => {
    const sinks = [sampleOutcome("alpha"), sampleOutcome("beta", { unsynced: true })];
    const text = summaryText({ sinks });
    expect(text).toMatch(/alpha +proven$/m);
    expect(text).toMatch(/beta +proven, not synced to its disk$/m);
  });

  test("has a line for each sink: proven, caught up late, failed and why", () => {
    const text = summaryText({
      result: "quorum",
      sinks: [
        sampleOutcome("alpha"),
        sampleOutcome("beta", { caughtUp: true, message: "its copy shows a later state of the directory" }),
        sampleOutcome("gamma", { outcome: "failed", message: "It went away" }),
      ],
    });
    expect(text).toMatch(/^enough sinks: .* to 2 of 3 sinks/m);
    expect(text).toMatch(/alpha +proven$/m);
    expect(text).toMatch(/beta +proven, caught up late: its copy shows a later state of the directory$/m);
    expect(text).toMatch(/gamma +failed: It went away$/m);
  });
});

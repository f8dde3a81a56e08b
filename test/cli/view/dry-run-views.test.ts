import { describe, expect, test } from "vitest";
import { statusOfOutcome, statusOfSummary } from "../../../src/cli/process/exit-status.ts";
import { coordinatorView } from "../../../src/cli/view/coordinator-view.ts";
import { sinkView } from "../../../src/cli/view/sink-view.ts";
import { sourceView } from "../../../src/cli/view/source-view.ts";
import { outcomeMessages, summaryMessages } from "../../../src/cli/view/summary-lines.ts";
import { PLAIN_STYLE } from "../../../src/cli/view/text/style.ts";
import { sampleOutcome, sampleSummary } from "../terminal/sample-events.ts";

const MIB = 2 ** 20;
const ALPHA = sampleOutcome("alpha", { outcome: "dry-run", filesWanted: 0, bytesWanted: 0 });
const BETA = sampleOutcome("beta", { outcome: "dry-run", filesWanted: 3, bytesWanted: 2 * MIB });
const LOST = sampleOutcome("gamma", { outcome: "failed", code: "sinks-lost", message: "it left" });
const WANTED = { filesWanted: 3, bytesWanted: 2 * MIB, elapsedMs: 1_500 };

const textOf = (messages: readonly { readonly text: string }[]): string => messages.map(({ text }) => text).join("\n");

describe("how a dry run looks", () => {
  test("at the source: what would be sent once, and to each sink", () => {
    const summary = sampleSummary({ ...WANTED, result: "dry-run", sinks: [ALPHA, BETA] });
    const text = textOf(summaryMessages(summary, PLAIN_STYLE));
    expect(text).toContain("dry run: 3 files, 2.0 MiB would be sent once for 2 sinks; nothing was changed (1.5 s)");
    expect(text).toMatch(/sinks +alpha {2}nothing\n +beta {3}3 files, 2\.0 MiB/);
    expect(text).not.toMatch(/^ +sent/m);
    expect(statusOfSummary(summary, { errorOnNoTransfer: true })).toBe(0);
  });

  test("at a source of which a sink has failed", () => {
    const summary = sampleSummary({ ...WANTED, result: "failed", sinks: [BETA, LOST] });
    const text = textOf(summaryMessages(summary, PLAIN_STYLE));
    expect(text).toContain("dry run failed: 3 files, 2.0 MiB would be sent once for 1 sink");
    expect(text).toContain("gamma  failed: it left");
    expect(statusOfSummary(summary)).toBe(4);
  });

  test("at the coordinator", () => {
    const summary = sampleSummary({ ...WANTED, result: "dry-run", sinks: [BETA] });
    const event = { type: "finished", session: "photos", sessionId: "abcdefghijkl", summary } as const;
    const [message] = coordinatorView.messages(event, coordinatorView.initial, PLAIN_STYLE);
    expect(message?.text).toBe("photos: dry-run, 3 files, 2.0 MiB would be sent; beta dry-run");
  });

  test("file by file with --verbose, and as each sink has answered", () => {
    const messages = (event: Parameters<typeof sourceView.messages>[0]) =>
      sourceView.messages(event, sourceView.initial, PLAIN_STYLE);
    const file = { type: "wanted", path: "a/b", bytes: MIB, sinks: 2 } as const;
    expect(messages(file)).toMatchObject([{ level: "detail", text: "would be sent: a/b (1.0 MiB, to 2 sinks)" }]);
    const sink = { type: "sink", name: "beta", outcome: BETA } as const;
    expect(textOf(messages(sink))).toBe("sink beta: 3 files, 2.0 MiB would be sent to it");
  });

  test("at a sink: that it is one, and what would be received", () => {
    const started = { type: "started", source: "laptop", sinks: ["beta"], dryRun: true } as const;
    const [message] = sinkView.messages(started, sinkView.initial, PLAIN_STYLE);
    expect(message?.text).toContain("laptop asks what it would have to send (dry run)");
    expect(textOf(outcomeMessages(BETA, 100, PLAIN_STYLE))).toBe(
      "dry run: 3 files, 2.0 MiB would be received; nothing was changed",
    );
    expect(textOf(outcomeMessages(ALPHA, 100, PLAIN_STYLE))).toContain("nothing would be received");
    expect(statusOfOutcome(BETA)).toBe(0);
  });
});

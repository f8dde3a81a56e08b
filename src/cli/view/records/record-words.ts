import type { SessionEntry } from "../../../protocol/api/answer-schemas.ts";
import type { SessionView } from "../../../protocol/messages/session-view.ts";
import { fractionDone } from "../../../words/copy-done.ts";
import { formatPercent } from "../../../words/format.ts";
import { resultWord } from "../../../words/result-word.ts";

/** `2026-01-02 03:04` in UTC, as everything is told. */
export function minuteOf(time: string): string {
  return time.slice(0, "2026-01-02T03:04".length).replace("T", " ");
}

/** How a session ended, or what it does now, in a few words. `view` is that of one that waits or runs. */
export function stateWords(entry: SessionEntry, view: SessionView | undefined, runs: boolean): string {
  if (entry.state === "ended") return resultWord(entry.result ?? "ended");
  if (!runs) return entry.state === "running" ? "stands still" : "forgotten";
  if (view === undefined) return entry.state;
  if (view.state !== "running") return view.state === "paused" ? "waits for its source" : waitingWords(view);
  const { progress } = view;
  if (progress === undefined || !progress.discoveryEnded) return "running";
  return `running,${formatPercent(fractionDone(progress))}`;
}

function waitingWords({ source, needed = 0, sinks }: SessionView): string {
  if (source === undefined) return "waits for a source";
  return `waits, ${sinks.length} of ${needed} sinks`;
}

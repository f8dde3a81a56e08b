import type { SessionEntry } from "../../protocol/api/answer-schemas.ts";
import type { SessionView } from "../../protocol/messages/session-view.ts";
import type { SinkLine } from "../../protocol/messages/sink-line.ts";
import { resultWord } from "../../words/result-word.ts";
import { isSinkPaused } from "../../words/sink-progress.ts";

/** How something is to be taken at first sight. No colour says it alone: the words stand beside it. */
export type Tone = "calm" | "busy" | "good" | "careful" | "bad";

interface Words {
  readonly tone: Tone;
  readonly text: string;
}

const SESSION_WORDS: Readonly<Record<SessionView["state"], Words>> = {
  waiting: { tone: "calm", text: "waiting" },
  running: { tone: "busy", text: "copying" },
  paused: { tone: "careful", text: "paused" },
  ended: { tone: "calm", text: "ended" },
};

const DRY_RUN_WORDS: Words = { tone: "busy", text: "comparing" };

/** What a session does. A dry run copies nothing. */
export function sessionWords(view: SessionView): Words {
  return view.state === "running" && isDryRun(view) ? DRY_RUN_WORDS : SESSION_WORDS[view.state];
}

/** Its sinks only say what they would want. */
export function isDryRun({ sinks }: SessionView): boolean {
  return sinks.some(({ state }) => state === "comparing" || state === "dry-run");
}

export const SINK_WORDS: Readonly<Record<SinkLine["state"], Words>> = {
  registered: { tone: "calm", text: "ready" },
  receiving: { tone: "busy", text: "receiving" },
  comparing: { tone: "busy", text: "comparing" },
  verifying: { tone: "busy", text: "proving" },
  lagging: { tone: "careful", text: "lagging" },
  detached: { tone: "careful", text: "catching up" },
  away: { tone: "bad", text: "away" },
  proven: { tone: "good", text: "proven" },
  complete: { tone: "good", text: "complete" },
  incomplete: { tone: "careful", text: "incomplete" },
  "dry-run": { tone: "good", text: "compared" },
  failed: { tone: "bad", text: "failed" },
};

const PAUSED_WORDS: Words = { tone: "careful", text: "paused" };

/** What a sink does in a session. */
export function sinkWords(sink: SinkLine, session: SessionView["state"]): Words {
  return isSinkPaused(sink, session) ? PAUSED_WORDS : SINK_WORDS[sink.state];
}

const RESULT_TONES: ReadonlyMap<string, Tone> = new Map<string, Tone>([
  ["complete", "good"],
  ["unchanged", "good"],
  ["quorum", "careful"],
  ["sinks-missing", "careful"],
  ["incomplete", "careful"],
  ["failed", "bad"],
  ["cancelled", "careful"],
  ["interrupted", "bad"],
]);

export function resultWords({ result = "interrupted" }: Pick<SessionEntry, "result">): Words {
  return { tone: RESULT_TONES.get(result) ?? "calm", text: resultWord(result) };
}

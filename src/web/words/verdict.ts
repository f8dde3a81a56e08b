import type { SessionView } from "../../protocol/messages/session-view.ts";
import type { SinkLine } from "../../protocol/messages/sink-line.ts";
import { formatBytes, formatClock, plural } from "../../words/format.ts";
import { heldBackText } from "../../words/held-back.ts";
import { sortedNames } from "../../words/sink-order.ts";
import { isSinkDone } from "../../words/sink-progress.ts";
import type { Tone } from "./state-words.ts";

interface Verdict {
  readonly tone: Tone;
  readonly text: string;
}

/** Less than this, and less than this part of the whole, is on its way and not behind. */
const BEHIND_BYTES_MIN = 8 * 1024 * 1024;
const BEHIND_PART_MIN = 0.02;
const NAMES_MAX = 3;

/** Who is slow, in one sentence. Of several troubles the one that a person has to look at first. */
export function verdictOf(view: SessionView): Verdict {
  const { sinks } = view;
  if (view.state === "waiting") return waitingVerdict(view);
  if (view.state === "paused")
    return { tone: "careful", text: `The sinks wait for ${view.source ?? "the source"} to come back.` };
  const inState = (state: SinkLine["state"]): SinkLine[] => sinks.filter((sink) => sink.state === state);
  const failed = inState("failed");
  if (failed.length > 0) return { tone: "bad", text: `${namesText(failed)} failed.` };
  const away = inState("away");
  if (away.length > 0) return { tone: "bad", text: `${namesText(away)} ${isOrAre(away)} away.${awayText(away)}` };
  const lagging = inState("lagging");
  if (lagging.length > 0) {
    const isNamed = lagging.some(({ name }) => name === view.progress?.heldBack?.sink);
    const text = `${namesText(lagging)} ${isOrAre(lagging)} slow, and the others wait.`;
    return { tone: "careful", text: (isNamed ? heldBackSentence(view) : undefined) ?? text };
  }
  const detached = inState("detached");
  if (detached.length > 0) return detachedVerdict(view, detached);
  return evenVerdict(view);
}

interface Furthest {
  readonly name: string;
  readonly bytes: number;
}

/** Who is furthest: what the source counts as done stands back behind its fastest sink. No sink has more than there is. */
function furthestOf({ source = "the source", progress, sinks }: SessionView): Furthest {
  const { bytesDone = 0, bytesFound = 0 } = progress ?? {};
  let furthest = { name: source, bytes: bytesDone };
  for (const { name, progress: own } of sinks) {
    const bytes = Math.min(own.bytesDone, bytesFound);
    if (bytes > furthest.bytes) furthest = { name, bytes };
  }
  return furthest;
}

/** How far the copy is at whoever is furthest. */
export function furthestBytes(view: SessionView): number {
  return furthestOf(view).bytes;
}

function behindBytes(view: SessionView, sink: SinkLine): number {
  return furthestBytes(view) - sink.progress.bytesDone;
}

/** Whether this much is worth a word. */
function isBehind({ progress }: SessionView, bytes: number): boolean {
  return bytes >= Math.max(BEHIND_BYTES_MIN, (progress?.bytesFound ?? 0) * BEHIND_PART_MIN);
}

function waitingVerdict({ source, needed, missing, sinks }: SessionView): Verdict {
  if (source === undefined) return { tone: "calm", text: `${plural(sinks.length, "sink")} ready. No source yet.` };
  if (missing !== undefined)
    return { tone: "careful", text: `${source} waits for ${sortedNames(missing).join(", ")}.` };
  const left = Math.max(0, (needed ?? 0) - sinks.length);
  if (left === 0) return { tone: "calm", text: `${source} begins.` };
  return { tone: "calm", text: `${source} waits for ${plural(left, "more sink", "more sinks")}.` };
}

function detachedVerdict(view: SessionView, detached: readonly SinkLine[]): Verdict {
  const most = Math.max(...detached.map((sink) => behindBytes(view, sink)));
  const behind = most > 0 ? `, ${formatBytes(most)} behind ${furthestOf(view).name}` : "";
  const how = detached.length === 1 ? "is caught up on its own" : "are caught up on their own";
  return { tone: "careful", text: `${namesText(detached)} ${how}${behind}. The others do not wait.` };
}

function evenVerdict(view: SessionView): Verdict {
  const { sinks } = view;
  const done = sinks.filter(isSinkDone);
  const [slowest] = sinks
    .filter((sink) => !isSinkDone(sink))
    .sort((one, other) => one.progress.bytesDone - other.progress.bytesDone);
  if (slowest === undefined)
    return done.length === 0 ? { tone: "careful", text: "No sink takes part." } : doneVerdict(done, sinks.length);
  const heldBack = heldBackSentence(view);
  if (heldBack !== undefined) return { tone: "calm", text: heldBack };
  const behind = behindBytes(view, slowest);
  if (sinks.length > 1 && isBehind(view, behind)) {
    const text = `${slowest.name} is the slowest: ${formatBytes(behind)} behind ${furthestOf(view).name}.`;
    return { tone: "calm", text };
  }
  if (done.length > 0) return doneVerdict(done, sinks.length);
  if (sinks.length === 1) return { tone: "good", text: `${slowest.name} keeps up.` };
  return { tone: "good", text: sinks.length === 2 ? "Both sinks keep up." : `All ${sinks.length} sinks keep up.` };
}

/** Proven is only what was: a complete copy has content that was taken as unchanged, and an incomplete one lacks some. */
function doneVerdict(done: readonly SinkLine[], count: number): Verdict {
  const of = `${done.length} of ${plural(count, "sink")}`;
  const isAll = (state: SinkLine["state"]): boolean => done.every((sink) => sink.state === state);
  if (isAll("proven")) return { tone: "good", text: `${of} ${done.length === 1 ? "has" : "have"} a proven copy.` };
  if (isAll("dry-run")) return { tone: "good", text: `${of} ${done.length === 1 ? "has" : "have"} compared.` };
  const incomplete = done.filter(({ state }) => state === "incomplete").length;
  const text = `${of} ${done.length === 1 ? "is" : "are"} done`;
  if (incomplete === 0) return { tone: "good", text: `${text}.` };
  return { tone: "careful", text: `${text}, ${incomplete} of them incomplete.` };
}

function awayText(away: readonly SinkLine[]): string {
  const leftMs = Math.max(...away.map((sink) => sink.leftMs ?? 0));
  return leftMs > 0 ? ` The others wait ${formatClock(leftMs)} more at most.` : "";
}

function namesText(sinks: readonly SinkLine[]): string {
  const names = sortedNames(sinks.map(({ name }) => name));
  if (names.length <= NAMES_MAX) return names.join(", ");
  return `${names.slice(0, NAMES_MAX).join(", ")} and ${names.length - NAMES_MAX} more`;
}

/** What the source says that the copy waits for. */
function heldBackSentence({ progress }: SessionView): string | undefined {
  if (progress?.heldBack === undefined) return undefined;
  const text = heldBackText(progress.heldBack);
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function isOrAre({ length }: readonly SinkLine[]): string {
  return length === 1 ? "is" : "are";
}

import { sentBytes } from "../../protocol/api/trail.ts";
import type { AppliedLimit } from "../../protocol/bandwidth/applied-limit.ts";
import type { SourceEvent } from "../../protocol/messages/events.ts";
import type { SinkOutcome } from "../../protocol/messages/progress.ts";
import type { SinkLine } from "../../protocol/messages/sink-line.ts";
import { type CopyState, nextCopy } from "../../words/copy-state.ts";
import { formatBytes, plural } from "../../words/format.ts";
import { sealedText } from "../../words/sealed-text.ts";
import { mostTelling, sortedNames } from "../../words/sink-order.ts";
import { copyLines, copyProgressLine } from "./copy-lines.ts";
import { wantedText } from "./dry-run-lines.ts";
import { limitMessage } from "./limit-message.ts";
import { LINK_INITIAL, type LinkViewState, linkMessages, linkThere, nextLink, standstill } from "./link-messages.ts";
import { sinkLines, tableRowsMax } from "./sink-lines.ts";
import { summaryMessages } from "./summary-lines.ts";
import { fitEnd, fitNames } from "./text/fit.ts";
import type { Style } from "./text/style.ts";
import { fitLines } from "./text/wrap.ts";
import { detail, info, type Message, plainOnly, type Screen, type ScreenSize, type View } from "./view.ts";

type Scheduled = Extract<SourceEvent, { type: "scheduled" }>;
type Waiting = Extract<SourceEvent, { type: "waiting" }>;

interface SourceState {
  readonly link: LinkViewState;
  readonly needed: Waiting | undefined;
  readonly copy: CopyState | undefined;
  readonly sinks: readonly SinkLine[];
  readonly ended: boolean;
  readonly limit: AppliedLimit | undefined;
  /** The next run, which is waited for. */
  readonly next: Scheduled | undefined;
}

const INITIAL: SourceState = {
  link: LINK_INITIAL,
  needed: undefined,
  copy: undefined,
  sinks: [],
  ended: false,
  limit: undefined,
  next: undefined,
};

/** How a source looks. */
export const sourceView: View<SourceEvent, SourceState> = {
  initial: INITIAL,
  next(before, event, nowMs) {
    const state = { ...before, link: nextLink(before.link, event) };
    switch (event.type) {
      case "waiting":
        return { ...state, link: linkThere(before.link), needed: event };
      case "started":
        return { ...state, needed: undefined };
      case "progress":
        return {
          ...state,
          needed: undefined,
          copy: nextCopy(state.copy, { ...event, moved: sentBytes, limit: state.limit, nowMs }),
          sinks: event.sinks,
        };
      case "limit":
        return { ...state, limit: event.limit };
      case "scheduled":
        return { ...INITIAL, limit: state.limit, next: event };
      case "connecting":
        return { ...state, next: undefined };
      case "finished":
      case "stopping":
        return { ...state, ended: true };
      default:
        return state;
    }
  },
  messages: sourceMessages,
  screen: sourceScreen,
  status({ link, needed, copy, sinks, ended, next }) {
    if (next !== undefined) return nextText(next);
    if (ended) return "finishing";
    if (copy !== undefined) return copyText(copy, sinks, link);
    return link.trying ?? (needed === undefined ? "starting" : waitingText(needed, Number.POSITIVE_INFINITY));
  },
  progressLines({ copy, sinks, link, ended }) {
    return copy === undefined || ended ? new Map() : new Map([["copy", copyText(copy, sinks, link)]]);
  },
};

function copyText(copy: CopyState, sinks: readonly SinkLine[], link: LinkViewState): string {
  return copyProgressLine(copy, standstill(link)) + (sinks.length > 1 ? ` (${sinksText(sinks)})` : "");
}

/** Sinks that one plain line names. */
const SINKS_NAMED_MAX = 10;

/** `gamma 3.0 MiB away, alpha 1.2 GiB, beta 1.3 GiB`; of many those in trouble and the slowest, `+12 more` */
function sinksText(sinks: readonly SinkLine[]): string {
  const named = mostTelling(sinks, SINKS_NAMED_MAX).map(sinkText);
  return [...named, ...(sinks.length > named.length ? [`+${sinks.length - named.length} more`] : [])].join(", ");
}

/** `alpha 1.2 GiB`, `beta 3.0 MiB away` */
function sinkText({ name, state, progress }: SinkLine): string {
  const aside = state === "lagging" || state === "detached" || state === "away" ? ` ${state}` : "";
  return `${name} ${formatBytes(progress.bytesDone)}${aside}`;
}

function sourceMessages(event: SourceEvent, state: SourceState, style: Style): readonly Message[] {
  switch (event.type) {
    case "waiting":
      return [plainOnly(waitingText(event, Number.POSITIVE_INFINITY))];
    case "elsewhere":
      return [info(`no sink is in session "${event.session}"; sinks wait in: ${event.sessions.join(", ")}`)];
    case "started":
      return [
        info(
          `started with ${event.sinks.length === 1 ? "sink" : `${event.sinks.length} sinks:`} ${sortedNames(event.sinks).join(", ")}${event.missing === undefined ? "" : `; missing: ${event.missing.join(", ")}`}${event.sealed === true ? `; ${sealedText(event)}` : ""}`,
        ),
      ];
    case "scheduled":
      return [plainOnly(nextText(event))];
    case "limit":
      return [limitMessage(event)];
    case "progress":
      return [];
    case "file":
      return [
        detail(
          `sent: ${event.path} (${formatBytes(event.bytes)}${event.grew === true ? ", it grew during the copy" : ""})`,
        ),
      ];
    case "wanted":
      return [detail(`would be sent: ${event.path} (${formatBytes(event.bytes)}, to ${plural(event.sinks, "sink")})`)];
    case "problem":
      return [detail(`${event.problem.kind}: ${event.problem.path}: ${event.problem.message}`)];
    case "sinkstate":
      return [stateMessage(event)];
    case "sink":
      return event.outcome.outcome === "failed"
        ? [
            {
              level: "warning",
              text: `fanfold: sink ${event.name} failed: ${event.outcome.message ?? event.outcome.code ?? "no reason given"}`,
            },
          ]
        : [plainOnly(`sink ${event.name}: ${settledText(event.outcome)}`)];
    case "stopping": {
      const within = `within ${event.graceMs / 1000} s`;
      const text = `fanfold: stopped: the sinks wait, and the same command goes on; Ctrl-C again ${within} ends the session for the sinks, too`;
      return [{ level: "warning", text }];
    }
    case "cancelled":
      return [info(`the session "${event.session}" has ended for the source and all sinks`)];
    case "finished":
      return summaryMessages(event.summary, style);
    default:
      return linkMessages(event, state.link) ?? [];
  }
}

function settledText(outcome: SinkOutcome): string {
  return outcome.outcome === "dry-run" ? `${wantedText(outcome)} would be sent to it` : outcome.outcome;
}

/** Only `--verbose` shows that a sink lags. Everyone is told that a sink is detached or away. */
function stateMessage({ name, state, message }: Extract<SourceEvent, { type: "sinkstate" }>): Message {
  const text = `sink ${name}: ${state}: ${message}`;
  if (state === "away") return { level: "warning", text: `fanfold: ${text}` };
  return state === "detached" ? info(text) : detail(text);
}

function sourceScreen(state: SourceState, size: ScreenSize, style: Style): Screen {
  const { columns, rows } = size;
  if (state.next !== undefined) return { kind: "waiting", text: fitEnd(nextText(state.next), columns) };
  if (state.ended) return { kind: "none" };
  if (state.copy !== undefined) {
    const why = standstill(state.link);
    const lines = copyLines(state.copy, columns, style, why);
    // Without the coordinator the copy goes on, as far as its data does.
    const trying = state.link.trying === undefined || why !== undefined ? [] : [fitEnd(state.link.trying, columns)];
    const left = Math.min(rows - lines.length - trying.length - 1, tableRowsMax(rows));
    const table = { columns, rows: left, progress: state.copy.progress, noNews: why !== undefined };
    lines.push(...sinkLines(state.sinks, table, style));
    return { kind: "lines", lines: [...lines, ...trying] };
  }
  if (state.link.trying !== undefined) return { kind: "waiting", text: fitLines(state.link.trying, size) };
  if (state.needed === undefined) return { kind: "none" };
  return { kind: "waiting", text: waitingText(state.needed, columns) };
}

/** `next run at 2026-11-30 02:30:12 UTC, after 2 runs that failed` */
function nextText({ at, failures }: Scheduled): string {
  const after = failures === 0 ? "" : `, after ${plural(failures, "run")} that failed`;
  return `next run at ${at.slice(0, 19).replace("T", " ")} UTC${after}`;
}

/** `waiting for sinks: 1 of 3 (alpha)`; of those that are expected by name `waiting for sinks: beta, gamma; there: alpha` */
function waitingText({ needed, sinks, missing }: Waiting, columns: number): string {
  if (missing !== undefined) {
    const there = sinks.length === 0 ? "" : `; there: ${sortedNames(sinks).join(", ")}`;
    return fitEnd(`waiting for sinks: ${missing.join(", ")}${there}`, columns);
  }
  const count = `waiting for sinks: ${sinks.length} of ${needed}`;
  const text =
    sinks.length === 0 ? count : `${count} (${fitNames(sortedNames(sinks), Math.max(1, columns - count.length - 3))})`;
  return fitEnd(text, columns);
}

import type { SinkLine, SourceEvent } from "../../protocol/messages/events.ts";
import type { SinkOutcome } from "../../protocol/messages/progress.ts";
import { type CopyState, copyLines, copyProgressLine, nextCopy, sentBytes } from "./copy-lines.ts";
import { wantedText } from "./dry-run-lines.ts";
import { fitEnd, fitNames } from "./fit.ts";
import { formatBytes, plural } from "./format.ts";
import { LINK_INITIAL, type LinkViewState, linkMessages, linkThere, nextLink, standstill } from "./link-messages.ts";
import { sinkLines } from "./sink-lines.ts";
import { inOrder, sortedNames } from "./sink-order.ts";
import type { Style } from "./style.ts";
import { summaryMessages } from "./summary-lines.ts";
import { detail, info, type Message, plainOnly, type Screen, type ScreenSize, type View } from "./view.ts";
import { fitLines } from "./wrap.ts";

type Waiting = Extract<SourceEvent, { type: "waiting" }>;

interface SourceState {
  readonly link: LinkViewState;
  readonly needed: Waiting | undefined;
  readonly copy: CopyState | undefined;
  readonly sinks: readonly SinkLine[];
  readonly ended: boolean;
}

const INITIAL: SourceState = {
  link: LINK_INITIAL,
  needed: undefined,
  copy: undefined,
  sinks: [],
  ended: false,
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
          copy: nextCopy(state.copy, { progress: event.progress, moved: sentBytes, sinks: event.sinks, nowMs }),
          sinks: event.sinks,
        };
      case "finished":
      case "stopping":
        return { ...state, ended: true };
      default:
        return state;
    }
  },
  messages: sourceMessages,
  screen: sourceScreen,
  progressLines(state) {
    if (state.copy === undefined || state.ended) return new Map();
    const sinks = inOrder(state.sinks, (sink) => sink.state)
      .map(sinkText)
      .join(", ");
    return new Map([
      ["copy", copyProgressLine(state.copy, standstill(state.link)) + (state.sinks.length > 1 ? ` (${sinks})` : "")],
    ]);
  },
};

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
          `started with ${event.sinks.length === 1 ? "sink" : `${event.sinks.length} sinks:`} ${sortedNames(event.sinks).join(", ")}${event.missing === undefined ? "" : `; missing: ${event.missing.join(", ")}`}`,
        ),
      ];
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
  if (state.ended) return { kind: "none" };
  if (state.copy !== undefined) {
    const why = standstill(state.link);
    const lines = copyLines(state.copy, columns, style, why);
    // Without the coordinator the copy goes on, as far as its data does.
    const trying = state.link.trying === undefined || why !== undefined ? [] : [fitEnd(state.link.trying, columns)];
    const left = rows - lines.length - trying.length - 1;
    lines.push(
      ...sinkLines(
        state.sinks,
        { columns, rows: left, progress: state.copy.progress, noNews: why !== undefined },
        style,
      ),
    );
    return { kind: "lines", lines: [...lines, ...trying] };
  }
  if (state.link.trying !== undefined) return { kind: "waiting", text: fitLines(state.link.trying, size) };
  if (state.needed === undefined) return { kind: "none" };
  return { kind: "waiting", text: waitingText(state.needed, columns) };
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

import type { SinkEvent } from "../../protocol/events.ts";
import { type CopyState, copyLines, copyProgressLine, nextCopy } from "./copy-lines.ts";
import { fitEnd } from "./fit.ts";
import { formatBytes } from "./format.ts";
import { connectingText, linkMessages, nextAttemptsSaid } from "./link-messages.ts";
import type { Style } from "./style.ts";
import { outcomeMessages } from "./summary-lines.ts";
import { detail, info, type Message, plainOnly, type View } from "./view.ts";

export interface SinkState {
  /** What is being waited for; undefined while a copy runs. */
  readonly waiting: string | undefined;
  /** The last attempt to connect that plain lines have told of. */
  readonly attempts: number;
  readonly copy: CopyState | undefined;
  readonly verifying: boolean;
}

const WAITING = "waiting for a source";
const UNDER_WAY = "this session is under way without this sink: waiting for the next one";

/** How a sink looks. */
export const sinkView: View<SinkEvent, SinkState> = {
  initial: { waiting: undefined, attempts: 1, copy: undefined, verifying: false },
  next(state, event, nowMs) {
    switch (event.type) {
      case "connecting":
        return {
          ...state,
          waiting: connectingText(event),
          copy: undefined,
          attempts: nextAttemptsSaid(event.attempt, state.attempts),
        };
      case "waiting":
        return { ...state, waiting: event.underWay ? UNDER_WAY : WAITING, copy: undefined, verifying: false };
      case "started":
        return { ...state, waiting: undefined, copy: undefined, verifying: false };
      case "progress":
        return {
          ...state,
          waiting: undefined,
          copy: nextCopy(state.copy, event.progress, nowMs),
          verifying: event.state === "verifying",
        };
      case "finished":
        return { ...state, waiting: undefined, copy: undefined, verifying: false };
      default:
        return state;
    }
  },
  messages: sinkMessages,
  screen(state, { columns }, style) {
    if (state.waiting !== undefined) return { kind: "waiting", text: fitEnd(state.waiting, columns) };
    if (state.copy === undefined) return { kind: "none" };
    const lines = copyLines(state.copy, columns, style);
    return {
      kind: "lines",
      lines: state.verifying ? [fitEnd("verifying and writing to disk", columns), ...lines.slice(1)] : lines,
    };
  },
  progressLines(state) {
    if (state.copy === undefined) return new Map();
    return new Map([["copy", (state.verifying ? "verifying: " : "") + copyProgressLine(state.copy)]]);
  },
};

function sinkMessages(event: SinkEvent, state: SinkState, style: Style): readonly Message[] {
  switch (event.type) {
    case "waiting":
      return [event.underWay ? info(UNDER_WAY) : plainOnly(WAITING)];
    case "started":
      return [
        info(`receiving from ${event.source}${event.sinks.length > 1 ? `, one of ${event.sinks.length} sinks` : ""}`),
      ];
    case "progress":
      return [];
    case "file":
      return [detail(`${event.path} (${formatBytes(event.bytes)})`)];
    case "problem":
      return [detail(`${event.problem.kind}: ${event.problem.path}: ${event.problem.message}`)];
    case "left":
      return [info(`${event.name} left: ${event.reason}`)];
    case "finished": {
      const { outcome } = event;
      const why =
        outcome.outcome === "failed"
          ? [
              {
                level: "warning",
                text: `fanfold: ${outcome.message ?? `failed (${outcome.code ?? "no reason given"})`}`,
              } as const,
            ]
          : [];
      return [...outcomeMessages(outcome, event.elapsedMs, style), ...why];
    }
    default:
      return linkMessages(event, state.attempts) ?? [];
  }
}

import { sentBytes } from "../../protocol/api/trail.ts";
import type { CoordinatorEvent } from "../../protocol/messages/coordinator-events.ts";
import type { SessionView } from "../../protocol/messages/session-view.ts";
import { type CopyState, nextCopy } from "../../words/copy-state.ts";
import { formatBytes, formatElapsed, plural } from "../../words/format.ts";
import { sealedText } from "../../words/sealed-text.ts";
import { inOrder, sortedNames } from "../../words/sink-order.ts";
import { copyLines, copyProgressLine } from "./copy-lines.ts";
import { wantedText } from "./dry-run-lines.ts";
import { transportMessage } from "./link-messages.ts";
import { noticeMessages } from "./notice-lines.ts";
import { sinkLines, tableRowsMax } from "./sink-lines.ts";
import { rateOf } from "./summary-lines.ts";
import { fitEnd, fitNames, stringWidth } from "./text/fit.ts";
import type { Style } from "./text/style.ts";
import { fitLines } from "./text/wrap.ts";
import { reportMessages } from "./verify/report-lines.ts";
import { info, type Message, plainOnly, type Screen, type ScreenSize, type View, warning } from "./view.ts";

interface SessionOnScreen {
  readonly view: SessionView;
  readonly copy: CopyState | undefined;
}

interface CoordinatorState {
  /** By session id, in the order of their first appearance; ended ones are dropped. */
  readonly sessions: ReadonlyMap<string, SessionOnScreen>;
  readonly listening: boolean;
  readonly broker: string | undefined;
  /** Everybody may come in, and a person said so. */
  readonly isInsecure: boolean;
}

/** How a coordinator looks. */
export const coordinatorView: View<CoordinatorEvent, CoordinatorState> = {
  initial: { sessions: new Map(), listening: false, broker: undefined, isInsecure: false },
  next(state, event, nowMs) {
    switch (event.type) {
      case "listening":
        return { ...state, listening: true, isInsecure: event.access === "insecure-open" };
      case "broker":
        return { ...state, broker: event.status === "connected" ? undefined : brokerText(event) };
      case "session":
        return { ...state, sessions: nextSessions(state.sessions, event.view, nowMs) };
      case "finished": {
        const sessions = new Map(state.sessions);
        sessions.delete(event.sessionId);
        return { ...state, sessions };
      }
      default:
        return state;
    }
  },
  messages: coordinatorMessages,
  screen: coordinatorScreen,
  status(state) {
    const { listening, broker, isInsecure } = state;
    const sessions = [...state.sessions.values()].map(sessionText);
    const named = sessions.slice(0, SESSIONS_NAMED_MAX);
    if (sessions.length > named.length) named.push(`+${sessions.length - named.length} more`);
    if (sessions.length === 0) named.push(listening ? WAITING : "starting");
    return [...(broker === undefined ? [] : [broker]), ...named, ...(isInsecure ? [INSECURE] : [])].join("; ");
  },
  progressLines(state) {
    const lines = new Map<string, string>();
    for (const [id, { view, copy }] of state.sessions) {
      if (isCopying(view) && copy !== undefined)
        lines.set(id, `${view.session}: ${copyProgressLine(copy, pausedText(view))}`);
    }
    return lines;
  },
};

/** Sessions that one line names. */
const SESSIONS_NAMED_MAX = 8;

/** `photos: running, 45%, …`; `music: waiting, 1 of 3 sinks` */
function sessionText({ view, copy }: SessionOnScreen): string {
  const { session, state, sinks, needed } = view;
  if (isCopying(view) && copy !== undefined) return `${session}: ${state}, ${copyProgressLine(copy, pausedText(view))}`;
  const count = needed === undefined ? plural(sinks.length, "sink") : `${sinks.length} of ${plural(needed, "sink")}`;
  return `${session}: ${state}, ${count}`;
}

function nextSessions(
  before: ReadonlyMap<string, SessionOnScreen>,
  view: SessionView,
  nowMs: number,
): ReadonlyMap<string, SessionOnScreen> {
  const sessions = new Map(before);
  if (view.state === "ended") {
    sessions.delete(view.sessionId);
  } else {
    const shown = before.get(view.sessionId);
    // A source that took its session over begins from 0. What was done before is found to be there.
    const copy = shown?.view.epoch === view.epoch ? shown.copy : undefined;
    sessions.set(view.sessionId, {
      view,
      copy:
        view.progress === undefined
          ? copy
          : nextCopy(copy, { progress: view.progress, moved: sentBytes, sinks: view.sinks, limit: view.limit, nowMs }),
    });
  }
  return sessions;
}

function coordinatorMessages(event: CoordinatorEvent, state: CoordinatorState, style: Style): readonly Message[] {
  switch (event.type) {
    case "listening":
      return listeningMessages(event, style);
    case "broker":
      if (event.status === "connected") return [info(`connected to the broker at ${event.broker}`)];
      return event.status === "connecting" ? [plainOnly(brokerText(event))] : [warning(brokerText(event))];
    case "transport":
      return [transportMessage(event)];
    case "reloaded":
      return [info("the files of TLS were read again; new connections use them")];
    case "warning":
      return [warning(event.output === undefined ? event.message : `${event.message}; it said: ${event.output}`)];
    case "registered":
      return [info(`${event.session}: ${event.role} ${style.strong(event.name)} registered from ${event.address}`)];
    case "left":
      return [info(`${event.session}: ${event.role} ${style.strong(event.name)} left: ${event.reason}`)];
    case "session":
      return sessionMessages(event.view, state);
    case "finished":
      return finishedMessages(event, style);
    case "ended":
      return [];
    case "verified":
      return verifiedMessages(event, style);
    case "missed":
    case "recovered":
    case "told":
      return noticeMessages(event, style);
    default:
      return event satisfies never;
  }
}

function verifiedMessages(
  { session, name, report }: Extract<CoordinatorEvent, { type: "verified" }>,
  style: Style,
): readonly Message[] {
  const who = `${session}: sink ${style.strong(name)}: `;
  return reportMessages(report, { who, did: "read its copy again: ", style });
}

function listeningMessages(event: Extract<CoordinatorEvent, { type: "listening" }>, style: Style): Message[] {
  const [first = "", ...others] = event.addresses;
  const messages = [
    info(
      `listening: clients use ${style.strong(`--coordinator ${first}`)}${others.length > 0 ? ` (or ${others.join(", ")})` : ""}`,
    ),
  ];
  messages.push(
    info(
      event.broker === "embedded"
        ? "the data goes through this coordinator (embedded relay)"
        : `the data goes through the broker at ${event.broker}`,
    ),
  );
  if (event.loopbackOnly && event.access === "open")
    messages.push(info(style.quiet("only this machine can reach it; to admit others, start it with --host 0.0.0.0")));
  if (event.access === "guarded") messages.push(info("over TLS, and only for who has a token"));
  return messages;
}

/** Why nothing moves, while the source of a copy is away. */
function pausedText({ state, source = "its source" }: SessionView): string | undefined {
  return state === "paused" ? `waits for ${source} to come back` : undefined;
}

/** Only changes of the state are worth a line; the rest is on the screen. */
function sessionMessages(view: SessionView, state: CoordinatorState): Message[] {
  const before = state.sessions.get(view.sessionId)?.view;
  const source = view.source ?? "its source";
  if (before?.state === view.state || !isCopying(view)) return [];
  const paused = pausedText(view);
  if (paused !== undefined) return [info(`${view.session}: ${paused}`)];
  if (before?.state === "paused" && before.epoch === view.epoch)
    return [info(`${view.session}: ${source} is back, and the copy goes on`)];
  return [
    plainOnly(
      `${view.session}: started, ${sourceText(view)} to ${sortedNames(view.sinks.map((sink) => sink.name)).join(", ")}${view.sealed === true ? `; ${sealedText(view)}` : ""}`,
    ),
  ];
}

function finishedMessages(
  { session, summary }: Extract<CoordinatorEvent, { type: "finished" }>,
  style: Style,
): Message[] {
  const colour = summary.result === "complete" ? style.good : summary.result === "failed" ? style.bad : style.careful;
  const bytes = summary.bytesSent + summary.bytesSentAgain + summary.bytesCaughtUp;
  const sent = `${formatBytes(bytes)} sent${rateOf(bytes, summary.elapsedMs)}`;
  const ordered = inOrder(summary.sinks, ({ outcome }) => outcome);
  const sinks = ordered.map((sink) => `${sink.name} ${sink.outcome}`).join(", ");
  const amount =
    summary.filesWanted === undefined
      ? `${plural(summary.files, "file")}, ${formatBytes(summary.bytes)} in ${formatElapsed(summary.elapsedMs)}, ${sent}`
      : `${wantedText(summary)} would be sent`;
  const { missing = [] } = summary;
  const failed = ordered.filter((sink) => sink.outcome === "failed");
  return [
    info(
      `${session}: ${colour(summary.result)}, ${amount}; ${sinks}${missing.map((name) => `, ${name} missing`).join("")}`,
    ),
    ...failed.map((sink) =>
      warning(`${session}: sink ${sink.name} failed: ${sink.message ?? sink.code ?? "no reason given"}`),
    ),
  ];
}

const WAITING = "waiting for a source and sinks";
const INSECURE = "open to everybody who reaches the port (--insecure-open)";
/** Lines that trouble with the broker may take above the sessions. */
const BROKER_ROWS_MAX = 4;

function coordinatorScreen(state: CoordinatorState, size: ScreenSize, style: Style): Screen {
  const sessions = [...state.sessions.values()];
  if (sessions.length === 0) {
    const waiting = `${WAITING}${state.isInsecure ? `; ${INSECURE}` : ""}`;
    const text = state.broker ?? (state.listening ? waiting : undefined);
    return text === undefined ? { kind: "none" } : { kind: "waiting", text: fitLines(text, size) };
  }
  const rows = Math.min(size.rows / 2, BROKER_ROWS_MAX + 1);
  const trouble = [state.broker, state.isInsecure ? INSECURE : undefined].filter((text) => text !== undefined);
  const lines = trouble
    .flatMap((text) => fitLines(text, { ...size, rows }).split("\n"))
    .map((line) => style.careful(line));
  sessions.forEach((session, index) => {
    // What is left of the screen is shared evenly by the sessions still to be drawn.
    const rows = Math.floor((size.rows - 1 - lines.length) / (sessions.length - index));
    lines.push(...sessionLines(session, { columns: size.columns, rows }, style));
  });
  return { kind: "lines", lines };
}

/** It has begun, and has not ended. */
function isCopying({ state }: SessionView): boolean {
  return state === "running" || state === "paused";
}

function sessionLines({ view, copy }: SessionOnScreen, { columns, rows }: ScreenSize, style: Style): string[] {
  if (rows < 1) return [];
  const lines = [sessionLine(view, columns, style)];
  const indent = columns >= 40 ? "  " : "";
  const inner = columns - indent.length;
  if (isCopying(view) && copy !== undefined && rows >= 4)
    lines.push(...copyLines(copy, inner, style, pausedText(view)).map((line) => indent + line));
  const table = {
    columns: inner,
    rows: Math.min(rows - lines.length, tableRowsMax(rows)),
    session: view.state,
    ...(isCopying(view) && copy !== undefined ? { progress: copy.progress } : {}),
  };
  if (isCopying(view)) lines.push(...sinkLines(view.sinks, table, style).map((line) => indent + line));
  return lines;
}

/** `photos from laptop` */
function sourceText({ source, directory }: SessionView): string {
  if (source === undefined) return "no source yet";
  return directory === undefined ? `source ${source}` : `${directory} from ${source}`;
}

/** `default  running  photos from laptop, 3 sinks: alpha, beta, gamma` */
function sessionLine(view: SessionView, columns: number, style: Style): string {
  const names = inOrder(view.sinks, ({ state }) => state).map((sink) => sink.name);
  const count =
    view.needed === undefined ? plural(names.length, "sink") : `${names.length} of ${plural(view.needed, "sink")}`;
  const from = `${sourceText(view)}${view.state === "paused" ? " (away)" : ""}`;
  const missing = view.missing === undefined ? "" : `, missing ${view.missing.join(", ")}`;
  const head = `${view.session}  ${view.state}  ${from}, ${count}${missing}`;
  const room = columns - stringWidth(head) - 2;
  const text = names.length > 0 && room >= 6 ? `${head}: ${fitNames(names, room)}` : fitEnd(head, columns);
  return text.startsWith(view.session) ? style.strong(view.session) + text.slice(view.session.length) : text;
}

function brokerText(event: Extract<CoordinatorEvent, { type: "broker" }>): string {
  const why = event.reason === undefined ? "" : `: ${event.reason}`;
  if (event.status === "connecting") return `connecting to the broker at ${event.broker}${why}`;
  if (event.status === "unreachable") return `cannot reach the broker at ${event.broker}${why}; still trying`;
  return `lost the broker at ${event.broker}${why}; reconnecting`;
}

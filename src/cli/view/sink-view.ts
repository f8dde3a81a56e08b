import type { AppliedLimit } from "../../protocol/bandwidth/applied-limit.ts";
import type { SinkEvent } from "../../protocol/messages/events.ts";
import { type CopyState, nextCopy, receivedBytes } from "../../words/copy-state.ts";
import { formatBytes } from "../../words/format.ts";
import { sealedText } from "../../words/sealed-text.ts";
import { copyLines, copyProgressLine } from "./copy-lines.ts";
import { limitMessage } from "./limit-message.ts";
import { LINK_INITIAL, type LinkViewState, linkMessages, linkThere, nextLink, standstill } from "./link-messages.ts";
import { outcomeMessages } from "./summary-lines.ts";
import { fitEnd } from "./text/fit.ts";
import type { Style } from "./text/style.ts";
import { fitLines } from "./text/wrap.ts";
import { reportMessages } from "./verify/report-lines.ts";
import { detail, info, type Message, plainOnly, type View } from "./view.ts";

interface SinkState {
  readonly link: LinkViewState;
  /** What is being waited for; undefined while a copy runs. */
  readonly waiting: string | undefined;
  /** The source left in the middle of a copy. */
  readonly away: string | undefined;
  readonly copy: CopyState | undefined;
  readonly verifying: boolean;
  readonly limit: AppliedLimit | undefined;
}

const WAITING = "waiting for a source";
const UNDER_WAY = "the session has already started: this sink joins late and will be caught up";

/** How a sink looks. */
export const sinkView: View<SinkEvent, SinkState> = {
  initial: {
    ...{ link: LINK_INITIAL, waiting: undefined, away: undefined, copy: undefined, verifying: false },
    limit: undefined,
  },
  next(before, event, nowMs) {
    const state = { ...before, link: nextLink(before.link, event) };
    const nothing = { waiting: undefined, away: undefined, copy: undefined, verifying: false };
    switch (event.type) {
      case "waiting":
        return { ...state, ...nothing, link: linkThere(before.link), waiting: event.underWay ? UNDER_WAY : WAITING };
      case "started":
      case "lane":
      case "finished":
        return { ...state, ...nothing };
      case "limit":
        return { ...state, limit: event.limit };
      case "left":
        return { ...state, away: awayText(event.reason) };
      case "returned":
        return { ...state, away: undefined };
      case "progress":
        return {
          ...state,
          waiting: undefined,
          copy: nextCopy(state.copy, { progress: event.progress, moved: receivedBytes, limit: state.limit, nowMs }),
          verifying: event.state === "verifying",
        };
      default:
        return state;
    }
  },
  messages: sinkMessages,
  screen({ link, waiting, away, copy, verifying }, size, style) {
    const { columns } = size;
    // A copy goes on without the coordinator, as far as its data does. Without its source it does not.
    const text = copy === undefined || away !== undefined ? (link.trying ?? away ?? waiting) : undefined;
    if (text !== undefined) return { kind: "waiting", text: fitLines(text, size) };
    if (copy === undefined) return { kind: "none" };
    const why = standstill(link);
    const lines = copyLines(copy, columns, style, why);
    if (verifying && why === undefined) lines[0] = fitEnd("verifying and writing to disk", columns);
    if (link.trying !== undefined && why === undefined) lines.push(fitEnd(link.trying, columns));
    return { kind: "lines", lines };
  },
  status(state) {
    const { link, waiting, away, copy } = state;
    if (copy === undefined || away !== undefined) return link.trying ?? away ?? waiting ?? "starting";
    return copyText(state, copy);
  },
  progressLines(state) {
    const { copy, away } = state;
    if (copy === undefined || away !== undefined) return new Map();
    return new Map([["copy", copyText(state, copy)]]);
  },
};

function copyText({ link, verifying }: SinkState, copy: CopyState): string {
  return (verifying ? "verifying: " : "") + copyProgressLine(copy, standstill(link));
}

function prunedText({ name, why }: Extract<SinkEvent, { type: "pruned" }>): string {
  return `removing the snapshot ${name}: ${why === "rules" ? "no rule keeps it" : "too little space is free"}`;
}

function snapshotText({ name, made, filesCopied }: Extract<SinkEvent, { type: "snapshot" }>): string {
  if (!made) return `nothing has changed: snapshot ${name} is proven again`;
  const copied = filesCopied === 0 ? "" : `; ${filesCopied} files were copied, because they can have no further name`;
  return `snapshot ${name} is made${copied}`;
}

function checkingText({ by, trees }: Extract<SinkEvent, { type: "checking" }>): string {
  const why = by === "order" ? "the coordinator asks for it" : "it is time for it";
  return `reading ${trees === "all" ? "all snapshots" : "the copy"} again: ${why}`;
}

function decidedText({ name, becomes }: Extract<SinkEvent, { type: "decided" }>): string {
  if (becomes === "switched") return `switched to snapshot ${name}, together with the others`;
  const fate = becomes === "dropped" ? "is dropped" : "stays, and is not the newest that counts";
  return `snapshot ${name} ${fate}: too few sinks have a whole copy`;
}

function awayText(reason: string): string {
  return `the source left (${reason}): waiting for it to come back`;
}

function sinkMessages(event: SinkEvent, state: SinkState, style: Style): readonly Message[] {
  switch (event.type) {
    case "waiting":
      return [event.underWay ? info(UNDER_WAY) : plainOnly(WAITING)];
    case "elsewhere":
      return [info(`no source is in session "${event.session}"; sources wait in: ${event.sessions.join(", ")}`)];
    case "started":
      if (event.dryRun === true) return [info(`${event.source} asks what it would have to send (dry run)`)];
      return [
        info(
          `receiving from ${event.source}${event.sinks.length > 1 ? `, one of ${event.sinks.length} sinks` : ""}${event.sealed === true ? `; ${sealedText(event)}` : ""}`,
        ),
      ];
    case "limit":
      return [limitMessage(event)];
    case "progress":
      return [];
    case "file":
      return [detail(`${event.path} (${formatBytes(event.bytes)})`)];
    case "deleted":
      return [detail(`deleted: ${event.path}`)];
    case "problem":
      return [detail(`${event.problem.kind}: ${event.problem.path}: ${event.problem.message}`)];
    case "left":
      return [info(awayText(event.reason))];
    case "returned":
      return [info(`${event.name} is back: the copy goes on`)];
    case "lane":
      return [info("the source now sends to this sink separately; data stored here is not sent again")];
    case "checking":
      return [info(checkingText(event))];
    case "verified":
      return reportMessages(event.report, { who: "", did: "read again: ", style });
    case "pruned":
      return [info(prunedText(event))];
    case "decided":
      return [info(decidedText(event))];
    case "snapshot":
      return [info(snapshotText(event))];
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
      return linkMessages(event, state.link) ?? [];
  }
}

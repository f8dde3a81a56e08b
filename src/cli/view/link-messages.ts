import type { LinkEvent } from "../../protocol/messages/events.ts";
import { detail, info, type Message, plainOnly, warning } from "./view.ts";

/** What a view remembers of the link to the coordinator. */
export interface LinkViewState {
  /** The last attempt to connect that plain lines have told of. */
  readonly attempts: number;
  /** Whether the coordinator was there, and is lost. */
  readonly lost: boolean;
  /** What is being tried; undefined while the coordinator is there. */
  readonly trying: string | undefined;
  /** The data goes through the coordinator, too: while that does not answer, nothing moves. */
  readonly carriesData: boolean;
}

export const LINK_INITIAL: LinkViewState = { attempts: 1, lost: false, trying: undefined, carriesData: false };

/** The coordinator is there. */
export function linkThere({ carriesData }: LinkViewState): LinkViewState {
  return { ...LINK_INITIAL, carriesData };
}

/** Why no copy goes on; undefined while one can. */
export function standstill({ trying, carriesData }: LinkViewState): string | undefined {
  return carriesData ? trying : undefined;
}

const SILENT = "the coordinator does not answer";

export function nextLink(state: LinkViewState, event: { readonly type: string } | LinkEvent): LinkViewState {
  if (!isLinkEvent(event)) return state;
  switch (event.type) {
    case "connecting": {
      const attempts = isWorthSaying(event.attempt, state.attempts) ? event.attempt : state.attempts;
      return { ...state, attempts, trying: connectingText(event, state.lost) };
    }
    case "held":
      return { ...state, trying: heldText(event) };
    case "control":
      if (event.status === "silent") return { ...state, trying: SILENT };
      return { ...linkThere(state), lost: event.status === "lost" };
    case "joined":
      return { ...LINK_INITIAL, carriesData: event.transport === "embedded" };
    default:
      return state;
  }
}

/** What is said while the coordinator does not answer. */
function connectingText(event: Extract<LinkEvent, { type: "connecting" }>, lost: boolean): string {
  const { address, attempt, reason } = event;
  const why = reason === undefined ? "" : `: ${shortReason(reason, address)}`;
  if (lost) return `reconnecting to the coordinator (attempt ${attempt}${why})`;
  if (attempt <= 1) return `connecting to the coordinator at ${address}`;
  return `waiting for the coordinator at ${address} (attempt ${attempt}${why})`;
}

/** What is said while the coordinator is there, and waits for something itself. */
function heldText({ address, reason }: Extract<LinkEvent, { type: "held" }>): string {
  return `waiting at the coordinator at ${address}: ${reason}`;
}

/** The line says already what was tried and where; what to try is for the end. */
function shortReason(reason: string, address: string): string {
  const [, after = reason] = reason.split(`${address}: `);
  return after.split("; ")[0] ?? after;
}

/** Messages of the events that source and sink share; undefined for any other event. */
export function linkMessages(
  event: { readonly type: string } | LinkEvent,
  state: LinkViewState,
): readonly Message[] | undefined {
  if (!isLinkEvent(event)) return undefined;
  switch (event.type) {
    case "connecting":
      // The first attempt is not worth a line. Later ones are said at growing distances: 2, 4, 8, 16, …
      return isWorthSaying(event.attempt, state.attempts) ? [plainOnly(connectingText(event, state.lost))] : [];
    case "held":
      return [plainOnly(heldText(event))];
    case "control":
      if (event.status === "silent") return [warning(SILENT)];
      if (event.status === "answers") return [info("the coordinator answers again")];
      return [controlMessage(event.status, event.reason)];
    case "joined": {
      const where = event.broker === undefined ? "" : ` at ${event.broker}`;
      return [info(`joined session ${event.session} as ${event.name} (${event.transport}${where})`)];
    }
    case "transport":
      return [transportMessage(event)];
    case "warning":
      return [warning(event.message)];
    default:
      return event satisfies never;
  }
}

/** What happens to the link to the broker; trouble is a warning, everyday life a detail. */
export function transportMessage({
  status,
  detail: more,
}: {
  readonly status: string;
  readonly detail?: string;
}): Message {
  const why = more === undefined ? "" : `: ${more}`;
  switch (status) {
    case "disconnected":
      return warning(`lost the data connection${why}; reconnecting`);
    case "reconnected":
      return info(`the data connection is back${more === undefined ? "" : ` (${more})`}`);
    case "blocked":
      return warning(`the broker takes no more data for now${why}`);
    case "unblocked":
      return info("the broker takes data again");
    case "lost":
      // Because they came faster than they could be taken, or while a connection was broken: that cannot be told apart.
      return warning(`some messages did not arrive${why}`);
    case "slow-consumer":
      return warning("the broker cut this connection because it was too slow; reconnecting");
    default:
      return detail(`transport: ${status}${why}`);
  }
}

function controlMessage(status: "lost" | "back", reason = "its connection broke"): Message {
  if (status === "back") return info("the coordinator is there again");
  const [, why = reason] = /^cannot listen to the coordinator at \S+: (.*)$/s.exec(reason) ?? [];
  return warning(`lost the coordinator: ${why}; reconnecting`);
}

function isWorthSaying(attempt: number, attemptsSaid: number): boolean {
  return attempt >= 2 * attemptsSaid;
}

function isLinkEvent(event: { readonly type: string }): event is LinkEvent {
  return (
    event.type === "connecting" ||
    event.type === "held" ||
    event.type === "joined" ||
    event.type === "transport" ||
    event.type === "control" ||
    event.type === "warning"
  );
}

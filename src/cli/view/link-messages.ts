import type { LinkEvent } from "../../protocol/events.ts";
import { detail, info, type Message, plainOnly, warning } from "./view.ts";

/** What the waiting line says while the coordinator does not answer. */
export function connectingText(event: Extract<LinkEvent, { type: "connecting" }>): string {
  const { address, attempt, reason } = event;
  if (attempt <= 1) return `connecting to the coordinator at ${address}`;
  return `waiting for the coordinator at ${address} (attempt ${attempt}${reason === undefined ? "" : `: ${shortReason(reason, address)}`})`;
}

/** The line says already what was tried and where; what to try is for the end. */
function shortReason(reason: string, address: string): string {
  const [, after = reason] = reason.split(`${address}: `);
  return after.split("; ")[0] ?? after;
}

/** Messages of the events that source and sink share; undefined for any other event. */
export function linkMessages(
  event: { readonly type: string } | LinkEvent,
  attemptsSaid: number,
): readonly Message[] | undefined {
  if (!isLinkEvent(event)) return undefined;
  switch (event.type) {
    case "connecting":
      // The first attempt is not worth a line; later ones are said at growing distances: 2, 4, 8, 16, …
      return isWorthSaying(event.attempt, attemptsSaid) ? [plainOnly(connectingText(event))] : [];
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
      return warning(`lost the connection that the data goes through${why}; reconnecting`);
    case "reconnected":
      return info("the connection that the data goes through is back");
    case "blocked":
      return warning(`the broker holds back what is published${why}`);
    case "unblocked":
      return info("the broker takes what is published again");
    case "lost":
      return warning(`the data came faster than it could be taken, and some was dropped${why}`);
    case "slow-consumer":
      return warning("the broker cut this connection because it was too slow; reconnecting");
    default:
      return detail(`transport: ${status}${why}`);
  }
}

/** The last attempt that was said, once this one is over. */
export function nextAttemptsSaid(attempt: number, attemptsSaid: number): number {
  return isWorthSaying(attempt, attemptsSaid) ? attempt : attemptsSaid;
}

function isWorthSaying(attempt: number, attemptsSaid: number): boolean {
  return attempt >= 2 * attemptsSaid;
}

function isLinkEvent(event: { readonly type: string }): event is LinkEvent {
  return (
    event.type === "connecting" || event.type === "joined" || event.type === "transport" || event.type === "warning"
  );
}

import { FanfoldError, isErrorCode } from "../lib/errors.ts";
import type { CoordinatorMessage, TransportOffer } from "../protocol/messages/control.ts";
import type { LinkEvent } from "../protocol/messages/events.ts";
import { redactUrl } from "../transport/broker-url.ts";
import type { TransportTarget } from "../transport/connect.ts";
import type { CoordinatorAddress } from "./address.ts";
import type { HoldMessage } from "./inbox.ts";

/** The error a `refused` message means here. */
export function refusedError(message: Extract<CoordinatorMessage, { type: "refused" }>): FanfoldError {
  return new FanfoldError(isErrorCode(message.code) ? message.code : "refused", message.reason);
}

/** The error of who was not let in within the time that there was, and was told why or not. */
export function heldError(
  hold: HoldMessage | undefined,
  { where, waitedMs }: { readonly where: string; readonly waitedMs: number },
): FanfoldError {
  const what = `cannot join a session at the coordinator at ${where}: it did not let this member in within ${Math.round(waitedMs / 1000)} s`;
  if (hold === undefined) return new FanfoldError("coordinator-unreachable", `${what}, and does not say why`);
  return new FanfoldError(isErrorCode(hold.code) ? hold.code : "coordinator-unreachable", `${what}: ${hold.reason}`);
}

/** Where the transport that the coordinator offers is to be reached from here, as long as the session lasts. */
export interface LiveTarget {
  readonly target: TransportTarget;
  /** Takes the ticket of a later welcome: a link that breaks comes back with it [P-2.3]. */
  renew(offer: TransportOffer): void;
}

export function liveTarget(offer: TransportOffer, address: CoordinatorAddress): LiveTarget {
  if (offer.kind !== "embedded") return { target: offer, renew: () => undefined };
  let { ticket } = offer;
  return {
    target: {
      ...address,
      kind: offer.kind,
      get ticket() {
        return ticket;
      },
    },
    renew: (later) => {
      if (later.kind === "embedded") ticket = later.ticket;
    },
  };
}

/** The event that tells people what they joined. */
export function joinedEvent(welcome: Extract<CoordinatorMessage, { type: "welcome" }>): LinkEvent {
  const { session, sessionId, member, transport } = welcome;
  const broker = transport.kind === "embedded" ? {} : { broker: redactUrl(transport.url) };
  return { type: "joined", session, sessionId, name: member.name, transport: transport.kind, ...broker };
}

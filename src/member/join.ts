import { FanfoldError, isErrorCode } from "../lib/errors.ts";
import type { CoordinatorMessage, TransportOffer } from "../protocol/control.ts";
import type { LinkEvent } from "../protocol/events.ts";
import { redactUrl } from "../transport/broker-url.ts";
import type { TransportTarget } from "../transport/connect.ts";
import type { CoordinatorAddress } from "./address.ts";

/** The error a `refused` message means here. */
export function refusedError(message: Extract<CoordinatorMessage, { type: "refused" }>): FanfoldError {
  return new FanfoldError(isErrorCode(message.code) ? message.code : "refused", message.reason);
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

import { FanfoldError, isErrorCode } from "../lib/errors.ts";
import type { ClientCertificate } from "../lib/tls/client-certificate.ts";
import { pemCertificate } from "../protocol/messages/certificates.ts";
import type { CoordinatorMessage } from "../protocol/messages/control.ts";
import type { LinkEvent } from "../protocol/messages/events.ts";
import type { TransportOffer } from "../protocol/messages/transport-offer.ts";
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
  /** Others on the way may read what passes, where TLS could be: only what is sealed may. */
  readonly isExposed: boolean;
  /** Takes the ticket or the credentials of a later offer: a link that breaks comes back with them [P-2.3]. */
  renew(offer: TransportOffer): void;
}

interface LiveTargetOptions {
  readonly address: CoordinatorAddress;
  /** What is shown to a broker that asks for one. */
  readonly certificate?: ClientCertificate | undefined;
  /** This member says nothing that is not sealed, and takes nothing else. */
  readonly isSealed: boolean;
}

/** @throws FanfoldError `damaged` */
export function liveTarget(offer: TransportOffer, { address, certificate, isSealed }: LiveTargetOptions): LiveTarget {
  if (offer.kind === "embedded") {
    const newest = new Newest(offer);
    const isExposed = isSealed && offer.plain === true && address.trust !== undefined;
    const target = {
      kind: offer.kind,
      host: address.host,
      port: address.port,
      tls: address.trust,
      isSealed: isExposed,
      get ticket() {
        return newest.offer.ticket;
      },
    };
    return { target, isExposed, renew: (later) => newest.take(later) };
  }
  const isExposed = false;
  const broker = { url: offer.url, ca: offer.ca?.map(pemCertificate), certificate };
  if (offer.kind === "nats") {
    const newest = new Newest(offer);
    const { credentials: first } = offer;
    const credentials = first && (() => newest.offer.credentials ?? first);
    const target = { ...broker, kind: offer.kind, credentials };
    return { target, isExposed, renew: (later) => newest.take(later) };
  }
  const newest = new Newest(offer);
  const { credentials: first } = offer;
  const credentials = first && (() => newest.offer.credentials ?? first);
  const { kind, exchange } = offer;
  const target = { ...broker, kind, exchange, credentials };
  return { target, isExposed, renew: (later) => newest.take(later) };
}

/** The latest offer of one kind of transport. */
class Newest<Offer extends TransportOffer> {
  offer: Offer;

  constructor(offer: Offer) {
    this.offer = offer;
  }

  take(later: TransportOffer): void {
    if (isSameKind(this.offer, later)) this.offer = later;
  }
}

function isSameKind<Offer extends TransportOffer>(one: Offer, other: TransportOffer): other is Offer {
  return one.kind === other.kind;
}

/** The event that tells people what they joined. */
export function joinedEvent(welcome: Extract<CoordinatorMessage, { type: "welcome" }>): LinkEvent {
  const { session, sessionId, member, transport } = welcome;
  const broker = transport.kind === "embedded" ? {} : { broker: redactUrl(transport.url) };
  return { type: "joined", session, sessionId, name: member.name, transport: transport.kind, ...broker };
}

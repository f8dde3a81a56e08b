import { FanfoldError } from "../../lib/errors.ts";
import { formatHostPort } from "../../lib/net/host-port.ts";
import { BROKER_CA_MAX } from "../../protocol/limits.ts";
import { wireCertificate } from "../../protocol/messages/certificates.ts";
import type { TransportOffer } from "../../protocol/messages/transport-offer.ts";
import { sinkExchange } from "../../transport/amqp/exchange.ts";
import {
  type BrokerChoice,
  type Credentials,
  isLoopbackUrl,
  parseAmqpUrl,
  parseBroker,
  parseNatsUrl,
  redactUrl,
  vhostOf,
} from "../../transport/broker-url.ts";
import type { BrokerTls, TransportTarget } from "../../transport/target.ts";
import type { Granter } from "./granter.ts";
import type { TicketHolder } from "./tickets.ts";

export interface BrokerOptions {
  readonly broker: string;
  readonly brokerPublicUrl?: string;
  /** `user:password`, or a token. */
  readonly brokerCredentials?: string;
  readonly brokerPublicCredentials?: string;
  /** Members are told of the authorities. The certificate is the coordinator's own. */
  readonly brokerTls?: BrokerTls;
  /** Everybody gets rights of its own, instead of credentials that are given. */
  readonly granter?: Granter;
}

/** Which broker carries the sessions, and what clients are told of it. */
export type BrokerSetup =
  | { readonly kind: "embedded"; readonly shown: "embedded" }
  | {
      readonly kind: "nats" | "amqp";
      /** For the coordinator itself, credentials included. */
      readonly ownUrl: string;
      /** For clients, credentials included. */
      readonly clientUrl: string;
      /** Clients get the coordinator's own credentials, because no others were given. */
      readonly sharesCredentials: boolean;
      /**
       * The client's URL names this machine, and nobody said that it should: no use on another one. With
       * --broker-public-url it was meant so (clients that reach containers through ports of their own machine).
       */
      readonly clientLoopback: boolean;
      /** `ownUrl` without its password. */
      readonly shown: string;
      readonly tls: BrokerTls;
      readonly granter: Granter | undefined;
    };

/** Whether a session is to be sealed: it cannot leave the machine, it may, or whoever has the broker's password reads it. */
export type Sealing = "free" | "wanted" | "needed";

export function sealingOf(setup: BrokerSetup, isInside: boolean): Sealing {
  if (setup.kind === "embedded") return isInside ? "free" : "wanted";
  if (isLoopbackUrl(setup.clientUrl) && isLoopbackUrl(setup.ownUrl)) return isInside ? "free" : "wanted";
  return setup.granter === undefined ? "needed" : "wanted";
}

/** Of a certificate as PEM: 6 KiB, which is far more than one has. */
const CA_CHARS_MAX = 8192;

type RemoteSetup = Exclude<BrokerSetup, { kind: "embedded" }>;

/** @throws FanfoldError `usage` */
export function resolveBroker(options: BrokerOptions): BrokerSetup {
  const own = withCredentials(parseBroker(options.broker), options.brokerCredentials);
  if (own.kind === "embedded") {
    refuseForEmbedded(options);
    return { kind: "embedded", shown: "embedded" };
  }
  const named = options.brokerPublicUrl === undefined ? withoutCredentials(own) : parseBroker(options.brokerPublicUrl);
  if (named.kind !== own.kind) {
    throw new FanfoldError(
      "usage",
      `cannot tell clients the broker "${redactUrl(options.brokerPublicUrl ?? "")}": it is not of the same kind as --broker "${redactUrl(own.url)}"; give another address of the same broker`,
    );
  }
  checkVhosts(own, named);
  const given = withCredentials(named, options.brokerPublicCredentials);
  const ownCredentials = credentialsOf(own);
  const sharesCredentials = credentialsOf(given).type === "none" && ownCredentials.type !== "none";
  const client = sharesCredentials ? putCredentials(given, ownCredentials) : given;
  if (client.kind === "embedded")
    throw new FanfoldError("internal", "cannot choose the broker: an embedded one has no URL");
  const { brokerTls: tls = {}, granter } = options;
  checkGranter(granter, own, client);
  checkTls(tls, own.url, client.url);
  return {
    kind: own.kind,
    ownUrl: own.url,
    clientUrl: client.url,
    sharesCredentials,
    clientLoopback: options.brokerPublicUrl === undefined && isLoopbackUrl(client.url),
    shown: redactUrl(own.url),
    tls,
    granter,
  };
}

/** Who is in another virtual host meets nobody. */
function checkVhosts(own: BrokerChoice, named: BrokerChoice): void {
  if (own.kind !== "amqp" || named.kind !== "amqp" || vhostOf(own.url) === vhostOf(named.url)) return;
  throw new FanfoldError(
    "usage",
    `cannot tell clients the broker "${redactUrl(named.url)}": its virtual host is "${vhostOf(named.url)}", and that of --broker is "${vhostOf(own.url)}"; name the same one`,
  );
}

function refuseForEmbedded(options: BrokerOptions): void {
  const { brokerPublicUrl, brokerCredentials, brokerPublicCredentials, brokerTls, granter } = options;
  const extra = brokerPublicUrl ?? brokerCredentials ?? brokerPublicCredentials ?? brokerTls ?? granter;
  if (extra === undefined) return;
  throw new FanfoldError(
    "usage",
    "cannot use the embedded broker with a broker's URL, credentials or certificates: it has none; name another broker with --broker, or leave them out",
  );
}

/** Who makes the credentials of everybody needs a broker that takes them, and no others. */
function checkGranter(granter: Granter | undefined, own: BrokerChoice, client: BrokerChoice): void {
  if (granter === undefined || own.kind === "embedded") return;
  const option = granter.kind === "nats" ? "--nats-seeds" : "--rabbitmq-key";
  if (granter.kind !== own.kind) {
    const wanted = granter.kind === "nats" ? "a NATS server" : "RabbitMQ";
    throw new FanfoldError(
      "usage",
      `cannot use ${option} with the broker "${redactUrl(own.url)}": it is for ${wanted}; name one with --broker, or leave ${option} out`,
    );
  }
  if (credentialsOf(own).type === "none" && credentialsOf(client).type === "none") return;
  throw new FanfoldError(
    "usage",
    `cannot use ${option} together with a user, a password or a token for the broker: everybody gets credentials of its own; leave the others out`,
  );
}

function checkTls({ ca, certificate }: BrokerTls, ownUrl: string, clientUrl: string): void {
  const ownTls = isTlsUrl(ownUrl);
  if ((certificate !== undefined && !ownTls) || (ca !== undefined && !ownTls && !isTlsUrl(clientUrl)))
    throw new FanfoldError(
      "usage",
      `cannot use certificates with the broker "${redactUrl(ownUrl)}": its URL asks for no TLS; write tls:// for NATS, amqps:// for RabbitMQ, or leave them out`,
    );
  if ((ca?.length ?? 0) > BROKER_CA_MAX || ca?.some((pem) => pem.length > CA_CHARS_MAX) === true)
    throw new FanfoldError(
      "usage",
      `cannot tell members the authorities of the broker: want at most ${BROKER_CA_MAX} certificates of ${CA_CHARS_MAX} characters in --broker-ca`,
    );
}

function isTlsUrl(url: string): boolean {
  return /^(tls|amqps):/i.test(url);
}

interface OfferedTo {
  readonly holder: TicketHolder;
  readonly now: Date;
  /** For the embedded relay. */
  readonly ticket: () => string;
  /** The relay takes links without TLS for a session that is sealed, as this one may be. */
  readonly plain: boolean;
}

/** What one client is told of the transport. */
export function offerOf(setup: BrokerSetup, { holder, now, ticket, plain }: OfferedTo): TransportOffer {
  if (setup.kind === "embedded") return { kind: "embedded", ticket: ticket(), ...(plain ? { plain } : {}) };
  const { clientUrl: url, granter, tls } = setup;
  const ca = tls.ca === undefined || !isTlsUrl(url) ? {} : { ca: tls.ca.map(wireCertificate) };
  if (setup.kind === "nats") {
    const credentials = granter?.kind === "nats" ? { credentials: granter.grant(holder, now) } : {};
    return { kind: "nats", url, ...credentials, ...ca };
  }
  const credentials = granter?.kind === "amqp" ? { credentials: granter.grant(holder, now) } : {};
  const { role, sessionId, memberId } = holder;
  const exchange = role === "sink" ? { exchange: sinkExchange(sessionId, memberId) } : {};
  return { kind: "amqp", url, ...exchange, ...credentials, ...ca };
}

/** How the coordinator itself reaches the broker. */
export function ownTarget({ kind, ownUrl: url, tls, granter }: RemoteSetup, now: () => Date): TransportTarget {
  if (granter === undefined) return { kind, url, ...tls };
  if (granter.kind === "nats") return { kind: "nats", url, ...tls, credentials: () => granter.own(now()) };
  return { kind: "amqp", url, ...tls, credentials: () => granter.own(now()) };
}

/** Why the broker address does not serve a client on another machine; undefined when it does. */
export function offerWarning(setup: BrokerSetup): string | undefined {
  if (setup.kind === "embedded" || !setup.clientLoopback) return undefined;
  return `The broker's address "${redactUrl(setup.clientUrl)}" is reachable only from the coordinator's machine, and this client is on another one; start the coordinator with --broker-public-url and an address that clients can reach`;
}

function withCredentials(choice: BrokerChoice, text: string | undefined): BrokerChoice {
  if (text === undefined) return choice;
  const colon = text.indexOf(":");
  const credentials: Credentials =
    colon < 0
      ? { type: "token", token: text }
      : { type: "password", user: text.slice(0, colon), password: text.slice(colon + 1) };
  if (choice.kind === "amqp" && credentials.type === "token") {
    throw new FanfoldError(
      "usage",
      `cannot use the credentials for "${redactUrl(choice.url)}": found no colon; want user:password`,
    );
  }
  return putCredentials(choice, credentials);
}

function withoutCredentials(choice: BrokerChoice): BrokerChoice {
  return putCredentials(choice, { type: "none" });
}

function credentialsOf(choice: BrokerChoice): Credentials {
  if (choice.kind === "embedded") return { type: "none" };
  return choice.kind === "nats" ? parseNatsUrl(choice.url).credentials : parseAmqpUrl(choice.url).credentials;
}

function putCredentials(choice: BrokerChoice, credentials: Credentials): BrokerChoice {
  if (choice.kind === "embedded") return choice;
  const user = userPart(credentials);
  if (choice.kind === "nats") {
    const { tls, servers } = parseNatsUrl(choice.url);
    return { kind: "nats", url: `${tls ? "tls" : "nats"}://${user}${servers.join(",")}` };
  }
  const { protocol, servers, vhostEncoded } = parseAmqpUrl(choice.url);
  const path = vhostEncoded === "" ? "" : `/${vhostEncoded}`;
  return { kind: "amqp", url: `${protocol}://${user}${servers.map(formatHostPort).join(",")}${path}` };
}

function userPart(credentials: Credentials): string {
  if (credentials.type === "none") return "";
  if (credentials.type === "token") return `${encodeURIComponent(credentials.token)}@`;
  return `${encodeURIComponent(credentials.user)}:${encodeURIComponent(credentials.password)}@`;
}

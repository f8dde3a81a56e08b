import { FanfoldError } from "../../lib/errors.ts";
import { formatHostPort } from "../../lib/host-port.ts";
import type { TransportOffer } from "../../protocol/messages/control.ts";
import {
  type BrokerChoice,
  type Credentials,
  isLoopbackUrl,
  parseAmqpUrl,
  parseBroker,
  parseNatsUrl,
  redactUrl,
} from "../../transport/broker-url.ts";

export interface BrokerOptions {
  readonly broker: string;
  readonly brokerPublicUrl?: string;
  /** `user:password`, or a token. */
  readonly brokerCredentials?: string;
  readonly brokerPublicCredentials?: string;
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
    };

/** @throws FanfoldError `usage` */
export function resolveBroker(options: BrokerOptions): BrokerSetup {
  const own = withCredentials(parseBroker(options.broker), options.brokerCredentials);
  if (own.kind === "embedded") {
    const extra = options.brokerPublicUrl ?? options.brokerCredentials ?? options.brokerPublicCredentials;
    if (extra === undefined) return { kind: "embedded", shown: "embedded" };
    throw new FanfoldError(
      "usage",
      "cannot use the embedded broker with a broker's URL or credentials: it has none; name another broker with --broker, or leave them out",
    );
  }
  const named = options.brokerPublicUrl === undefined ? withoutCredentials(own) : parseBroker(options.brokerPublicUrl);
  if (named.kind !== own.kind) {
    throw new FanfoldError(
      "usage",
      `cannot tell clients the broker "${redactUrl(options.brokerPublicUrl ?? "")}": it is not of the same kind as --broker "${redactUrl(own.url)}"; give another address of the same broker`,
    );
  }
  const given = withCredentials(named, options.brokerPublicCredentials);
  const ownCredentials = credentialsOf(own);
  const sharesCredentials = credentialsOf(given).type === "none" && ownCredentials.type !== "none";
  const client = sharesCredentials ? putCredentials(given, ownCredentials) : given;
  if (client.kind === "embedded")
    throw new FanfoldError("internal", "cannot choose the broker: an embedded one has no URL");
  return {
    kind: own.kind,
    ownUrl: own.url,
    clientUrl: client.url,
    sharesCredentials,
    clientLoopback: options.brokerPublicUrl === undefined && isLoopbackUrl(client.url),
    shown: redactUrl(own.url),
  };
}

/** What one client is told of the transport. */
export function offerOf(setup: BrokerSetup, ticket: string): TransportOffer {
  return setup.kind === "embedded" ? { kind: "embedded", ticket } : { kind: setup.kind, url: setup.clientUrl };
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

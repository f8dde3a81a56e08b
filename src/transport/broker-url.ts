import { FanfoldError } from "../lib/errors.ts";
import { formatHostPort, type HostPort, isLoopbackHost } from "../lib/net/host-port.ts";

/** What `--broker` names: the coordinator's own relay, or a broker with its credentials in the URL. */
export type BrokerChoice =
  | { readonly kind: "embedded" }
  | { readonly kind: "nats"; readonly url: string }
  | { readonly kind: "amqp"; readonly url: string };

/** A `nats://` or `tls://` URL taken apart; credentials are decoded. */
interface NatsEndpoint {
  /** `host:port`, in the order given. */
  readonly servers: readonly string[];
  /** The same taken apart. */
  readonly places: readonly HostPort[];
  readonly tls: boolean;
  readonly credentials: Credentials;
}

/** An `amqp://` or `amqps://` URL taken apart; credentials are decoded. */
interface AmqpEndpoint {
  readonly protocol: "amqp" | "amqps";
  /** In the order given; at least one. */
  readonly servers: readonly HostPort[];
  /** As it stands in the URL, percent-encoded; empty for the default one. */
  readonly vhostEncoded: string;
  readonly credentials: Credentials;
}

export type Credentials =
  | { readonly type: "none" }
  | { readonly type: "password"; readonly user: string; readonly password: string }
  | { readonly type: "token"; readonly token: string };

const DEFAULT_PORTS: Readonly<Record<string, number>> = { nats: 4222, tls: 4222, amqp: 5672, amqps: 5671 };
const WANTED = 'want "embedded", nats://host:4222, tls://host:4222, amqp://host:5672 or amqps://host:5671';

/**
 * Reads a `--broker` value.
 *
 * @throws FanfoldError `usage`; the text shows the value without its password.
 */
export function parseBroker(value: string): BrokerChoice {
  if (value === "embedded") return { kind: "embedded" };
  const scheme = schemeOf(value);
  if (scheme === "nats" || scheme === "tls") {
    parseNatsUrl(value);
    return { kind: "nats", url: value };
  }
  if (scheme === "amqp" || scheme === "amqps") {
    parseAmqpUrl(value);
    return { kind: "amqp", url: value };
  }
  throw refusal(value, WANTED);
}

/** @throws FanfoldError `usage` */
export function parseNatsUrl(url: string): NatsEndpoint {
  const scheme = schemeOf(url) === "tls" ? "tls" : "nats";
  const { servers: places, path, credentials } = parseServers(url, scheme, natsCredentials);
  if (path !== "") throw refusal(url, "found a path after the host; want none");
  return { servers: places.map(formatHostPort), places, tls: scheme === "tls", credentials };
}

/** @throws FanfoldError `usage` */
export function parseAmqpUrl(url: string): AmqpEndpoint {
  const scheme = schemeOf(url) === "amqps" ? "amqps" : "amqp";
  const { servers, path, credentials } = parseServers(url, scheme, amqpCredentials);
  decodeOrRefuse(path, "a virtual host", url);
  if (path.includes("/")) throw refusal(url, 'found "/" in the virtual host; want it as %2F');
  return { protocol: scheme, servers, vhostEncoded: path, credentials };
}

/** The virtual host that an `amqp://` or `amqps://` URL names, `/` when none. */
export function vhostOf(url: string): string {
  const { vhostEncoded } = parseAmqpUrl(url);
  return vhostEncoded === "" ? "/" : decodeURIComponent(vhostEncoded);
}

/**
 * The URL as it may be shown: `nats://user:***@host:4222`. A NATS token, which stands where a user would, is hidden too.
 * Total, because it also serves to show values that do not parse: then it hides too much rather than too little.
 */
export function redactUrl(url: string): string {
  const isNats = /^(nats|tls):/i.test(url);
  const parts = url.split(",");
  const withUser = parts.map((part) => part.includes("@"));
  const firstPlain = withUser.indexOf(false);
  // A comma before an "@" that no server's own credentials explain may stand in a password.
  const isList = firstPlain < 0 || withUser.lastIndexOf(true) < firstPlain;
  return isList ? parts.map((part) => redactOne(part, isNats)).join(",") : redactOne(url, isNats);
}

function redactOne(url: string, isNats: boolean): string {
  const at = url.lastIndexOf("@");
  if (at < 0) return url;
  const scheme = /^[a-z]+:\/\//i.exec(url)?.[0] ?? "";
  const [user = "", password] = url.slice(scheme.length, at).split(":", 2);
  const host = url.slice(at + 1);
  if (!/^[\w.%~+-]+$/.test(user)) return `${scheme}***@${host}`;
  if (password === undefined) return isNats ? `${scheme}***@${host}` : `${scheme}${user}@${host}`;
  return `${scheme}${user}:***@${host}`;
}

/** Whether every host of the URL is this machine. */
export function isLoopbackUrl(url: string): boolean {
  return url.split(",").every((part) => {
    const { hostname } = new URL(part.includes("://") ? part : `nats://${part}`);
    return isLoopbackHost(hostname);
  });
}

interface ServerList {
  readonly servers: readonly HostPort[];
  readonly path: string;
  readonly credentials: Credentials;
}

/** A list of servers: the scheme, the credentials and the path may stand at one of them or at each: `nats://u:p@a:4222,b:4222`. */
function parseServers(url: string, scheme: string, credentialsOf: (parsed: ParsedUrl) => Credentials): ServerList {
  const servers: HostPort[] = [];
  let credentials: Credentials = { type: "none" };
  let path = "";
  for (const part of url.split(",")) {
    const parsed = parseOne(part.includes("://") ? part : `${scheme}://${part}`, url);
    if (parsed.scheme !== scheme)
      throw refusal(url, `found ${parsed.scheme}:// after ${scheme}://; want one scheme for all servers`);
    const own = credentialsOf(parsed);
    if (own.type !== "none" && credentials.type !== "none" && !sameCredentials(own, credentials))
      throw refusal(url, "found different credentials; want the same for all servers");
    if (own.type !== "none") credentials = own;
    if (parsed.path !== "" && path !== "" && parsed.path !== path)
      throw refusal(url, "found different paths; want the same for all servers");
    if (parsed.path !== "") path = parsed.path;
    servers.push({ host: parsed.host, port: parsed.port });
  }
  return { servers, path, credentials };
}

interface ParsedUrl {
  readonly scheme: string;
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly user: string;
  readonly password: string;
}

function parseOne(value: string, whole: string): ParsedUrl {
  const parsed = URL.parse(value);
  if (parsed === null)
    throw refusal(
      whole,
      "found an address that does not parse; want scheme://user:password@host:port with a percent-encoded password",
    );
  const scheme = parsed.protocol.slice(0, -1);
  if (parsed.hostname === "") throw refusal(whole, "found no host; want one after ://");
  if (parsed.search !== "" || parsed.hash !== "")
    throw refusal(whole, 'found "?" or "#"; want none, and %3F or %23 in a password');
  return {
    scheme,
    host: parsed.hostname.replace(/^\[|\]$/g, ""),
    port: parsed.port === "" ? (DEFAULT_PORTS[scheme] ?? 0) : Number(parsed.port),
    path: parsed.pathname.replace(/^\//, ""),
    user: decodeOrRefuse(parsed.username, "credentials", whole),
    password: decodeOrRefuse(parsed.password, "credentials", whole),
  };
}

function decodeOrRefuse(text: string, what: string, url: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw refusal(url, `found ${what} with a "%" that does not begin a percent-encoded byte; want it as %25`, cause);
  }
}

function natsCredentials({ user, password }: ParsedUrl): Credentials {
  if (password !== "") return { type: "password", user, password };
  return user === "" ? { type: "none" } : { type: "token", token: user };
}

/** None is RabbitMQ's own default account, which it takes from the loopback interface only. */
function amqpCredentials({ user, password }: ParsedUrl): Credentials {
  return user === "" && password === "" ? { type: "none" } : { type: "password", user, password };
}

function sameCredentials(one: Credentials, other: Credentials): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function schemeOf(value: string): string | undefined {
  return /^([a-z]+):\/\//i.exec(value)?.[1]?.toLowerCase();
}

function refusal(value: string, foundAndWanted: string, cause?: unknown): FanfoldError {
  return new FanfoldError("usage", `cannot use the broker "${redactUrl(value)}": ${foundAndWanted}`, { cause });
}

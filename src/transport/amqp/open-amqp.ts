import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { type ChannelModel, connect, type Options, type SocketOptions } from "amqplib";
import { abortable, throwIfAborted } from "../../lib/async/abort.ts";
import { formatHostPort } from "../../lib/net/host-port.ts";
import { parseAmqpUrl } from "../broker-url.ts";
import type { AmqpCredentials, AmqpTarget, BrokerTls } from "../target.ts";

const HANDSHAKE_TIMEOUT_MS = 10_000;
/** A dead link shows after two of them. RabbitMQ advises 5 to 20 s. */
const HEARTBEAT_S = 15;
const GRANTED_USER = "fanfold";
/** A broker that does not answer a close is left without one. */
const CLOSE_WITHIN_MS = 1000;

export interface OpenAmqp {
  readonly model: ChannelModel;
  /** With which it was opened, where there are others than those in the URL. */
  readonly credentials: AmqpCredentials | undefined;
  /** Closes with the broker's consent if that comes soon, else without. Never rejects. */
  close(): Promise<void>;
}

/** One address of a broker's node. */
export interface AmqpServer {
  /** As people know it: `host:port`, with the address behind it where a name has several. */
  readonly listen: string;
  readonly host: string;
  readonly address: string;
  readonly port: number;
}

async function systemLookup(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

/**
 * The addresses behind a URL's servers: each of those a name has, because only one of the nodes behind it may be alive. A name
 * that is not known is left to the connect, which says so.
 */
export async function amqpServers(url: string, signal: AbortSignal, lookUp = systemLookup): Promise<AmqpServer[]> {
  const pool = parseAmqpUrl(url).servers.map(async ({ host, port }): Promise<AmqpServer[]> => {
    const listen = formatHostPort({ host, port });
    const addresses = isIP(host) > 0 ? [] : await lookUp(host).catch(() => []);
    if (addresses.length < 2) return [{ listen, host, address: host, port }];
    return addresses.map((address) => ({ listen: `${listen} (${address})`, host, address, port }));
  });
  return (await abortable(Promise.all(pool), signal)).flat();
}

interface OpenAmqpOptions {
  readonly server: AmqpServer;
  readonly name: string;
  readonly signal: AbortSignal;
}

/** Opens one connection. Throws what the library throws, or the reason of the signal. */
export async function openAmqp(target: AmqpTarget, options: OpenAmqpOptions): Promise<OpenAmqp> {
  throwIfAborted(options.signal);
  // The library can neither give up a connect nor destroy its socket; the socket itself takes a signal.
  const cut = new AbortController();
  const { host } = options.server;
  const socket: SocketOptions & SocketExtras = {
    ...tlsOptions(host, target),
    noDelay: true,
    keepAlive: true,
    timeout: HANDSHAKE_TIMEOUT_MS,
    clientProperties: { connection_name: options.name, product: "fanfold" },
    signal: cut.signal,
  };
  const credentials = target.credentials?.();
  const connecting = connect(login(target.url, options.server, credentials), socket).then(heard);
  try {
    const model = await abortable(connecting, options.signal);
    return { model, credentials, close: () => close(model, cut) };
  } catch (thrown) {
    connecting.then((late) => close(late, cut)).catch(() => undefined);
    cut.abort();
    throw thrown;
  }
}

/**
 * An error that nobody listens to would end the process: of one that came too late, or that waits in vain for the answer to
 * its close. Who uses a connection sees its end, which follows.
 */
function heard(model: ChannelModel): ChannelModel {
  model.on("error", () => undefined);
  return model;
}

/** What the library hands on to the socket, and does not list. */
interface SocketExtras {
  readonly signal: AbortSignal;
  readonly servername?: string;
  readonly rejectUnauthorized: true;
}

/** A certificate is for the host in the URL: for its name, whichever of its addresses is tried, or for the address itself. */
function tlsOptions(host: string, { ca, certificate }: BrokerTls): SocketOptions & Omit<SocketExtras, "signal"> {
  return {
    ...(isIP(host) > 0 ? {} : { servername: host }),
    ...(ca === undefined ? {} : { ca: ca.map((pem) => Buffer.from(pem)) }),
    ...(certificate === undefined
      ? {}
      : { cert: Buffer.from(certificate.certificate), key: Buffer.from(certificate.key) }),
    rejectUnauthorized: true,
  };
}

function login(url: string, { address, port }: AmqpServer, granted: AmqpCredentials | undefined): Options.Connect {
  const { protocol, vhostEncoded, credentials } = parseAmqpUrl(url);
  const target = { protocol, hostname: address, port, vhost: vhostEncoded, heartbeat: HEARTBEAT_S };
  // The token tells who it is.
  if (granted !== undefined) return { ...target, username: GRANTED_USER, password: granted.token };
  if (credentials.type !== "password") return target;
  return { ...target, username: credentials.user, password: credentials.password };
}

async function close(model: ChannelModel, cut: AbortController): Promise<void> {
  const closed = model.close().catch(() => undefined);
  await abortable(closed, AbortSignal.timeout(CLOSE_WITHIN_MS)).catch(() => undefined);
  cut.abort();
}

import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { type ChannelModel, connect, type Options, type SocketOptions } from "amqplib";
import { abortable, throwIfAborted } from "../../lib/abort.ts";
import { formatHostPort } from "../../lib/host-port.ts";
import { parseAmqpUrl } from "../broker-url.ts";

const HANDSHAKE_TIMEOUT_MS = 10_000;
/** A dead link shows after two of them. RabbitMQ advises 5 to 20 s. */
const HEARTBEAT_S = 15;
/** A broker that does not answer a close is left without one. */
const CLOSE_WITHIN_MS = 1000;

export interface OpenAmqp {
  readonly model: ChannelModel;
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
export async function openAmqp(url: string, options: OpenAmqpOptions): Promise<OpenAmqp> {
  throwIfAborted(options.signal);
  // The library can neither give up a connect nor destroy its socket; the socket itself takes a signal.
  const cut = new AbortController();
  const { host } = options.server;
  const socket: SocketOptions & { readonly signal: AbortSignal; readonly servername?: string } = {
    // The name is what a certificate is for, whichever of its addresses is tried.
    ...(isIP(host) > 0 ? {} : { servername: host }),
    noDelay: true,
    keepAlive: true,
    timeout: HANDSHAKE_TIMEOUT_MS,
    clientProperties: { connection_name: options.name, product: "fanfold" },
    signal: cut.signal,
  };
  const connecting = connect(login(url, options.server), socket);
  try {
    const model = await abortable(connecting, options.signal);
    return { model, close: () => close(model, cut) };
  } catch (thrown) {
    connecting.then((late) => close(late, cut)).catch(() => undefined);
    cut.abort();
    throw thrown;
  }
}

function login(url: string, { address, port }: AmqpServer): Options.Connect {
  const { protocol, vhostEncoded, credentials } = parseAmqpUrl(url);
  const target = { protocol, hostname: address, port, vhost: vhostEncoded, heartbeat: HEARTBEAT_S };
  if (credentials.type !== "password") return target;
  return { ...target, username: credentials.user, password: credentials.password };
}

async function close(model: ChannelModel, cut: AbortController): Promise<void> {
  const closed = model.close().catch(() => undefined);
  await abortable(closed, AbortSignal.timeout(CLOSE_WITHIN_MS)).catch(() => undefined);
  cut.abort();
}

import { type ChannelModel, connect, type Options, type SocketOptions } from "amqplib";
import { abortable, throwIfAborted } from "../../lib/abort.ts";
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

/** Opens one connection. Throws what the library throws, or the reason of the signal. */
export async function openAmqp(url: string, options: { name: string; signal: AbortSignal }): Promise<OpenAmqp> {
  throwIfAborted(options.signal);
  // The library can neither give up a connect nor destroy its socket; the socket itself takes a signal.
  const cut = new AbortController();
  const socket: SocketOptions & { readonly signal: AbortSignal } = {
    noDelay: true,
    keepAlive: true,
    timeout: HANDSHAKE_TIMEOUT_MS,
    clientProperties: { connection_name: options.name, product: "fanfold" },
    signal: cut.signal,
  };
  const connecting = connect(login(url), socket);
  try {
    const model = await abortable(connecting, options.signal);
    return { model, close: () => close(model, cut) };
  } catch (thrown) {
    connecting.then((late) => close(late, cut)).catch(() => undefined);
    cut.abort();
    throw thrown;
  }
}

function login(url: string): Options.Connect {
  const { protocol, host, port, vhostEncoded, credentials } = parseAmqpUrl(url);
  const target = { protocol, hostname: host, port, vhost: vhostEncoded, heartbeat: HEARTBEAT_S };
  if (credentials.type !== "password") return target;
  return { ...target, username: credentials.user, password: credentials.password };
}

async function close(model: ChannelModel, cut: AbortController): Promise<void> {
  const closed = model.close().catch(() => undefined);
  await abortable(closed, AbortSignal.timeout(CLOSE_WITHIN_MS)).catch(() => undefined);
  cut.abort();
}

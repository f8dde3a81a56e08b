import { connect, type NatsConnection, type NodeConnectionOptions } from "@nats-io/transport-node";
import { abortable, throwIfAborted } from "../../lib/abort.ts";
import { Backoff } from "../../lib/backoff.ts";
import { systemRandom } from "../../lib/random.ts";
import { parseNatsUrl } from "../broker-url.ts";
import { ServerTour } from "../server-tour.ts";
import type { ConnectOptions } from "../target.ts";
import { connectError } from "./nats-errors.ts";

/** As long as a server that hangs is given on a link that stands; then another one is tried. */
const HANDSHAKE_TIMEOUT_MS = 5_000;
/** The library's own watch over a link. `LinkGuard` watches closer, and knows slow from dead. */
const PING_INTERVAL_MS = 60_000;
const RECONNECT_MIN_MS = 100;
const RECONNECT_MAX_MS = 10_000;

/** A connection of the library that reconnects by itself, the count of its attempts, and the order of the servers it tries. */
export interface OpenNats {
  readonly connection: NatsConnection;
  readonly backoff: Backoff;
  readonly tour: ServerTour;
}

/** @throws FanfoldError `broker-unreachable`, `broker-denied` or `usage` */
export async function openNats(url: string, { clientName, signal }: ConnectOptions): Promise<OpenNats> {
  throwIfAborted(signal);
  const backoff = new Backoff({ minMs: RECONNECT_MIN_MS, maxMs: RECONNECT_MAX_MS, random: systemRandom });
  const tour = new ServerTour();
  const connecting = connect(connectionOptions(url, { clientName, backoff, tour }));
  try {
    const connection = await abortable(connecting, signal);
    backoff.reset();
    return { connection, backoff, tour };
  } catch (thrown) {
    // After an abort the library still tries. A connection that it opens then is closed.
    connecting.then((late) => late.close()).catch(() => undefined);
    throwIfAborted(signal);
    throw connectError(url, thrown);
  }
}

interface ReconnectOptions {
  readonly clientName: string;
  readonly backoff: Backoff;
  readonly tour: ServerTour;
}

function connectionOptions(url: string, { clientName, backoff, tour }: ReconnectOptions): NodeConnectionOptions {
  const { servers, tls, credentials } = parseNatsUrl(url);
  let delayMs = 0;
  return {
    servers: [...servers],
    name: clientName,
    timeout: HANDSHAKE_TIMEOUT_MS,
    pingInterval: PING_INTERVAL_MS,
    maxReconnectAttempts: -1,
    // The library asks for the delay many times an attempt, so it is drawn when an attempt is made.
    reconnectDelayHandler: () => delayMs,
    reconnectToServer: (pool) => {
      delayMs = backoff.nextMs();
      return tour.next(pool) ?? null;
    },
    noAsyncTraces: true,
    ...(tls ? { tls: {} } : {}),
    ...(credentials.type === "password" ? { user: credentials.user, pass: credentials.password } : {}),
    ...(credentials.type === "token" ? { token: credentials.token } : {}),
  };
}

import { connect, type NatsConnection, type NodeConnectionOptions } from "@nats-io/transport-node";
import { abortable, throwIfAborted } from "../../lib/abort.ts";
import { Backoff } from "../../lib/backoff.ts";
import { systemRandom } from "../../lib/random.ts";
import { parseNatsUrl } from "../broker-url.ts";
import type { ConnectOptions } from "../target.ts";
import { connectError } from "./nats-errors.ts";

const HANDSHAKE_TIMEOUT_MS = 10_000;
/** A dead link shows after two unanswered pings. */
const PING_INTERVAL_MS = 15_000;
const PINGS_UNANSWERED_MAX = 2;
const RECONNECT_MIN_MS = 100;
const RECONNECT_MAX_MS = 10_000;

/** A connection of the library that reconnects by itself, and the count of its attempts. */
export interface OpenNats {
  readonly connection: NatsConnection;
  readonly backoff: Backoff;
}

/** @throws FanfoldError `broker-unreachable`, `broker-denied` or `usage` */
export async function openNats(url: string, { clientName, signal }: ConnectOptions): Promise<OpenNats> {
  throwIfAborted(signal);
  const backoff = new Backoff({ minMs: RECONNECT_MIN_MS, maxMs: RECONNECT_MAX_MS, random: systemRandom });
  const connecting = connect(connectionOptions(url, clientName, backoff));
  try {
    const connection = await abortable(connecting, signal);
    backoff.reset();
    return { connection, backoff };
  } catch (thrown) {
    // After an abort the library still tries; what it opens nobody wants any more.
    connecting.then((late) => late.close()).catch(() => undefined);
    throwIfAborted(signal);
    throw connectError(url, thrown);
  }
}

function connectionOptions(url: string, clientName: string, backoff: Backoff): NodeConnectionOptions {
  const { servers, tls, credentials } = parseNatsUrl(url);
  let delayMs = 0;
  return {
    servers: [...servers],
    name: clientName,
    timeout: HANDSHAKE_TIMEOUT_MS,
    pingInterval: PING_INTERVAL_MS,
    maxPingOut: PINGS_UNANSWERED_MAX,
    maxReconnectAttempts: -1,
    // The library asks for the delay many times an attempt, so it is drawn when an attempt is made.
    reconnectDelayHandler: () => delayMs,
    reconnectToServer: () => {
      delayMs = backoff.nextMs();
      return null;
    },
    noAsyncTraces: true,
    ...(tls ? { tls: {} } : {}),
    ...(credentials.type === "password" ? { user: credentials.user, pass: credentials.password } : {}),
    ...(credentials.type === "token" ? { token: credentials.token } : {}),
  };
}

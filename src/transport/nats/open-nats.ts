import {
  connect,
  errors,
  jwtAuthenticator,
  type NatsConnection,
  type NodeConnectionOptions,
} from "@nats-io/transport-node";
import { abortable, throwIfAborted } from "../../lib/async/abort.ts";
import { Backoff } from "../../lib/async/backoff.ts";
import { systemRandom } from "../../lib/random.ts";
import { isCertificateFault } from "../../lib/tls/tls-failure.ts";
import { parseNatsUrl } from "../broker-url.ts";
import { ServerTour } from "../server-tour.ts";
import type { ConnectOptions, NatsTarget } from "../target.ts";
import { connectError } from "./nats-errors.ts";
import { natsTls, tlsFault } from "./nats-tls.ts";

/** As long as a server that hangs is given on a link that stands. Then another one is tried. */
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

interface OpenOptions extends ConnectOptions {
  /** Below it come answers to questions. */
  readonly inboxPrefix?: string;
}

/** @throws FanfoldError `broker-unreachable`, `broker-denied`, `tls-failed`, `certificate-wanted`, `clock-off` or `usage` */
export async function openNats(
  target: NatsTarget,
  { clientName, inboxPrefix, signal }: OpenOptions,
): Promise<OpenNats> {
  throwIfAborted(signal);
  const backoff = new Backoff({ minMs: RECONNECT_MIN_MS, maxMs: RECONNECT_MAX_MS, random: systemRandom });
  const tour = new ServerTour();
  const connecting = connect(connectionOptions(target, { clientName, inboxPrefix, backoff, tour }));
  try {
    const connection = await abortable(connecting, signal);
    backoff.reset();
    return { connection, backoff, tour };
  } catch (thrown) {
    // After an abort the library still tries. A connection that it opens then is closed.
    connecting.then((late) => late.close()).catch(() => undefined);
    throwIfAborted(signal);
    const wanted = await wantsCertificate(target, thrown, signal);
    throwIfAborted(signal);
    throw connectError(target, thrown, wanted);
  }
}

/** Of a server that went without a word: whether that was for the lack of a certificate. */
async function wantsCertificate(target: NatsTarget, thrown: unknown, signal: AbortSignal): Promise<boolean> {
  const { tls, places } = parseNatsUrl(target.url);
  const [first] = places;
  if (!tls || !(thrown instanceof errors.TimeoutError) || first === undefined) return false;
  return isCertificateFault(await tlsFault(first, target, signal));
}

interface ReconnectOptions {
  readonly clientName: string;
  readonly inboxPrefix: string | undefined;
  readonly backoff: Backoff;
  readonly tour: ServerTour;
}

function connectionOptions(
  target: NatsTarget,
  { clientName, inboxPrefix, backoff, tour }: ReconnectOptions,
): NodeConnectionOptions {
  const { servers, places, tls } = parseNatsUrl(target.url);
  let delayMs = 0;
  return {
    servers: [...servers],
    name: clientName,
    ...(inboxPrefix === undefined ? {} : { inboxPrefix }),
    timeout: HANDSHAKE_TIMEOUT_MS,
    pingInterval: PING_INTERVAL_MS,
    maxReconnectAttempts: -1,
    // What was refused twice is tried again: expired credentials are followed by fresh ones, and a server refuses also
    // whom it did not hear in time.
    ignoreAuthErrorAbort: true,
    // The library asks for the delay many times an attempt, so it is drawn when an attempt is made.
    reconnectDelayHandler: () => delayMs,
    reconnectToServer: (pool) => {
      delayMs = backoff.nextMs();
      return tour.next(pool) ?? null;
    },
    noAsyncTraces: true,
    ...(tls ? { tls: natsTls(places, target) } : {}),
    ...credentialOptions(target),
  };
}

function credentialOptions({ url, credentials: renewed }: NatsTarget): NodeConnectionOptions {
  if (renewed !== undefined)
    return {
      // Both are asked for at each link. They are of one user, whose key and JWT come together.
      authenticator: (nonce) => {
        const { jwt, seed } = renewed();
        return jwtAuthenticator(jwt, Buffer.from(seed))(nonce);
      },
    };
  const { credentials } = parseNatsUrl(url);
  if (credentials.type === "password") return { user: credentials.user, pass: credentials.password };
  return credentials.type === "token" ? { token: credentials.token } : {};
}

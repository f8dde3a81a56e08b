import type { Clock } from "../lib/clock.ts";
import { type ErrorCode, FanfoldError } from "../lib/errors.ts";
import type { BufferPool } from "../lib/memory/buffer-pool.ts";
import type { ClientCertificate } from "../lib/tls/client-certificate.ts";
import type { LinkEvent } from "../protocol/messages/events.ts";
import { connectTransport } from "../transport/connect.ts";
import type { Transport } from "../transport/transport.ts";
import type { CoordinatorAddress } from "./address.ts";
import type { Welcome } from "./inbox.ts";
import { type LiveTarget, liveTarget } from "./join.ts";
import { tellStatus, watchEnd } from "./tell-status.ts";

/** How a member reaches the transport of one session. Bulk data and reports never share a connection (D5). */
interface SessionTransports {
  readonly live: LiveTarget;
  readonly bulk: Transport;
  readonly reports: Transport;
}

export interface TransportsOptions {
  readonly welcome: Welcome;
  readonly address: CoordinatorAddress;
  /** What is shown to a broker that asks for one. */
  readonly brokerCertificate?: ClientCertificate | undefined;
  /** This member says nothing that is not sealed, and takes nothing else. */
  readonly isSealed: boolean;
  /** For the broker's own monitoring: `source alpha`. */
  readonly who: string;
  readonly emit: (event: LinkEvent) => void;
  /** Memory of the payloads that come. */
  readonly buffers?: BufferPool | undefined;
  /** A transport gave up: nothing comes over it any more. */
  readonly onEnd: (error: FanfoldError) => void;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** The coordinator was there just now: what does not answer is likely to be on its way down, or up, for some seconds. */
const TRIES_MAX = 30;
const TRY_AGAIN_MS = 1_000;

/**
 * Connects to what a welcome offers.
 *
 * @throws FanfoldError `broker-unreachable`, `broker-denied` or `payload-too-large`
 */
export async function openTransports(options: TransportsOptions): Promise<SessionTransports> {
  const { welcome, address, brokerCertificate: certificate, isSealed, clock, signal } = options;
  const live = liveTarget(welcome.transport, { address, certificate, isSealed });
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await connectBoth(live, options);
    } catch (thrown) {
      const error = FanfoldError.from(thrown);
      if (attempt === TRIES_MAX || !isPassing(error, options)) throw error;
      if (attempt === 1) options.emit({ type: "warning", code: error.code, message: `${error.message}; trying again` });
    }
    await clock.sleep(TRY_AGAIN_MS, signal);
  }
}

/** A relay goes with its coordinator. A broker that is started again does not listen for a while; what it denies, it denies. */
function isPassing({ code }: FanfoldError, { welcome }: TransportsOptions): boolean {
  return code === "broker-unreachable" || (welcome.transport.kind === "embedded" && OF_A_RELAY.has(code));
}

/** While its coordinator is away, somebody else may have its port. */
const OF_A_RELAY: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["broker-denied", "pin-mismatch", "tls-failed"]);

async function connectBoth(live: LiveTarget, options: TransportsOptions): Promise<SessionTransports> {
  const { who, emit, onEnd, buffers, clock, signal } = options;
  const bulk = await connectTransport(live.target, { clientName: `fanfold ${who}`, buffers, clock, signal });
  try {
    const reports = await connectTransport(live.target, { clientName: `fanfold ${who} reports`, clock, signal });
    tellStatus(bulk, emit);
    for (const transport of [bulk, reports]) watchEnd(transport, onEnd);
    return { live, bulk, reports };
  } catch (thrown) {
    await bulk.close();
    throw thrown;
  }
}

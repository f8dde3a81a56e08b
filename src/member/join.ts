import { Backoff } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";
import { FanfoldError, isErrorCode } from "../lib/errors.ts";
import type { Random } from "../lib/random.ts";
import type { CoordinatorMessage, Hello, TransportOffer } from "../protocol/control.ts";
import type { LinkEvent } from "../protocol/events.ts";
import { redactUrl } from "../transport/broker-url.ts";
import type { TransportTarget } from "../transport/connect.ts";
import { type CoordinatorAddress, formatAddress } from "./address.ts";
import { type ControlLink, openControlLink } from "./control-link.ts";

export interface JoinOptions {
  readonly address: CoordinatorAddress;
  readonly hello: Hello;
  /** How long to try before giving up, in milliseconds; undefined: as long as it takes. */
  readonly connectTimeoutMs: number | undefined;
  readonly emit: (event: LinkEvent) => void;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly random: Random;
}

/** The last attempt, made when the time is over, still gets long enough for a refusal, which says more than silence. */
const ANSWER_MS_MIN = 500;
const RETRY_MS = { minMs: 200, maxMs: 5_000 };

/**
 * Connects to the coordinator and says hello. Keeps trying while nobody answers, and tells each attempt.
 *
 * @throws FanfoldError `coordinator-unreachable` once the time is over, `not-a-coordinator`, `refused`
 */
export async function joinCoordinator(options: JoinOptions): Promise<ControlLink> {
  const { address, clock, signal } = options;
  const backoff = new Backoff({ ...RETRY_MS, random: options.random });
  const deadlineMs =
    options.connectTimeoutMs === undefined ? Number.POSITIVE_INFINITY : clock.nowMs() + options.connectTimeoutMs;
  let reason: string | undefined;
  for (let attempt = 1; ; attempt += 1) {
    options.emit({
      type: "connecting",
      address: formatAddress(address),
      attempt,
      ...(reason === undefined ? {} : { reason }),
    });
    try {
      const answerWithinMs = Math.max(ANSWER_MS_MIN, deadlineMs - clock.nowMs());
      const link = await openControlLink(address, signal, { answerWithinMs });
      link.send(options.hello);
      return link;
    } catch (thrown) {
      const error = FanfoldError.from(thrown);
      if (error.code !== "coordinator-unreachable" || clock.nowMs() >= deadlineMs) throw error;
      reason = error.message;
    }
    await clock.sleep(Math.min(backoff.nextMs(), Math.max(0, deadlineMs - clock.nowMs())), signal);
  }
}

/** The error a `refused` message means here. */
export function refusedError(message: Extract<CoordinatorMessage, { type: "refused" }>): FanfoldError {
  return new FanfoldError(isErrorCode(message.code) ? message.code : "refused", message.reason);
}

/** Where the transport that the coordinator offers is to be reached from here. */
export function targetOf(offer: TransportOffer, address: CoordinatorAddress): TransportTarget {
  return offer.kind === "embedded" ? { ...address, ...offer } : offer;
}

/** The event that tells people what they joined. */
export function joinedEvent(welcome: Extract<CoordinatorMessage, { type: "welcome" }>): LinkEvent {
  const { session, sessionId, member, transport } = welcome;
  const broker = transport.kind === "embedded" ? {} : { broker: redactUrl(transport.url) };
  return { type: "joined", session, sessionId, name: member.name, transport: transport.kind, ...broker };
}

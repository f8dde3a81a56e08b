import type { Channel } from "amqplib";
import type { Clock } from "../../lib/clock.ts";
import { isNotFound } from "./amqp-errors.ts";

/** Waits between looks for an exchange that is not there. */
const LOOK_MIN_MS = 25;
const LOOK_MAX_MS = 1000;

/** A member that never found its exchange gives up after this time. The coordinator makes it as soon as it reaches the broker. */
export const ABSENT_MAX_MS = 120_000;
/** An exchange that was there and is missed for so long is told of. */
export const ABSENT_TOLD_MS = 5000;

/** The exchanges of a session [P-2.5], by what goes through them (decision 0008). */
interface ExchangeNames {
  /** What the source publishes. */
  readonly session: string;
  /** What the sinks say. */
  readonly up: string;
}

export function exchangesOf(sessionId: string): ExchangeNames {
  const session = `fanfold.${sessionId}`;
  return { session, up: `${session}.up` };
}

/** All that one sink gets and says goes through this exchange. */
export function sinkExchange(sessionId: string, sinkId: string): string {
  return `fanfold.${sessionId}.sink.${sinkId}`;
}

/** The exchange of a subject for everybody but a sink. */
export function exchangeOf(subject: string): string {
  const tokens = subject.split(".");
  if (tokens.length > 3 && tokens[2] === "up") return tokens.slice(0, 3).join(".");
  return tokens.slice(0, tokens.length > 2 ? 2 : 1).join(".");
}

/** Topic exchanges: their routing keys and final `*` mean what our subjects mean. They outlive a restart of the broker. */
export async function declareExchange(channel: Channel, exchange: string): Promise<void> {
  await channel.assertExchange(exchange, "topic", { durable: true, autoDelete: true });
}

interface Looking {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Told each time that it was not there, with how long it has been missed. */
  readonly absent: (missedMs: number) => void;
}

/** Tries what needs an exchange until the exchange is there. `absent` may throw to give up. */
export async function onceThere(attempt: () => Promise<void>, { clock, signal, absent }: Looking): Promise<void> {
  const beganMs = clock.nowMs();
  for (let waitMs = LOOK_MIN_MS; ; waitMs = Math.min(2 * waitMs, LOOK_MAX_MS)) {
    try {
      await attempt();
      return;
    } catch (thrown) {
      if (!isNotFound(thrown)) throw thrown;
    }
    absent(clock.nowMs() - beganMs);
    await clock.sleep(waitMs, signal);
  }
}

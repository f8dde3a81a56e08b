import type { Channel } from "amqplib";

/** The exchange may vanish with its last binding between one's declaration and one's own binding. */
export const BIND_ATTEMPTS_MAX = 5;

/**
 * The exchange of a subject [P-2.5]: `fanfold.<session id>` for a session's subjects (decision 0008). It is a topic
 * exchange, whose routing keys and final `*` mean what our subjects mean. Not durable, and deleted by the broker with
 * its last binding.
 */
export function exchangeOf(subject: string): string {
  const tokens = subject.split(".");
  return tokens.slice(0, tokens.length > 2 ? 2 : 1).join(".");
}

export async function declareExchange(channel: Channel, exchange: string): Promise<void> {
  await channel.assertExchange(exchange, "topic", { durable: false, autoDelete: true });
}

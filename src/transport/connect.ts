import { FanfoldError } from "../lib/errors.ts";
import { FRAME_BYTES_MIN } from "../protocol/limits.ts";
import type { ConnectOptions, TransportTarget } from "./target.ts";
import type { Transport } from "./transport.ts";

export type { ConnectOptions, TransportTarget } from "./target.ts";

/**
 * Opens a transport. Only the library that is needed is loaded, because start-up time counts.
 *
 * @throws FanfoldError `broker-unreachable` or `broker-denied`, the text never holds a password; `payload-too-large` when
 *   the broker's limit is below what one page of a session needs
 */
export async function connectTransport(target: TransportTarget, options: ConnectOptions): Promise<Transport> {
  const transport = await open(target, options);
  const { payloadLimitBytes } = transport.capabilities;
  if (payloadLimitBytes >= FRAME_BYTES_MIN) return transport;
  await transport.close();
  throw new FanfoldError(
    "payload-too-large",
    `cannot use the broker: it takes payloads of ${payloadLimitBytes} bytes, expected at least ${FRAME_BYTES_MIN}; raise its limit (max_payload of a NATS server)`,
  );
}

async function open(target: TransportTarget, options: ConnectOptions): Promise<Transport> {
  switch (target.kind) {
    case "embedded":
      return (await import("./embedded/client.ts")).connectEmbedded(target, options);
    case "nats":
      return (await import("./nats/nats.ts")).connectNats(target, options);
    case "amqp":
      return (await import("./amqp/amqp.ts")).connectAmqp(target, options);
    default:
      throw new FanfoldError(
        "internal",
        `cannot connect a transport: unknown kind "${String((target satisfies never as { kind: unknown }).kind)}"`,
      );
  }
}

import { FanfoldError } from "../lib/errors.ts";
import type { Transport, WaitOptions } from "./transport.ts";

/** How one process reaches the broker of a session. The coordinator makes it; clients take it as it is. */
export type TransportTarget =
  /** The relay on the coordinator's own port; `ticket` names the member and what it may publish and subscribe to. */
  | { readonly kind: "embedded"; readonly host: string; readonly port: number; readonly ticket: string }
  /** `url` carries the credentials, if any. */
  | { readonly kind: "nats"; readonly url: string }
  | { readonly kind: "amqp"; readonly url: string };

export interface ConnectOptions extends WaitOptions {
  /** Shown by the broker's own monitoring: `fanfold sink alpha`. */
  readonly clientName: string;
}

/**
 * Opens a transport. Only the library that is needed is loaded, because start-up time counts.
 *
 * @throws FanfoldError `broker-unreachable` or `broker-denied`; the text never holds a password.
 */
export async function connectTransport(target: TransportTarget, options: ConnectOptions): Promise<Transport> {
  switch (target.kind) {
    case "embedded":
      return (await import("./embedded/client.ts")).connectEmbedded(target, options);
    case "nats":
      return (await import("./nats.ts")).connectNats(target, options);
    case "amqp":
      return (await import("./amqp.ts")).connectAmqp(target, options);
    default:
      throw new FanfoldError(
        "internal",
        `Connect a transport: unknown kind "${String((target satisfies never as { kind: unknown }).kind)}"`,
      );
  }
}

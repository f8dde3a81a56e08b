import type { BufferPool } from "../lib/buffer-pool.ts";
import type { Clock } from "../lib/clock.ts";
import type { WaitOptions } from "./transport.ts";

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
  readonly clock: Clock;
  /** Memory of large payloads, for a reader who gives it back. A transport whose library has memory of its own takes none. */
  readonly buffers?: BufferPool | undefined;
}

import type { ChannelModel } from "amqplib";
import type { Clock } from "../lib/clock.ts";
import type { BufferPool } from "../lib/memory/buffer-pool.ts";
import type { ClientCertificate } from "../lib/tls/client-certificate.ts";
import type { ServerTrust } from "../lib/tls/server-trust.ts";
import type { WaitOptions } from "./transport.ts";

/** Rights at a NATS server for a while: a user's JWT and the seed of its key. */
export interface NatsCredentials {
  readonly jwt: string;
  readonly seed: string;
}

/** Rights at RabbitMQ for a while: a JWT in the place of the password. */
export interface AmqpCredentials {
  readonly token: string;
}

/** How the TLS of a broker is proven. Its host name is always verified. */
export interface BrokerTls {
  /** The authorities that vouch for it, each as PEM, in the place of those that Node.js knows. */
  readonly ca?: readonly string[] | undefined;
  /** Shown to a broker that asks for one. */
  readonly certificate?: ClientCertificate | undefined;
}

interface BrokerTarget<Credentials> extends BrokerTls {
  /** It carries the credentials, unless there are others. */
  readonly url: string;
  /** The newest that there are: each new link asks for them. */
  readonly credentials?: (() => Credentials) | undefined;
}

/** How one process reaches the broker of a session. The coordinator makes it; clients take it as it is. */
export type TransportTarget =
  /** The relay on the coordinator's own port. */
  | EmbeddedTarget
  | ({ readonly kind: "nats" } & BrokerTarget<NatsCredentials>)
  | ({ readonly kind: "amqp" } & BrokerTarget<AmqpCredentials> & AmqpExchanges);

export interface EmbeddedTarget {
  readonly kind: "embedded";
  readonly host: string;
  readonly port: number;
  /** Names the member and what it may publish and subscribe to. */
  readonly ticket: string;
  /** Absent: the coordinator's port has no TLS. */
  readonly tls?: ServerTrust | undefined;
  /** All that passes is sealed, so links need no TLS. Each new link asks. */
  readonly isSealed?: boolean | undefined;
}

export type NatsTarget = Extract<TransportTarget, { kind: "nats" }>;
export type AmqpTarget = Extract<TransportTarget, { kind: "amqp" }>;

interface AmqpExchanges {
  /** A sink's own: all that it gets and says goes through it [P-2.5]. Absent for everybody else. */
  readonly exchange?: string | undefined;
  /** For the coordinator: made anew with each connection. */
  readonly exchanges?: { setUp(model: ChannelModel): Promise<void> } | undefined;
}

export interface ConnectOptions extends WaitOptions {
  /** Shown by the broker's own monitoring: `fanfold sink alpha`. */
  readonly clientName: string;
  readonly clock: Clock;
  /** Memory of large payloads, for a reader who gives it back. A transport whose library has memory of its own takes none. */
  readonly buffers?: BufferPool | undefined;
}

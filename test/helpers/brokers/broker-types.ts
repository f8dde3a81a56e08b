/** A real broker of one test file. Everything ends with `stop`, and with the test process, however that ends. */
export interface TestBroker {
  /** With credentials, if it wants some. */
  readonly url: string;
  readonly port: number;
  /** NATS: the monitoring port. RabbitMQ: the management interface, guest:guest. */
  readonly adminUrl: string;
  stop(): Promise<void>;
  /** Without a graceful end, unless the signal says so. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Kills it and starts it again on the same port. */
  restart(): Promise<void>;
  /** Freezes it: its connections stay, and nothing moves. */
  pause(): Promise<void>;
  resume(): Promise<void>;
}

export interface RabbitBroker extends TestBroker {
  /** Runs rabbitmqctl; resolves with what it prints. */
  ctl(...args: readonly string[]): Promise<string>;
}

export interface NatsOptions {
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
  /** The inside of the user's `permissions { … }`. */
  readonly permissions?: string;
  readonly maxPayloadBytes?: number;
  readonly maxPendingBytes?: number;
  readonly writeDeadlineMs?: number;
}

export interface NatsNode extends TestBroker {
  /** Tells it to stop in a while (lame duck mode). */
  lameDuck(): Promise<void>;
}

/** Servers that make one cluster. */
export interface NatsCluster {
  readonly nodes: readonly NatsNode[];
  /** Names all of them. */
  readonly url: string;
  stop(): Promise<void>;
}

export type RabbitOptions = Readonly<Record<string, never>>;

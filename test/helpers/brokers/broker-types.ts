/** A real broker. Everything ends with `stop`, and with the process that started it, however that ends. */
export interface RunningBroker {
  /** With credentials, if it wants some. */
  readonly url: string;
  readonly port: number;
  /** NATS: the monitoring port. RabbitMQ: the management interface, guest:guest. */
  readonly adminUrl: string;
  stop(): Promise<void>;
}

/** One of one test file, which does with it what it likes. */
export interface TestBroker extends RunningBroker {
  /** Without a graceful end, unless the signal says so. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Kills it and starts it again on the same port. */
  restart(): Promise<void>;
  /** Freezes it: its connections stay, and nothing moves. */
  pause(): Promise<void>;
  resume(): Promise<void>;
}

export interface RunningRabbit extends RunningBroker {
  /** With TLS, when it was asked for. */
  readonly tlsPort: number;
  /** Runs rabbitmqctl; resolves with what it prints. It costs a second of a processor: the management interface does not. */
  ctl(...args: readonly string[]): Promise<string>;
}

export type RabbitBroker = RunningRabbit & TestBroker;

export interface NatsOptions {
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
  /** The inside of the user's `permissions { … }`. */
  readonly permissions?: string;
  readonly maxPayloadBytes?: number;
  readonly maxPendingBytes?: number;
  readonly writeDeadlineMs?: number;
  /** Further lines of its configuration. */
  readonly config?: string;
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

export interface RabbitOptions {
  /** Further lines of its configuration. */
  readonly config?: string;
  /** Besides the management interface. */
  readonly plugins?: readonly string[];
  /** A folder with files that the configuration names. */
  readonly folder?: string;
  /** PEM files below `folder`, for a port with TLS. */
  readonly tls?: {
    readonly authority: string;
    readonly certificate: string;
    readonly key: string;
    readonly asksForCertificate?: boolean;
  };
}

import type { Transport } from "../../src/transport/transport.ts";

/** What an adapter's test gives to the contract suite: how to start a broker of its kind. */
export interface ContractHarness {
  /** Starts a broker that nothing else uses. */
  start(): Promise<ContractBroker>;
  /** Cases this adapter cannot run, each with the reason; it shows in the title of the skipped test. */
  readonly skips?: Readonly<Partial<Record<ContractFeature, string>>>;
}

/** Parts of the contract that an adapter may declare as skipped. Everything else is run against every adapter. */
export type ContractFeature =
  /** `connectWrongCredentials` */
  | "wrong-credentials"
  /** `connectUnreachable` */
  | "unreachable"
  /** `restart` */
  | "restart"
  /** `stallPublisherLink` */
  | "stalled-publisher"
  /** The loss of a stalled subscriber is counted to the message in `status`; else only its bound is checked. */
  | "loss-counted";

/** A running broker. The suite closes every transport it opened before it calls `stop`. */
export interface ContractBroker {
  connect(clientName?: string): Promise<Transport>;
  /** Must reject with `broker-denied`. */
  connectWrongCredentials?(): Promise<Transport>;
  /** Connects to an address where nothing listens: must reject with `broker-unreachable`. */
  connectUnreachable?(): Promise<Transport>;
  /** Ends the broker, with its connections, and starts it again at the same address. */
  restart?(): Promise<void>;
  /** A transport whose link takes no bytes from its client any more, until `release`. */
  stallPublisherLink?(): Promise<StalledPublisher>;
  stop(): Promise<void>;
}

export interface StalledPublisher {
  readonly transport: Transport;
  release(): Promise<void>;
}

/** What publisher and subscribers of one bare loop agree on; given to them as JSON. */
export interface BareLoop {
  readonly kind: BrokerKind;
  readonly url: string;
  /** Sets the names of this run apart from all others at the broker. */
  readonly id: string;
  /** Of the publisher the file to read, of a subscriber the one to write. */
  readonly path: string;
  readonly fileBytes: number;
  /** A whole message, header included. */
  readonly payloadBytes: number;
  readonly subscribers: number;
  /** Of a subscriber: which one it is. */
  readonly index: number;
}

export type BrokerKind = "nats" | "amqp";

/** A client library with a name for each call that the loop needs, and nothing else. */
export interface BareLink {
  /** Hands the message to the library. */
  publish(to: Lane, payload: Uint8Array): void;
  /** Resolves when the broker delivers. */
  subscribe(to: Lane, take: (payload: Uint8Array) => void): Promise<void>;
  /** Ends when the broker has everything that was published. */
  close(): Promise<void>;
}

/** Data to all subscribers, and what each has stored back to the publisher. */
export type Lane = "data" | "stored";

/** Where in the file, and the hash of what follows. */
export const HEADER_BYTES = 8 + 32;
/** Published and not yet stored by the slowest subscriber: as much as fanfold's largest window. */
export const WINDOW_BYTES = 16 * 1024 * 1024;
/** A subscriber says what it has stored as often as this, and at the end. */
export const STORED_EVERY_BYTES = 1024 * 1024;

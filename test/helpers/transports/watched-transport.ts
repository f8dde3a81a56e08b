import type {
  Payload,
  Subscription,
  Transport,
  TransportMessage,
  WaitOptions,
} from "../../../src/transport/transport.ts";
import { ForwardingTransport } from "./forwarding-transport.ts";

/** Told of each payload before it is published. */
export type PublishWatch = (payload: Uint8Array, subject: string) => void;

/** A transport whose user publishes before the eyes of a test. */
export class WatchedTransport extends ForwardingTransport {
  readonly #watch: PublishWatch;

  constructor(inner: Transport, watch: PublishWatch) {
    super(inner);
    this.#watch = watch;
  }

  override publish(subject: string, payload: Payload, options: WaitOptions): Promise<void> {
    this.#watch(payload instanceof Uint8Array ? payload : Buffer.concat(payload), subject);
    return super.publish(subject, payload, options);
  }

  protected override received(inner: Subscription): AsyncIterator<TransportMessage, void, undefined> {
    return inner[Symbol.asyncIterator]();
  }
}

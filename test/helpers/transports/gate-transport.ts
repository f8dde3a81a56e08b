import type { Payload, Subscription, TransportMessage, WaitOptions } from "../../../src/transport/transport.ts";
import { ForwardingTransport } from "./forwarding-transport.ts";

/** A transport whose user can be frozen, as by SIGSTOP, or made to take its messages slowly. */
export class GateTransport extends ForwardingTransport {
  #opened = Promise.resolve();
  #open: (() => void) | undefined;
  /** Time that each message takes, in real milliseconds. */
  messageMs = 0;

  /** Nothing is taken and nothing said any more. */
  freeze(): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#opened = promise;
    this.#open = resolve;
  }

  thaw(): void {
    this.#open?.();
  }

  override async publish(subject: string, payload: Payload, options: WaitOptions): Promise<void> {
    await this.#opened;
    await super.publish(subject, payload, options);
  }

  protected override async *received(inner: Subscription): AsyncGenerator<TransportMessage, void, undefined> {
    for await (const message of inner) {
      await this.#opened;
      if (this.messageMs > 0) await new Promise((resolve) => setTimeout(resolve, this.messageMs));
      yield message;
    }
  }
}

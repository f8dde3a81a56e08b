import { connect } from "amqplib";
import { exchangeOf } from "../../../src/transport/amqp/exchange.ts";
import type { Transport } from "../../../src/transport/transport.ts";

/** Makes exchanges that no session has, and that stay: a transport makes none itself. */
export class MadeExchanges {
  readonly #url: string;
  readonly #made = new Map<string, Promise<void>>();

  /** @param url with the right to configure */
  constructor(url: string) {
    this.#url = url;
  }

  /** The same transport. The exchange of every subject comes when it is used: as in a session, the transport waits for it. */
  with(transport: Transport): Transport {
    return {
      capabilities: transport.capabilities,
      publish: (subject, payload, options) => {
        this.#make(subject);
        return transport.publish(subject, payload, options);
      },
      subscribe: (subject, options) => {
        this.#make(subject);
        return transport.subscribe(subject, options);
      },
      status: () => transport.status(),
      drain: (options) => transport.drain(options),
      close: () => transport.close(),
    };
  }

  /** A broker that was killed may have lost what was made just before, and a coordinator makes it again. */
  async makeAgain(): Promise<void> {
    for (const exchange of this.#made.keys()) await this.#declare(exchange);
  }

  #make(subject: string): void {
    const exchange = exchangeOf(subject);
    if (!this.#made.has(exchange)) this.#made.set(exchange, this.#declare(exchange));
  }

  async #declare(exchange: string): Promise<void> {
    const connection = await connect(this.#url);
    // A test may end the broker right now. Whoever waits for an answer hears of it.
    connection.on("error", () => undefined);
    const channel = await connection.createChannel();
    await channel.assertExchange(exchange, "topic", { durable: true, autoDelete: false });
    await connection.close();
  }
}

import { amqpServers, openAmqp } from "../../src/transport/amqp/open-amqp.ts";
import type { BareLink } from "./loop.ts";

/** Nothing is confirmed or acknowledged at the broker: the subscribers say themselves what they have stored. */
export async function openAmqpLink(url: string, id: string): Promise<BareLink> {
  const { signal } = new AbortController();
  const [server] = await amqpServers(url, signal);
  if (server === undefined) throw new Error("the URL names no server");
  const { model } = await openAmqp({ kind: "amqp", url }, { server, name: "bare loop", signal });
  const channel = await model.createChannel();
  const exchangeOf = (to: string): string => `bare.${id}.${to}`;
  for (const to of ["data", "stored"])
    await channel.assertExchange(exchangeOf(to), "fanout", { durable: false, autoDelete: true });
  return {
    publish(to, payload) {
      channel.publish(exchangeOf(to), "", Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength), {
        deliveryMode: 1,
      });
    },
    async subscribe(to, take) {
      const { queue } = await channel.assertQueue("", { exclusive: true, durable: false });
      await channel.bindQueue(queue, exchangeOf(to), "");
      const deliver = (message: { readonly content: Buffer } | null): void => {
        if (message === null) throw new Error("the broker ended the subscription");
        take(message.content);
      };
      await channel.consume(queue, deliver, { noAck: true, exclusive: true });
    },
    async close() {
      await channel.close();
      await model.close();
    },
  };
}

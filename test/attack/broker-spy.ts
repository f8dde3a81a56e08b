import { connect as connectNats } from "@nats-io/transport-node";
import { connect as connectAmqp } from "amqplib";
import { expect } from "vitest";
import { askRabbit } from "../helpers/brokers/rabbit-admin.ts";
import type { ScopedRabbit } from "../helpers/brokers/scoped-rabbit.ts";

/** Somebody with all rights at a broker, who keeps whatever passes it. */
export interface BrokerSpy extends AsyncDisposable {
  /** All payloads of each subject, one behind the other. */
  readonly heard: ReadonlyMap<string, readonly Buffer[]>;
  /** Hears all of this session from now on. */
  follow(sessionId: string): Promise<void>;
}

class Heard extends Map<string, Buffer[]> {
  add(subject: string, payload: Uint8Array): void {
    const before = this.get(subject) ?? [];
    before.push(Buffer.from(payload));
    this.set(subject, before);
  }
}

export async function spyAtNats(url: string): Promise<BrokerSpy> {
  const { username, password, host } = new URL(url);
  const [user, pass] = [decodeURIComponent(username), decodeURIComponent(password)];
  const connection = await connectNats({ servers: host, user, pass });
  const heard = new Heard();
  connection.subscribe(">", { callback: (_error, { subject, data }) => heard.add(subject, data) });
  return {
    heard,
    follow: () => connection.flush(),
    [Symbol.asyncDispose]: () => connection.close(),
  };
}

interface Named {
  readonly name: string;
}

export async function spyAtRabbit(broker: ScopedRabbit): Promise<BrokerSpy> {
  const connection = await connectAmqp(broker.rootUrl);
  const channel = await connection.createChannel();
  const heard = new Heard();
  const { queue } = await channel.assertQueue("", { exclusive: true });
  await channel.consume(queue, (message) => message && heard.add(message.fields.routingKey, message.content), {
    noAck: true,
  });
  const exchangesOf = async (sessionId: string): Promise<string[]> => {
    const all = await askRabbit<Named[]>(broker, `exchanges/${broker.vhost}?disable_stats=true`);
    return all.map(({ name }) => name).filter((name) => name.startsWith(`fanfold.${sessionId}`));
  };
  return {
    heard,
    async follow(sessionId) {
      await expect.poll(() => exchangesOf(sessionId)).toContain(`fanfold.${sessionId}`);
      for (const exchange of await exchangesOf(sessionId)) await channel.bindQueue(queue, exchange, "#");
    },
    [Symbol.asyncDispose]: () => connection.close(),
  };
}

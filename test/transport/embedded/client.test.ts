import { createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/lib/clock.ts";
import { FanfoldError } from "../../../src/lib/errors.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { connectEmbedded, type EmbeddedOptions } from "../../../src/transport/embedded/client.ts";
import type { RelayPermissions } from "../../../src/transport/embedded/relay.ts";
import { encodeControl } from "../../../src/transport/embedded/wire.ts";
import type { Transport } from "../../../src/transport/transport.ts";
import {
  expectCode,
  NEVER,
  numbered,
  numberOf,
  readerOf,
  roundTrips,
  WIDE,
  watchStatus,
} from "../../contract/contract-tools.ts";
import { answerAsRelay } from "../../helpers/brokers/relay-hand.ts";
import { MAY_ALL, type RelayServer, startRelayServer, ticketNamed } from "../../helpers/brokers/relay-server.ts";
import { startTcpProxy, type TcpProxy } from "../../helpers/brokers/tcp-proxy.ts";
import { handClock } from "../../helpers/hand-clock.ts";

const open: { close(): Promise<unknown> }[] = [];
/** No wait between tries. */
const HASTE = { ...systemRandom, fraction: () => 0 };

function closing<T extends { close(): Promise<unknown> }>(thing: T): T {
  open.push(thing);
  return thing;
}

afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
});

async function relay(permissions: RelayPermissions | undefined = MAY_ALL): Promise<RelayServer> {
  return closing(await startRelayServer({ authorize: () => permissions }));
}

async function client(port: number, options: Partial<EmbeddedOptions> = {}): Promise<Transport> {
  const target = { kind: "embedded", host: "127.0.0.1", port, ticket: ticketNamed("good") } as const;
  return closing(await connectEmbedded(target, { clientName: "test", clock: systemClock, signal: NEVER, ...options }));
}

/** A server that says what a test wants; it gives the port. */
async function stranger(onClient: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    onClient(socket);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  closing({
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function proxied(port: number): Promise<TcpProxy> {
  return closing(await startTcpProxy(port));
}

describe("connectEmbedded", () => {
  test.each([
    "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
    "220 mail.example ESMTP, for the domain of that name\r\n",
  ])("tells an answer that is no relay's as broker-unreachable: %j", async (answer) => {
    const port = await stranger((socket) => socket.write(answer));
    await expect(client(port)).rejects.toThrow(/want the relay of this coordinator there/);
    await expectCode(client(port), "broker-unreachable");
  });

  test("tells a connection that ends without an answer as broker-unreachable", async () => {
    const port = await stranger((socket) => socket.destroy());
    await expectCode(client(port), "broker-unreachable");
  });

  test("gives up on a server that does not answer after ten seconds", async () => {
    const clock = handClock();
    const port = await stranger(() => clock.advance(10_000));
    await expect(client(port, { clock })).rejects.toThrow(/found no answer within 10 s/);
  });

  test("gives up on a server that does not answer when its signal aborts", async () => {
    const controller = new AbortController();
    const port = await stranger(() => controller.abort(new FanfoldError("interrupted", "The test gave up")));
    await expectCode(client(port, { signal: controller.signal }), "interrupted");
  });

  test("refuses what cannot be a ticket", async () => {
    const target = { kind: "embedded", host: "127.0.0.1", port: 1, ticket: "a\r\nX: y" } as const;
    await expectCode(
      connectEmbedded(target, { clientName: "test", clock: systemClock, signal: NEVER }),
      "broker-denied",
    );
  });
});

describe("a client of the relay", () => {
  test("is refused a forbidden subscription, and its connection stays", async () => {
    const { port } = await relay({ ...MAY_ALL, maySubscribe: (subject) => subject !== "fanfold.secret.*" });
    const transport = await client(port);
    await expectCode(transport.subscribe("fanfold.secret.*", WIDE), "broker-denied");
    await roundTrips(transport, 1);
  });

  test("is refused a publish on a forbidden subject from the relay's answer on, and its connection stays", async () => {
    const { port } = await relay({ ...MAY_ALL, mayPublish: (subject) => subject !== "fanfold.secret" });
    const [publisher, subscriber] = [await client(port), await client(port)];
    const reader = readerOf(await subscriber.subscribe("fanfold.secret", WIDE));
    // A large one shows that the relay reads past what it refuses.
    await publisher.publish("fanfold.secret", numbered(1, 2_000_000), { signal: NEVER });
    await roundTrips(publisher, 1);
    await expectCode(publisher.publish("fanfold.secret", numbered(2), { signal: NEVER }), "broker-denied");
    await roundTrips(subscriber, 1);
    await subscriber.close();
    expect(await reader.rest()).toEqual([]);
  });

  test("is refused a message that is larger than it may publish, which nobody gets", async () => {
    const { port } = await relay({ ...MAY_ALL, messageBytesMax: 1000 });
    const [publisher, subscriber] = [await client(port), await client(port)];
    const reader = readerOf(await subscriber.subscribe("fanfold.up", WIDE));
    await publisher.publish("fanfold.up", numbered(1, 1000), { signal: NEVER });
    await publisher.publish("fanfold.up", numbered(2, 1001), { signal: NEVER });
    await roundTrips(publisher, 1);
    await expectCode(publisher.publish("fanfold.up", numbered(3), { signal: NEVER }), "broker-denied");
    expect((await reader.take(1)).map(({ payload }) => payload.length)).toEqual([1000]);
    await subscriber.close();
    expect(await reader.rest()).toEqual([]);
  });

  test("has no more than 64 subscriptions", async () => {
    const { port } = await relay();
    const transport = await client(port);
    for (let index = 0; index < 64; index += 1) await transport.subscribe(`fanfold.n${index}`, WIDE);
    await expectCode(transport.subscribe("fanfold.more", WIDE), "broker-denied");
    await roundTrips(await client(port), 1);
  });

  test("holds its publishers while the link is broken, and sends what they had when it is back, in order", async () => {
    const { port } = await relay();
    const proxy = await proxied(port);
    const [publisher, subscriber] = [await client(proxy.port), await client(port)];
    const reader = readerOf(await subscriber.subscribe("fanfold.data", WIDE));
    const status = watchStatus(publisher);
    proxy.stallFromClients();
    const burst = Array.from({ length: 40 }, (_, index) =>
      publisher.publish("fanfold.data", numbered(index, 1_000_000), { signal: NEVER }),
    );
    await roundTrips(subscriber, 5);
    proxy.resume();
    proxy.cut();
    await status.until(() => status.seen.some(({ type }) => type === "reconnected"));
    await Promise.all(burst);
    await publisher.publish("fanfold.data", numbered(40), { signal: NEVER });
    const received: number[] = [];
    while (received.at(-1) !== 40) received.push(...(await reader.take(1)).map(numberOf));
    // What the broken link had taken may be lost, or come twice; the rest comes in order.
    const tail = received.slice(received.lastIndexOf(received.find((number) => number > 20) ?? 0));
    expect(tail).toEqual([...tail].sort((a, b) => a - b));
    expect(received.slice(-2)).toEqual([39, 40]);
  });

  test("rejects a publisher as broker-lost when its signal aborts while there is no link", async () => {
    const server = await relay();
    const transport = await client(server.port);
    const status = watchStatus(transport);
    await server.close();
    await status.until(() => status.seen.some(({ type }) => type === "disconnected"));
    const signal = AbortSignal.timeout(1);
    await expectCode(transport.publish("fanfold.data", numbered(1), { signal }), "broker-lost");
  });

  test("comes back with the ticket that it was given in between, after some refusals", async () => {
    const tickets = ["first"];
    const asked: string[] = [];
    const authorize = (ticket: string) => {
      asked.push(ticket);
      if (asked.length === 4) tickets.push("second");
      return ticket === (asked.length > 1 ? "second" : "first") ? MAY_ALL : undefined;
    };
    const server = closing(await startRelayServer({ authorize }));
    const proxy = await proxied(server.port);
    const target = {
      ...({ kind: "embedded", host: "127.0.0.1", port: proxy.port } as const),
      get ticket() {
        return ticketNamed(tickets.at(-1) ?? "");
      },
    };
    const transport = closing(
      await connectEmbedded(target, { clientName: "test", clock: systemClock, signal: NEVER, random: HASTE }),
    );
    const status = watchStatus(transport);
    proxy.cut();
    await status.until(() => status.seen.some(({ type }) => type === "reconnected"));
    expect(asked).toEqual(["first", "first", "first", "first", "second"]);
  });

  test("ends when the relay denies its ticket again and again on a reconnect, and tells its publishers", async () => {
    let valid = true;
    const server = closing(await startRelayServer({ authorize: () => (valid ? MAY_ALL : undefined) }));
    const proxy = await proxied(server.port);
    const transport = await client(proxy.port, { random: HASTE });
    const status = watchStatus(transport);
    const reader = readerOf(await transport.subscribe("fanfold.data", WIDE));
    valid = false;
    proxy.stallFromClients();
    const held = Array.from({ length: 60 }, () =>
      expectCode(transport.publish("fanfold.other", numbered(1, 1_000_000), { signal: NEVER }), "broker-denied").catch(
        () => "accepted before",
      ),
    );
    proxy.resume();
    proxy.cut();
    await status.until(() => status.seen.some(({ type }) => type === "closed"));
    expect(status.seen.at(-1)).toMatchObject({ type: "closed", reason: expect.stringContaining("refused the ticket") });
    expect((await Promise.all(held)).filter((outcome) => outcome === undefined).length).toBeGreaterThan(0);
    await expectCode(transport.publish("fanfold.data", numbered(1), { signal: NEVER }), "broker-denied");
    expect(await reader.rest()).toEqual([]);
  });

  test("pings each five seconds, and lets go of a link that stays silent for fifteen", async () => {
    const server = await relay();
    const proxy = await proxied(server.port);
    const clock = handClock();
    const transport = await client(proxy.port, { clock });
    const status = watchStatus(transport);
    for (let index = 0; index < 10; index += 1) {
      clock.advance(5000);
      await roundTrips(transport, 1);
    }
    expect(status.seen).toEqual([]);
    proxy.stallFromTarget();
    for (let index = 0; index < 5; index += 1) clock.advance(5000);
    await status.until(() => status.seen.some(({ type }) => type === "disconnected"));
    expect(status.seen[0]).toMatchObject({ reason: expect.stringContaining("said nothing for 15 s") });
  });

  test("lets go of a link on which the stream is damaged", async () => {
    let said = 0;
    const port = await stranger((socket) =>
      answerAsRelay(socket, ticketNamed("good"), (verdict) => {
        socket.write(verdict);
        socket.on("data", () => {
          said += 1;
          socket.write(said === 1 ? encodeControl({ op: "pong", id: 1 }) : "garbage that is no frame");
        });
      }),
    );
    const transport = await client(port);
    const status = watchStatus(transport);
    await transport.publish("fanfold.data", numbered(1), { signal: NEVER });
    await status.until(() => status.seen.some(({ type }) => type === "disconnected"));
    expect(status.seen[0]).toMatchObject({ reason: expect.stringContaining("cannot decode the stream of the relay") });
  });

  test("does not count as connected when the link breaks with the relay's answer", async () => {
    const port = await stranger((socket) =>
      answerAsRelay(socket, ticketNamed("good"), (verdict) => {
        socket.end(Buffer.concat([verdict, Buffer.from("garbage that is no frame")]));
      }),
    );
    await expectCode(client(port), "damaged");
  });

  test("gives each payload an ArrayBuffer of its own, which can be transferred", async () => {
    const { port } = await relay();
    const transport = await client(port);
    const reader = readerOf(await transport.subscribe("fanfold.data", WIDE));
    for (const bytes of [8, 5000, 100_000]) {
      await transport.publish("fanfold.data", numbered(1, bytes), { signal: NEVER });
      const [message] = await reader.take(1);
      expect(message?.payload.buffer.byteLength).toBe(bytes);
      structuredClone(message?.payload, { transfer: [message?.payload.buffer as ArrayBuffer] });
    }
    await roundTrips(transport, 1);
  });
});

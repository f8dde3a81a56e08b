import { connect, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/lib/clock.ts";
import { connectEmbedded } from "../../../src/transport/embedded/client.ts";
import { encodeControl, encodeHead, MESSAGE_BYTES_MAX } from "../../../src/transport/embedded/wire.ts";
import { connectRouter } from "../../../src/transport/memory.ts";
import type { Transport } from "../../../src/transport/transport.ts";
import { NEVER, numbered, numberOf, readerOf, roundTrips, WIDE, watchStatus } from "../../contract/contract-tools.ts";
import { MAY_ALL, type RelayServer, startRelayServer } from "../../helpers/brokers/relay-server.ts";
import { startTcpProxy } from "../../helpers/brokers/tcp-proxy.ts";

const open: { close(): Promise<unknown> }[] = [];

function closing<T extends { close(): Promise<unknown> }>(thing: T): T {
  open.push(thing);
  return thing;
}

afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
});

async function relay(): Promise<RelayServer> {
  return closing(await startRelayServer({ authorize: (ticket) => (ticket === "good" ? MAY_ALL : undefined) }));
}

async function client(port: number): Promise<Transport> {
  const target = { kind: "embedded", host: "127.0.0.1", port, ticket: "good" } as const;
  return closing(await connectEmbedded(target, { clientName: "test", clock: systemClock, signal: NEVER }));
}

/** A socket that speaks by hand. */
interface HandClient {
  readonly socket: Socket;
  /** Everything received until the relay ends the connection. */
  readonly answer: Promise<Buffer>;
}

function handClient(port: number, ...pieces: readonly (string | Uint8Array)[]): HandClient {
  const socket = connect(port, "127.0.0.1");
  closing({ close: async () => socket.destroy() });
  socket.on("error", () => undefined);
  const received: Buffer[] = [];
  socket.on("data", (bytes) => received.push(bytes));
  const answer = new Promise<Buffer>((resolve) => {
    socket.on("close", () => resolve(Buffer.concat(received)));
  });
  // As one write, so that the relay's server has the frames as `head` of the upgrade.
  socket.write(Buffer.concat(pieces.map((piece) => Buffer.from(piece as Uint8Array))));
  return { socket, answer };
}

function upgrade({ ticket = "good", protocol = "fanfold-relay/1" } = {}): string {
  const lines = ["GET /relay HTTP/1.1", "Host: x", "Connection: Upgrade", `Upgrade: ${protocol}`];
  return [...lines, `Authorization: Bearer ${ticket}`, "", ""].join("\r\n");
}

describe("the relay", () => {
  test("takes the frames that came together with the upgrade request", async () => {
    const { port } = await relay();
    const subscriber = await client(port);
    const reader = readerOf(await subscriber.subscribe("fanfold.data", WIDE));
    const head = encodeHead({ op: "pub", id: 0, subject: "fanfold.data", payloadBytes: 8 });
    handClient(port, upgrade(), head, numbered(7));
    expect((await reader.take(1)).map(numberOf)).toEqual([7]);
  });

  test.each([
    ["401", upgrade({ ticket: "bad" })],
    ["401", upgrade().replace(/Authorization.*\r\n/, "")],
    ["426", upgrade({ protocol: "websocket" })],
  ])("answers %s and ends the connection: %j", async (status, request) => {
    const { port, relay: server } = await relay();
    const { answer } = handClient(port, request);
    expect((await answer).toString()).toContain(`HTTP/1.1 ${status} `);
    expect(server.connections).toBe(0);
  });

  test.each([
    ["garbage", Buffer.from("garbage that is no frame")],
    ["a frame of its own kind", encodeControl({ op: "pong", id: 1 })],
    ["a message over the limit", encodeHead({ op: "pub", id: 0, subject: "a.b", payloadBytes: MESSAGE_BYTES_MAX + 1 })],
    ["a subscription without a number", encodeControl({ op: "sub", id: 0, subject: "a.b", queueBytes: 1 })],
  ])("cuts a client that sends %s, and serves the others", async (_what, bytes) => {
    const { port } = await relay();
    const other = await client(port);
    await handClient(port, upgrade(), bytes).answer;
    await roundTrips(other, 1);
  });

  test("cuts a client that asks for answers without reading them", async () => {
    const { port } = await relay();
    const other = await client(port);
    const { socket, answer } = handClient(port, upgrade());
    socket.pause();
    // Subscriptions beyond the most are refused, with their subject.
    const subject = "a".repeat(255);
    const subs = Array.from({ length: 1000 }, (_, index) =>
      encodeControl({ op: "sub", id: index + 1, subject, queueBytes: 1 }),
    );
    socket.write(Buffer.concat(subs));
    const refused = Buffer.concat(subs.slice(64));
    const flood = (): void => {
      while (!socket.destroyed && socket.write(refused));
    };
    socket.on("drain", flood);
    flood();
    await answer;
    await roundTrips(other, 1);
  });

  test("drops what a frozen client cannot take, tells it later how much, and holds nobody", async () => {
    const { port } = await relay();
    const proxy = closing(await startTcpProxy(port));
    const [publisher, frozen] = [await client(port), await client(proxy.port)];
    const status = watchStatus(frozen);
    const reader = readerOf(await frozen.subscribe("fanfold.data", { signal: NEVER, queueBytes: 4_000_000 }));
    proxy.stallFromTarget();
    const count = 60;
    for (let index = 0; index < count; index += 1) {
      await publisher.publish("fanfold.data", numbered(index, 1_000_000), { signal: NEVER });
    }
    await roundTrips(publisher, 3);
    proxy.resume();
    await status.until(() => status.lost() > 0);
    await roundTrips(frozen, 3);
    await frozen.drain({ signal: NEVER });
    const kept = (await reader.rest()).map(numberOf);
    expect(kept.length + status.lost()).toBe(count);
    expect(kept).toEqual([...kept].sort((a, b) => a - b));
  });

  test("passes messages between its clients and the subscribers of its own process", async () => {
    const { port, relay: server } = await relay();
    const own = closing(connectRouter(server.router, { kind: "embedded" }));
    const remote = await client(port);
    const here = readerOf(await own.subscribe("fanfold.up.*", WIDE));
    const there = readerOf(await remote.subscribe("fanfold.data", WIDE));
    await remote.publish("fanfold.up.alpha", numbered(1), { signal: NEVER });
    expect((await here.take(1)).map((message) => [message.subject, numberOf(message)])).toEqual([
      ["fanfold.up.alpha", 1],
    ]);
    const payload = numbered(2, 50_000);
    await own.publish("fanfold.data", payload, { signal: NEVER });
    payload.fill(0);
    expect((await there.take(1)).map(numberOf)).toEqual([2]);
    expect(own.capabilities.kind).toBe("embedded");
  });

  test("ends every connection when it is closed, and takes no more", async () => {
    const server = await relay();
    const transport = await client(server.port);
    const status = watchStatus(transport);
    expect(server.relay.connections).toBe(1);
    await Promise.all([server.relay.close(), server.relay.close()]);
    expect(server.relay.connections).toBe(0);
    await status.until(() => status.seen.some(({ type }) => type === "disconnected"));
    const { answer } = handClient(server.port, upgrade());
    expect((await answer).toString()).toContain("HTTP/1.1 503 ");
  });

  test("forgets the subscriptions of a client that is gone", async () => {
    const { port, relay: server } = await relay();
    const [gone, other] = [await client(port), await client(port)];
    await gone.subscribe("fanfold.data", WIDE);
    await gone.close();
    await roundTrips(other, 2);
    expect(server.router.publish({ subject: "fanfold.data", parts: [], bytes: 0, hold: () => () => undefined })).toBe(
      0,
    );
  });
});

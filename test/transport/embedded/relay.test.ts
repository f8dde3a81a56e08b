import { afterEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/lib/clock.ts";
import { ServerTrust } from "../../../src/lib/tls/server-trust.ts";
import { connectEmbedded } from "../../../src/transport/embedded/client.ts";
import { encodeControl, encodeHead, MESSAGE_BYTES_MAX } from "../../../src/transport/embedded/wire.ts";
import { connectRouter } from "../../../src/transport/router-transport.ts";
import type { Transport } from "../../../src/transport/transport.ts";
import { NEVER, numbered, numberOf, readerOf, roundTrips, WIDE, watchStatus } from "../../contract/contract-tools.ts";
import { type HandLink, handLink } from "../../helpers/brokers/relay-hand.ts";
import { MAY_ALL, type RelayServer, startRelayServer, ticketNamed } from "../../helpers/brokers/relay-server.ts";
import { startTcpProxy } from "../../helpers/brokers/tcp-proxy.ts";
import { selfMade } from "../../helpers/tls/certificates.ts";

const open: { close(): Promise<unknown> }[] = [];

function closing<T extends { close(): Promise<unknown> }>(thing: T): T {
  open.push(thing);
  return thing;
}

afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
});

async function relay(): Promise<RelayServer> {
  return closing(await startRelayServer({ authorize: (name) => (name === "good" ? MAY_ALL : undefined) }));
}

async function client(port: number): Promise<Transport> {
  const target = { kind: "embedded", host: "127.0.0.1", port, ticket: ticketNamed("good") } as const;
  return closing(await connectEmbedded(target, { clientName: "test", clock: systemClock, signal: NEVER }));
}

/** Over TLS, or without it where all is sealed. */
async function exposable(port: number, pair: { readonly pin: string }, isSealed: boolean): Promise<Transport> {
  const tls = new ServerTrust({ pin: pair.pin });
  const target = { kind: "embedded", host: "127.0.0.1", port, ticket: ticketNamed("good"), tls, isSealed } as const;
  return closing(await connectEmbedded(target, { clientName: "test", clock: systemClock, signal: NEVER }));
}

/** A link that speaks by hand. */
async function byHand(port: number, name = "good"): Promise<HandLink> {
  const link = await handLink(port, ticketNamed(name));
  closing({ close: async () => link.socket.destroy() });
  return link;
}

describe("the relay", () => {
  test("cuts all connections of one owner, and those of nobody else", async () => {
    const authorize = (name: string) => ({ ...MAY_ALL, owner: name });
    const { port, relay: cut } = closing(await startRelayServer({ authorize }));
    const [first, second] = [await byHand(port, "one"), await byHand(port, "one")];
    const other = await byHand(port, "two");
    expect(cut.connections).toBe(3);
    cut.cut("one");
    await Promise.all([first.rest, second.rest]);
    expect([cut.connections, other.socket.destroyed]).toEqual([1, false]);
  });

  test("carries what is not sealed over TLS only, whoever sends it", async () => {
    const pair = selfMade();
    let isSealed = true;
    const permissions = { ...MAY_ALL, mayBeExposed: () => isSealed };
    const { port } = closing(await startRelayServer({ authorize: () => permissions, tls: pair }));
    const [exposed, hidden] = [await exposable(port, pair, true), await exposable(port, pair, false)];
    const there = readerOf(await exposed.subscribe("fanfold.data", WIDE));
    const here = readerOf(await hidden.subscribe("fanfold.data", WIDE));
    for (const [number, publisher] of [exposed, hidden].entries())
      await publisher.publish("fanfold.data", numbered(number), { signal: NEVER });
    expect((await there.take(2)).map(numberOf).sort()).toEqual([0, 1]);
    expect((await here.take(2)).map(numberOf).sort()).toEqual([0, 1]);
    isSealed = false;
    const status = watchStatus(exposed);
    await exposed.publish("fanfold.data", numbered(2), { signal: NEVER });
    await status.until(() => status.seen.some(({ type }) => type === "reconnected"));
    expect(status.seen[0]).toMatchObject({ reason: expect.stringContaining("the link goes on over TLS") });
    // What was refused was not passed on, and what is said over TLS is.
    await exposed.publish("fanfold.data", numbered(3), { signal: NEVER });
    expect((await here.take(1)).map(numberOf)).toEqual([3]);
    expect((await there.take(1)).map(numberOf)).toEqual([3]);
  });

  test("gives nothing that is not sealed to a link without TLS", async () => {
    const pair = selfMade();
    let isSealed = false;
    const permissions = { ...MAY_ALL, mayBeExposed: () => isSealed };
    const { port, relay: server } = closing(await startRelayServer({ authorize: () => permissions, tls: pair }));
    const exposed = await exposable(port, pair, true);
    const heard = readerOf(await exposed.subscribe("fanfold.data", WIDE));
    const own = closing(connectRouter(server.router, { kind: "embedded" }));
    await own.publish("fanfold.data", numbered(1), { signal: NEVER });
    isSealed = true;
    await own.publish("fanfold.data", numbered(2), { signal: NEVER });
    expect((await heard.take(1)).map(numberOf)).toEqual([2]);
  });

  test.each([
    ["garbage", Buffer.from("garbage that is no frame")],
    ["a frame of its own kind", encodeControl({ op: "pong", id: 1 })],
    ["a message over the limit", encodeHead({ op: "pub", id: 0, subject: "a.b", payloadBytes: MESSAGE_BYTES_MAX + 1 })],
    ["a subscription without a number", encodeControl({ op: "sub", id: 0, subject: "a.b", queueBytes: 1 })],
  ])("cuts a client that sends %s, and serves the others", async (_what, bytes) => {
    const { port } = await relay();
    const other = await client(port);
    const { socket, rest } = await byHand(port);
    socket.write(bytes);
    await rest;
    await roundTrips(other, 1);
  });

  test("cuts a client that asks for answers without reading them", async () => {
    const { port } = await relay();
    const other = await client(port);
    const { socket, rest } = await byHand(port);
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
    await rest;
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
    await expect(byHand(server.port)).rejects.toThrow(/takes no clients now/);
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

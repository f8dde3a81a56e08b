import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../src/lib/clock.ts";
import { ServerTrust } from "../../../src/lib/tls/server-trust.ts";
import { connectEmbedded } from "../../../src/transport/embedded/client.ts";
import type { Transport } from "../../../src/transport/transport.ts";
import { MAY_ALL, type RelayServer, startRelayServer, ticketNamed } from "../../helpers/brokers/relay-server.ts";
import { startTcpProxy } from "../../helpers/brokers/tcp-proxy.ts";
import { type KeyPair, selfMade } from "../../helpers/tls/certificates.ts";
import { startTlsServer } from "../../helpers/tls/tls-server.ts";

const { signal } = new AbortController();
const TICKET = ticketNamed("member");

async function relayWith(tls: KeyPair, at: { readonly port?: number } = {}): Promise<RelayServer> {
  return await startRelayServer({ authorize: () => MAY_ALL, tls, ...at });
}

async function connectTo(port: number, tls: ServerTrust, isSealed = false): Promise<Transport> {
  const target = { kind: "embedded", host: "127.0.0.1", port, ticket: TICKET, tls, isSealed } as const;
  const transport = await connectEmbedded(target, { clientName: "test", clock: systemClock, signal });
  onTestFinished(() => transport.close());
  return transport;
}

test("a link comes back to a relay whose certificate was renewed meanwhile", async () => {
  const pair = selfMade();
  let server = await relayWith(pair);
  onTestFinished(() => server.close());
  const { port } = server;
  const transport = await connectTo(port, new ServerTrust({ pin: pair.pin }));
  const subscription = await transport.subscribe("there", { signal, queueBytes: 1024 });
  const back = (async () => {
    for await (const { type } of transport.status()) if (type === "reconnected") return type;
    return "closed";
  })();
  await server.close();
  server = await relayWith(pair.renewed(), { port });
  expect(await back).toBe("reconnected");
  await transport.publish("there", Buffer.from("over the new link"), { signal });
  for await (const { payload } of subscription) {
    expect(String(payload)).toBe("over the new link");
    break;
  }
});

test("who has another key than the coordinator gets no ticket", async () => {
  const between = await startTlsServer(selfMade());
  const refused = connectTo(between.port, new ServerTrust({ pin: selfMade().pin }));
  await expect(refused).rejects.toMatchObject({
    code: "pin-mismatch",
    message: expect.stringContaining(`cannot connect to the relay at "127.0.0.1:${between.port}": it has the key`),
  });
  expect(between.received).toBe("");
});

/** The first byte of each link. */
async function watched(port: number, isThrough: (first: number | undefined) => boolean = () => true) {
  const firsts = new Map<string, number | undefined>();
  const proxy = await startTcpProxy(port, "127.0.0.1", (way, bytes) => {
    if (!way.endsWith(" to the target") || firsts.has(way)) return;
    firsts.set(way, bytes[0]);
    if (!isThrough(bytes[0])) proxy.cut();
  });
  onTestFinished(() => proxy.close());
  return { port: proxy.port, seen: () => [...firsts.values()] };
}

const [TLS, PLAIN] = [0x16, 0xff];

test("what is sealed goes without TLS, and all else over it", async () => {
  const pair = selfMade();
  const server = await relayWith(pair);
  onTestFinished(() => server.close());
  const way = await watched(server.port);
  await connectTo(way.port, new ServerTrust({ pin: pair.pin }), true);
  expect(way.seen()).toEqual([PLAIN]);
  // The first one only looks at the certificate.
  await connectTo(way.port, new ServerTrust({ pin: pair.pin }));
  expect(way.seen()).toEqual([PLAIN, TLS, TLS]);
});

test("where only TLS comes through, what is sealed goes over it too", async () => {
  const pair = selfMade();
  const server = await relayWith(pair);
  onTestFinished(() => server.close());
  const way = await watched(server.port, (first) => first === TLS);
  const transport = await connectTo(way.port, new ServerTrust({ pin: pair.pin, certificate: pair.certificate }), true);
  expect(way.seen()).toEqual([PLAIN, TLS]);
  await transport.publish("there", Buffer.from("x"), { signal });
});

test("who stands in the relay's place is told from it by its key, also where TLS is not needed", async () => {
  const server = await startRelayServer({ authorize: () => undefined, tls: selfMade() });
  onTestFinished(() => server.close());
  await expect(connectTo(server.port, new ServerTrust({ pin: selfMade().pin }), true)).rejects.toMatchObject({
    code: "pin-mismatch",
  });
});

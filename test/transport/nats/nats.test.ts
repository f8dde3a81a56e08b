import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/lib/clock.ts";
import { FanfoldError } from "../../../src/lib/errors.ts";
import { FRAME_BYTES_MAX } from "../../../src/protocol/limits.ts";
import { connectNats } from "../../../src/transport/nats/nats.ts";
import type { Transport } from "../../../src/transport/transport.ts";
import {
  bytesOf,
  expectCode,
  freshPrefix,
  isWhole,
  MIB,
  NEVER,
  numbered,
  numberOf,
  readerOf,
  text,
  WIDE,
  watchStatus,
} from "../../contract/contract-tools.ts";
import type { NatsOptions, TestBroker } from "../../helpers/brokers/broker-types.ts";
import { brokersAvailable, startNats } from "../../helpers/brokers/brokers.ts";
import { atPort } from "../../helpers/brokers/contract-broker.ts";
import { startTcpProxy } from "../../helpers/brokers/tcp-proxy.ts";
import { secretsOf } from "../../helpers/error-text.ts";
import { freePort } from "../../helpers/free-ports.ts";
import { quickClock } from "../../helpers/quick-clock.ts";

const KIB = 1024;
const NO_LIMIT = { signal: NEVER };

describe.skipIf(!brokersAvailable("nats"))("connectNats", () => {
  const teardown: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of teardown.splice(0).reverse()) await end();
  });

  async function server(options?: NatsOptions): Promise<TestBroker> {
    const broker = await startNats(options);
    teardown.push(() => broker.stop());
    return broker;
  }

  async function open(url: string, clock = systemClock): Promise<Transport> {
    const signal = AbortSignal.timeout(60_000);
    const transport = await connectNats({ kind: "nats", url }, { clientName: "test", clock, signal });
    teardown.push(() => transport.close());
    return transport;
  }

  it("logs in with a token, and passes over a server that is not there", async () => {
    const broker = await server({ token: "t/ok%en" });
    const dead = await freePort();
    const transport = await open(`${broker.url},127.0.0.1:${dead}`);
    const subject = `${freshPrefix()}.data`;
    const reader = readerOf(await transport.subscribe(subject, WIDE));
    await transport.publish(subject, bytesOf("hello"), { signal: NEVER });
    expect((await reader.take(1)).map(text)).toEqual(["hello"]);
  });

  it("takes a server that did not hear it in time for one that is not reached: nothing was refused", async () => {
    const broker = await server({ user: "someone", password: "right" });
    const proxy = await startTcpProxy(broker.port);
    teardown.push(() => proxy.close());
    proxy.stallFromClients();
    const late = open(atPort(broker.url, proxy.port));
    await expectCode(late, "broker-unreachable");
    await expect(late).rejects.toThrow(/waited in vain for the credentials/);
    proxy.resume();
    await open(atPort(broker.url, proxy.port));
  });

  it("shows no password and no token in what it says about a refusal", async () => {
    const broker = await server({ user: "someone", password: "right" });
    for (const userInfo of ["someone:wr%2Fong", "wr%2Fong"]) {
      const refused = open(`nats://${userInfo}@127.0.0.1:${broker.port}`);
      await expectCode(refused, "broker-denied");
      expect(await secretsOf(refused, ["wr%2Fong", "wr/ong"])).toEqual([]);
    }
  });

  it("prefers payloads that its server takes whole, and carries larger ones in parts", async () => {
    const broker = await server({ maxPayloadBytes: 128 * KIB });
    const transport = await open(broker.url);
    expect(transport.capabilities).toMatchObject({
      ...{ payloadLimitBytes: FRAME_BYTES_MAX, preferredPayloadBytes: 128 * KIB },
    });
    const subject = `${freshPrefix()}.data`;
    const reader = readerOf(await transport.subscribe(subject, WIDE));
    const tooLarge = transport.publish(subject, Buffer.alloc(FRAME_BYTES_MAX + 1), { signal: NEVER });
    await expectCode(tooLarge, "payload-too-large");
    const sizes = [128 * KIB, 128 * KIB + 1, FRAME_BYTES_MAX];
    for (const [index, size] of sizes.entries()) await transport.publish(subject, numbered(index, size), NO_LIMIT);
    const came = await reader.take(sizes.length);
    expect(came.map((message) => [numberOf(message), message.payload.length, isWhole(message)])).toEqual(
      sizes.map((size, index) => [index, size, true]),
    );
  });

  it("tells a subscription that its user may not have as broker-denied, and keeps the others", async () => {
    const permissions = 'subscribe: { allow: ["fanfold.>"] }, publish: { allow: ["fanfold.>"] }';
    const broker = await server({ user: "someone", password: "right", permissions });
    const transport = await open(broker.url);
    await expectCode(transport.subscribe("other.data", WIDE), "broker-denied");
    const subject = `${freshPrefix()}.data`;
    const reader = readerOf(await transport.subscribe(subject, WIDE));
    await transport.publish(subject, bytesOf("allowed"), { signal: NEVER });
    expect((await reader.take(1)).map(text)).toEqual(["allowed"]);
  });

  it("refuses to publish on a subject once the server has refused it", async () => {
    const permissions = 'subscribe: ">", publish: { allow: ["fanfold.>"] }';
    const broker = await server({ user: "someone", password: "right", permissions });
    const transport = await open(broker.url);
    await transport.publish("other.data", bytesOf("the server answers later"), { signal: NEVER });
    // A subscription makes a round trip, behind which the refusal has arrived.
    await transport.subscribe(`${freshPrefix()}.data`, WIDE);
    await expectCode(transport.publish("other.data", bytesOf("again"), { signal: NEVER }), "broker-denied");
  });

  it("holds publishers while the server is frozen, within a bound, until it goes on", async () => {
    const broker = await server();
    const transport = await open(broker.url);
    const subject = `${freshPrefix()}.data`;
    await broker.pause();
    let accepted = 0;
    const burst = Array.from({ length: 64 }, async (_, index) => {
      await transport.publish(subject, numbered(index, 512 * KIB), { signal: NEVER });
      accepted += 1;
    });
    const given = new AbortController();
    const late = transport.publish(subject, numbered(1), { signal: given.signal });
    given.abort(new FanfoldError("interrupted", "The test gave up"));
    await expectCode(late, "interrupted");
    expect(accepted * 512 * KIB).toBeLessThanOrEqual(5 * MIB);
    await broker.resume();
    await Promise.all(burst);
    expect(accepted).toBe(64);
  });

  it("waits with a publish while the link is down: broker-lost when its signal aborts, done when the link is back", async () => {
    const broker = await server();
    const transport = await open(broker.url);
    const subject = `${freshPrefix()}.data`;
    const status = watchStatus(transport);
    const reader = readerOf(await transport.subscribe(subject, WIDE));
    await broker.kill();
    await status.until(() => status.seen.some(({ type }) => type === "disconnected"));
    await expectCode(transport.publish(subject, bytesOf("x"), { signal: AbortSignal.timeout(20) }), "broker-lost");
    const published = transport.publish(subject, bytesOf("later"), { signal: NEVER });
    await broker.restart();
    await published;
    expect((await reader.take(1)).map(text)).toEqual(["later"]);
  });

  it("tells that the server cut it as a slow consumer, and comes back", async () => {
    const broker = await server({ writeDeadlineMs: 200, maxPendingBytes: 2 * MIB });
    const proxy = await startTcpProxy(broker.port);
    teardown.push(() => proxy.close());
    // Its clock is slow, for it is told by time what ended its link: right after deliveries.
    const slow = await open(atPort(broker.url, proxy.port), quickClock(0.1));
    const publisher = await open(broker.url);
    const status = watchStatus(slow);
    const subject = `${freshPrefix()}.data`;
    const rest = await slow.subscribe(subject, WIDE);
    proxy.stallFromTarget();
    await expect
      .poll(async () => {
        for (let index = 0; index < 64; index += 1)
          await publisher.publish(subject, numbered(index, 64 * KIB), { signal: NEVER });
        return await slowConsumers(broker);
      })
      .toBeGreaterThan(0);
    proxy.resume();
    await status.until(() => status.seen.some(({ type }) => type === "reconnected"));
    expect(status.seen.map(({ type }) => type)).toEqual([
      "disconnected",
      "reconnecting",
      "slow-consumer",
      "reconnected",
    ]);

    await publisher.publish(subject, bytesOf("end"), { signal: NEVER });
    for await (const message of rest) if (text(message) === "end") return;
    expect.fail("the subscription ended without the last message");
  });
});

async function slowConsumers(broker: TestBroker): Promise<number> {
  const response = await fetch(`${broker.adminUrl}/varz`);
  const state = (await response.json()) as { slow_consumers: number };
  return state.slow_consumers;
}

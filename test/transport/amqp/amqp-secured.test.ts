import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { RabbitUser } from "../../../src/coordinator/broker/rabbitmq-jwt.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { connectAmqp } from "../../../src/transport/amqp/amqp.ts";
import type { AmqpTarget } from "../../../src/transport/target.ts";
import type { Transport } from "../../../src/transport/transport.ts";
import {
  bytesOf,
  expectCode,
  freshPrefix,
  NEVER,
  numbered,
  numberOf,
  readerOf,
  text,
  WIDE,
  watchStatus,
} from "../../contract/contract-tools.ts";
import { brokersAvailable } from "../../helpers/brokers/brokers.ts";
import { MadeExchanges } from "../../helpers/brokers/made-exchanges.ts";
import { type ScopedRabbit, startScopedRabbit } from "../../helpers/brokers/scoped-rabbit.ts";
import { shareRabbit } from "../../helpers/brokers/shared-rabbit.ts";
import { secretsOf } from "../../helpers/error-text.ts";

const ALL: RabbitUser["rights"] = [
  ...(["configure", "write", "read"] as const).map((permission) => ({ permission, name: "amq.gen*" })),
  ...(["write", "read"] as const).map((permission) => ({ permission, name: "fanfold*", keys: "*" })),
];

/** `rabbitmqctl` takes half a minute on a machine that does thirty other things. */
const CTL_MS = 240_000;

describe.skipIf(!brokersAvailable("rabbit"))("RabbitMQ", { timeout: CTL_MS }, () => {
  let rabbit: ScopedRabbit;
  /** Asks clients for certificates, and has a name only. */
  let strict: ScopedRabbit;
  beforeAll(async () => {
    [rabbit, strict] = await Promise.all([
      shareRabbit(),
      startScopedRabbit({ asksForCertificate: true, names: ["DNS:localhost", "DNS:broker.example"] }),
    ]);
  });
  afterAll(() => Promise.all([rabbit.stop(), strict.stop()]));

  const teardown: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const end of teardown.splice(0).reverse()) await end();
  });

  async function open(broker: ScopedRabbit, target: Partial<AmqpTarget>): Promise<Transport> {
    const whole = { kind: "amqp", url: broker.tlsUrl, credentials: () => broker.sign(ALL), ...target } as const;
    const signal = AbortSignal.timeout(60_000);
    const transport = await connectAmqp(whole, { clientName: "test", clock: systemClock, signal });
    teardown.push(() => transport.close());
    return new MadeExchanges(broker.rootUrl).with(transport);
  }

  async function expectWorks(broker: ScopedRabbit, target: Partial<AmqpTarget>): Promise<void> {
    const transport = await open(broker, target);
    const subject = `${freshPrefix()}.data`;
    const reader = readerOf(await transport.subscribe(subject, WIDE));
    await transport.publish(subject, bytesOf("hello"), { signal: NEVER });
    expect((await reader.take(1)).map(text)).toEqual(["hello"]);
  }

  describe("over TLS", () => {
    it("is taken by the authority that vouches for it, under a name and an address that its certificate has", async () => {
      const ca = [strict.authority, rabbit.authority];
      await expectWorks(rabbit, { ca });
      await expectWorks(rabbit, { ca, url: rabbit.tlsUrl.replace("localhost", "127.0.0.1") });
    });

    it("is refused without its authority, and it is said how to name it", async () => {
      for (const target of [{}, { ca: [strict.authority] }]) {
        const refused = open(rabbit, target);
        await expectCode(refused, "tls-failed");
        await expect(refused).rejects.toThrow(/--broker-ca/);
      }
    });

    it("is refused under an address that its certificate does not have", async () => {
      const certificate = strict.client;
      const refused = open(strict, { ca: [strict.authority], certificate, url: `amqps://127.0.0.1:${strict.tlsPort}` });
      await expectCode(refused, "tls-failed");
      await expect(refused).rejects.toThrow(/for other names \(DNS:localhost, DNS:broker\.example\)/);
    });

    it("gets the certificate of a client where it asks for one, and says so where there is none or another", async () => {
      const ca = [strict.authority];
      await expectWorks(strict, { ca, certificate: strict.client });
      await expectCode(open(strict, { ca }), "certificate-wanted");
      await expectCode(open(strict, { ca, certificate: rabbit.client }), "certificate-wanted");
    });

    it("is not taken for one without TLS, nor the other way round", async () => {
      const refused = open(rabbit, { ca: [rabbit.authority], url: `amqps://localhost:${rabbit.port}` });
      await expectCode(refused, "tls-failed");
      await expect(refused).rejects.toThrow(/does not speak TLS/);
      await expectCode(open(rabbit, { url: `amqp://localhost:${rabbit.tlsPort}` }), "broker-unreachable");
    });
  });

  describe("with credentials that end", () => {
    it("takes fresh ones over the links that stand, which go on beyond the end of the first", async () => {
      let token = rabbit.sign(ALL, { ttlMs: 10_000 });
      const transport = await open(rabbit, { url: rabbit.url, credentials: () => token });
      const status = watchStatus(transport);
      const subject = `${freshPrefix()}.data`;
      const reader = readerOf(await transport.subscribe(subject, WIDE));
      const until = systemClock.nowMs() + 16_000;
      let sent = 0;
      // By time, and not by count: on a busy machine a publish takes longer.
      for (let signedMs = 0; systemClock.nowMs() < until; sent += 1) {
        if (systemClock.nowMs() - signedMs > 1000) {
          token = rabbit.sign(ALL, { ttlMs: 10_000 });
          signedMs = systemClock.nowMs();
        }
        await transport.publish(subject, numbered(sent), { signal: NEVER });
        await systemClock.sleep(100, NEVER);
      }
      expect((await reader.take(sent)).map(numberOf)).toEqual(Array.from({ length: sent }, (_, index) => index));
      expect(status.seen).toEqual([]);
      // A new subscription needs the rights now.
      await transport.subscribe(`${subject}2`, WIDE);
    });

    it("holds what is published after their end until there are fresh ones", async () => {
      let token = rabbit.sign(ALL, { ttlMs: 8_000 });
      const transport = await open(rabbit, { url: rabbit.url, credentials: () => token });
      const status = watchStatus(transport);
      const subject = `${freshPrefix()}.data`;
      const reader = readerOf(await transport.subscribe(subject, WIDE));
      const publishing = new AbortController();
      let sent = 0;
      const speaking = (async () => {
        while (!publishing.signal.aborted) {
          sent += 1;
          await transport.publish(subject, numbered(sent), { signal: NEVER });
          await systemClock.sleep(50, NEVER);
        }
      })();
      await status.until(() => status.seen.length > 0);
      expect(status.seen).toMatchObject([{ type: "disconnected", reason: expect.stringMatching(/have expired/) }]);
      token = rabbit.sign(ALL);
      await status.until(() => status.seen.some(({ type }) => type === "reconnected"));
      publishing.abort();
      await speaking;
      await transport.publish(subject, numbered(0), { signal: NEVER });
      for (let [message] = await reader.take(1); message !== undefined && numberOf(message) !== 0; )
        [message] = await reader.take(1);
    });

    it("lets a link come back with the newest ones, however long it takes until they are there", async () => {
      let token = rabbit.sign(ALL);
      const transport = await open(rabbit, { url: rabbit.url, credentials: () => token });
      const status = watchStatus(transport);
      const subject = `${freshPrefix()}.data`;
      const reader = readerOf(await transport.subscribe(subject, WIDE));
      await transport.publish(subject, numbered(1), { signal: NEVER });
      token = { token: "nobody takes this" };
      await rabbit.ctl("close_all_connections", "--vhost", rabbit.vhost, "a reason of the operator");
      // More often than a link with a password is refused before it gives up.
      await status.until(() => status.seen.filter(({ type }) => type === "reconnecting").length > 12);
      token = rabbit.sign(ALL);
      await status.until(() => status.seen.some(({ type }) => type === "reconnected"));
      await transport.publish(subject, numbered(2), { signal: NEVER });
      expect((await reader.take(2)).map(numberOf)).toEqual([1, 2]);
    });

    it("shows nothing of them when they are refused, and says whose they should be", async () => {
      const { token } = rabbit.sign(ALL, { ttlMs: -60_000 });
      const refused = open(rabbit, { url: rabbit.url, credentials: () => ({ token }) });
      await expectCode(refused, "broker-denied");
      await expect(refused).rejects.toThrow(/fanfold rabbitmq-setup/);
      expect(await secretsOf(refused, [token, ...token.split(".")])).toEqual([]);
    });
  });
});

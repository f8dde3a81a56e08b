import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/lib/clock.ts";
import { FanfoldError } from "../../../src/lib/errors.ts";
import { connectAmqp } from "../../../src/transport/amqp/amqp.ts";
import { amqpServers, openAmqp } from "../../../src/transport/amqp/open-amqp.ts";
import type { Transport } from "../../../src/transport/transport.ts";
import {
  bytesOf,
  expectCode,
  freshPrefix,
  MIB,
  NEVER,
  numbered,
  numberOf,
  readerOf,
  text,
  WIDE,
  watchStatus,
} from "../../contract/contract-tools.ts";
import type { RabbitBroker } from "../../helpers/brokers/broker-types.ts";
import { brokersAvailable, startRabbit } from "../../helpers/brokers/brokers.ts";
import { atPort } from "../../helpers/brokers/contract-broker.ts";
import { MadeExchanges } from "../../helpers/brokers/made-exchanges.ts";
import { askRabbit } from "../../helpers/brokers/rabbit-admin.ts";
import { startTcpProxy } from "../../helpers/brokers/tcp-proxy.ts";
import { secretsOf } from "../../helpers/error-text.ts";
import { freePort, freePorts } from "../../helpers/free-ports.ts";

const KIB = 1024;

/** `rabbitmqctl` takes half a minute on a machine that does thirty other things. */
const CTL_MS = 240_000;

describe.skipIf(!brokersAvailable("rabbit"))("connectAmqp", { timeout: CTL_MS }, () => {
  let broker: RabbitBroker;
  let exchanges: MadeExchanges;
  beforeAll(async () => {
    broker = await startRabbit();
    exchanges = new MadeExchanges(broker.url);
  });
  afterAll(() => broker.stop());

  const teardown: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const end of teardown.splice(0).reverse()) await end();
  });

  async function open(url = broker.url): Promise<Transport> {
    const signal = AbortSignal.timeout(60_000);
    const transport = await connectAmqp({ kind: "amqp", url }, { clientName: "test", clock: systemClock, signal });
    teardown.push(() => transport.close());
    return exchanges.with(transport);
  }

  it("has connections whose end hurts nobody, also when nobody listens to them yet", async () => {
    const proxy = await startTcpProxy(broker.port);
    teardown.push(() => proxy.close());
    const [server] = await amqpServers(atPort(broker.url, proxy.port), NEVER);
    if (server === undefined) throw new Error("want a server");
    const { model } = await openAmqp({ kind: "amqp", url: broker.url }, { server, name: "test", signal: NEVER });
    const closed = Promise.withResolvers<void>();
    // `once` would listen to errors, too.
    model.on("close", () => closed.resolve());
    proxy.cut();
    await closed.promise;
    // What nobody listens to is thrown in the turn of its event, and fails the run.
    expect(model.listenerCount("error")).toBeGreaterThan(0);
  });

  it("tells when the broker blocks publishers for want of memory, holds them, and goes on after", async () => {
    const [publisher, subscriber] = [await open(), await open()];
    const status = watchStatus(publisher);
    const subject = `${freshPrefix()}.data`;
    const reader = readerOf(await subscriber.subscribe(subject, WIDE));
    await publisher.publish(subject, numbered(0), { signal: NEVER });
    teardown.push(() => broker.ctl("set_vm_memory_high_watermark", "0.4"));
    await broker.ctl("set_vm_memory_high_watermark", "0.000001");
    const given = new AbortController();
    let accepted = 0;
    const burst = Array.from({ length: 128 }, (_, index) =>
      publisher.publish(subject, numbered(index + 1, 256 * KIB), { signal: given.signal }).then(
        () => {
          accepted += 1;
        },
        (reason: unknown) => expect(reason).toMatchObject({ code: "interrupted" }),
      ),
    );
    await status.until(() => status.seen.some(({ type }) => type === "blocked"));
    given.abort(new FanfoldError("interrupted", "The test gave up"));
    await Promise.all(burst);
    expect(accepted * 256 * KIB).toBeLessThanOrEqual(8 * MIB);

    await broker.ctl("set_vm_memory_high_watermark", "0.4");
    await status.until(() => status.seen.some(({ type }) => type === "unblocked"));
    const published = Array.from({ length: accepted + 1 }, (_, index) => index);
    expect((await reader.take(published.length)).map(numberOf)).toEqual(published);
  });

  it("counts what the broker dropped from the queue of a subscriber whose link stalled", async () => {
    const proxy = await startTcpProxy(broker.port);
    teardown.push(() => proxy.close());
    const [publisher, stalled] = [await open(), await open(atPort(broker.url, proxy.port))];
    const status = watchStatus(stalled);
    const subject = `${freshPrefix()}.data`;
    const subscription = await stalled.subscribe(subject, { signal: NEVER, queueBytes: 4 * MIB });
    const reader = readerOf(subscription);
    await publisher.publish(subject, numbered(0, 64 * KIB), { signal: NEVER });
    await reader.take(1);
    proxy.stallFromTarget();
    const count = 2000;
    for (let index = 1; index < count; index += 1)
      await publisher.publish(subject, numbered(index, 64 * KIB), { signal: NEVER });
    await publisher.publish(subject, bytesOf("end of it"), { signal: NEVER });
    proxy.resume();
    let received = 1;
    for (let last: string | undefined; last !== "end of it"; received += 1) {
      const [message] = await reader.take(1);
      if (message === undefined) return expect.fail("the subscription ended");
      last = text(message);
    }
    await status.until(() => status.lost() > 0 && received + status.lost() === count + 1);
    expect(received * 64 * KIB).toBeLessThan(32 * MIB);
  });

  it("comes back when the broker closes its connections, with its subscriptions", async () => {
    const transport = await open();
    const status = watchStatus(transport);
    const subject = `${freshPrefix()}.data`;
    const reader = readerOf(await transport.subscribe(subject, WIDE));
    await transport.publish(subject, bytesOf("before"), { signal: NEVER });
    await reader.take(1);
    await broker.ctl("close_all_connections", "a reason of the operator");
    await status.until(() => status.seen.some(({ type }) => type === "reconnected"));
    await transport.publish(subject, bytesOf("after"), { signal: NEVER });
    expect((await reader.take(1)).map(text)).toEqual(["after"]);
    expect(status.seen[0]).toMatchObject({ type: "disconnected", reason: expect.stringContaining("operator") });
  });

  it("passes over a server that is not there", async () => {
    const dead = await freePort();
    const transport = await open(`amqp://guest:guest@127.0.0.1:${dead},127.0.0.1:${broker.port}`);
    const subject = `${freshPrefix()}.data`;
    const reader = readerOf(await transport.subscribe(subject, WIDE));
    await transport.publish(subject, bytesOf("hello"), { signal: NEVER });
    expect((await reader.take(1)).map(text)).toEqual(["hello"]);
  });

  it("says that no server of several is there, and does not ask all of them when one refuses its credentials", async () => {
    const [one, two] = await freePorts(2);
    await expectCode(open(`amqp://guest:guest@127.0.0.1:${one},127.0.0.1:${two}`), "broker-unreachable");
    const refused = open(`amqp://guest:wrong@127.0.0.1:${broker.port},127.0.0.1:${one}`);
    await expectCode(refused, "broker-denied");
  });

  it("goes to another server when its own is gone for good, with its subscriptions, and names both", async () => {
    const [gone, other] = [await startTcpProxy(broker.port), await startTcpProxy(broker.port)];
    for (const proxy of [gone, other]) teardown.push(() => proxy.close());
    const transport = await open(`amqp://guest:guest@127.0.0.1:${gone.port},127.0.0.1:${other.port}`);
    const status = watchStatus(transport);
    const subject = `${freshPrefix()}.data`;
    const reader = readerOf(await transport.subscribe(subject, WIDE));
    gone.down();
    await status.until(() => status.seen.some(({ type }) => type === "reconnected"));
    await transport.publish(subject, bytesOf("after"), { signal: NEVER });
    expect((await reader.take(1)).map(text)).toEqual(["after"]);
    expect(status.seen[0]).toMatchObject({ reason: expect.stringContaining(`127.0.0.1:${gone.port}`) });
    expect(status.seen.at(-1)).toMatchObject({ server: `127.0.0.1:${other.port}` });
  });

  it("shows no password in what it says about a refusal", async () => {
    const refused = open(`amqp://guest:wr%2Fong@127.0.0.1:${broker.port}`);
    await expectCode(refused, "broker-denied");
    expect(await secretsOf(refused, ["wr%2Fong", "wr/ong"])).toEqual([]);
  });

  it("tells a virtual host that is missing as broker-denied, and names what to do", async () => {
    const refused = open(`${broker.url}/nowhere`);
    await expectCode(refused, "broker-denied");
    await expect(refused).rejects.toThrow(/virtual host "nowhere"/);
  });

  it("tells what its user may not do as broker-denied, with a password of any characters", async () => {
    const password = "p@ss/wörd%";
    await askRabbit(broker, "users/limited", { method: "PUT", body: { password, tags: "" } });
    teardown.push(() => askRabbit(broker, "users/limited", { method: "DELETE" }));
    const url = broker.url.replace("guest:guest", `limited:${encodeURIComponent(password)}`);
    await expectCode(open(url), "broker-denied");
    const own = { configure: "^amq\\.gen", write: "^amq\\.gen", read: "^amq\\.gen" };
    await askRabbit(broker, "permissions/%2F/limited", { method: "PUT", body: own });
    const transport = await open(url);
    const subject = `${freshPrefix()}.data`;
    // The broker answers a publish that it refuses later, by closing the channel.
    const publish = () =>
      transport.publish(subject, bytesOf("x"), { signal: NEVER }).then(
        () => "published",
        (thrown: FanfoldError) => thrown.code,
      );
    await expect.poll(publish).toBe("broker-denied");
    await expectCode(transport.subscribe(subject, WIDE), "broker-denied");
  });
});

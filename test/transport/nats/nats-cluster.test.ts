import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/lib/clock.ts";
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
  readerOf,
  type StatusLog,
  text,
  WIDE,
  watchStatus,
} from "../../contract/contract-tools.ts";
import { findProgram, startNatsClusterPrograms } from "../../helpers/brokers/broker-programs.ts";
import type { NatsCluster, NatsNode, NatsOptions } from "../../helpers/brokers/broker-types.ts";
import { brokersAvailable } from "../../helpers/brokers/brokers.ts";

const KIB = 1024;

const canCluster = brokersAvailable("nats") && findProgram("nats-server") !== undefined;

describe.skipIf(!canCluster)("connectNats to a cluster", () => {
  const teardown: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of teardown.splice(0).reverse()) await end();
  });

  async function cluster(...options: readonly NatsOptions[]): Promise<NatsCluster> {
    const started = await startNatsClusterPrograms(options);
    teardown.push(() => started.stop());
    return started;
  }

  async function open(url: string): Promise<Transport> {
    const signal = AbortSignal.timeout(60_000);
    const transport = await connectNats({ kind: "nats", url }, { clientName: "test", clock: systemClock, signal });
    teardown.push(() => transport.close());
    return transport;
  }

  const hostOf = ({ port }: NatsNode) => `127.0.0.1:${port}`;
  const nodeOf = ({ nodes }: NatsCluster, index: number): NatsNode => nodes[index] ?? expect.fail("no such node");
  const back = (status: StatusLog) => status.until(() => status.seen.some(({ type }) => type === "reconnected"));

  /** Publishes until the frame comes: what was under way when a link was lost is lost. */
  async function expectThrough(publisher: Transport, subject: string, reader: ReturnType<typeof readerOf>) {
    let came = false;
    const taken = reader.take(1).then((messages) => {
      came = true;
      return messages.map(text);
    });
    while (!came) {
      await publisher.publish(subject, bytesOf("through"), { signal: NEVER });
      await systemClock.sleep(50, NEVER);
    }
    expect(await taken).toEqual(["through"]);
  }

  it("gives up a server that hangs with full buffers, goes to another one, and names both", async () => {
    const nodes = await cluster({}, {});
    const [hangs, other] = [nodeOf(nodes, 0), nodeOf(nodes, 1)];
    const [publisher, subscriber] = [await open(hangs.url), await open(other.url)];
    const subject = `${freshPrefix()}.data`;
    const reader = readerOf(await subscriber.subscribe(subject, WIDE));
    const status = watchStatus(publisher);
    await hangs.pause();
    const burst = Array.from({ length: 32 }, (_, index) =>
      publisher.publish(subject, numbered(index, 512 * KIB), { signal: NEVER }),
    );
    await back(status);
    await Promise.all(burst);
    await hangs.resume();
    expect(status.seen.map(({ type }) => type)).toEqual(["disconnected", "reconnecting", "reconnected"]);
    // 5 s, and more where answers have been slow before.
    const reason = expect.stringMatching(new RegExp(`^the server ${hostOf(hangs)} did not answer for \\d+ s$`));
    expect(status.seen[0]).toMatchObject({ reason });
    expect(status.seen.at(-1)).toMatchObject({ server: hostOf(other) });
    await publisher.publish(subject, bytesOf("end"), { signal: NEVER });
    for (let last = ""; last !== "end"; ) last = (await reader.take(1)).map(text).join("");
  });

  it("notices a server that hangs while nothing is published, too", async () => {
    const nodes = await cluster({}, {});
    const [hangs, other] = [nodeOf(nodes, 0), nodeOf(nodes, 1)];
    const [subscriber, publisher] = [await open(hangs.url), await open(other.url)];
    const subject = `${freshPrefix()}.data`;
    const reader = readerOf(await subscriber.subscribe(subject, WIDE));
    const status = watchStatus(subscriber);
    await hangs.pause();
    await back(status);
    await hangs.resume();
    expect(status.seen.at(-1)).toMatchObject({ server: hostOf(other) });
    await expectThrough(publisher, subject, reader);
  });

  it("leaves a server that is about to stop", async () => {
    const nodes = await cluster({}, {});
    const [stops, other] = [nodeOf(nodes, 0), nodeOf(nodes, 1)];
    const transport = await open(stops.url);
    const status = watchStatus(transport);
    await stops.lameDuck();
    await back(status);
    expect(status.seen[0]).toMatchObject({ reason: `the server ${hostOf(stops)} is about to stop` });
    expect(status.seen.at(-1)).toMatchObject({ server: hostOf(other) });
  });

  it("cuts payloads for a server that takes less than the one before, and puts them together", async () => {
    const nodes = await cluster({ maxPayloadBytes: MIB }, { maxPayloadBytes: 200 * KIB });
    const [large, small] = [nodeOf(nodes, 0), nodeOf(nodes, 1)];
    const [publisher, subscriber] = [await open(large.url), await open(small.url)];
    const subject = `${freshPrefix()}.data`;
    const reader = readerOf(await subscriber.subscribe(subject, WIDE));
    const status = watchStatus(publisher);
    await large.kill();
    await back(status);
    const payloads = [512 * KIB, 200 * KIB, 200 * KIB + 1, 4 * MIB].map((size, index) => numbered(index, size));
    for (const payload of payloads) await publisher.publish(subject, payload, { signal: NEVER });
    const came = await reader.take(payloads.length);
    expect(came.map((message) => [message.payload.length, isWhole(message)])).toEqual(
      payloads.map(({ length }) => [length, true]),
    );
  });

  it("tells a server that takes next to nothing as payload-too-large", async () => {
    const nodes = await cluster({}, { maxPayloadBytes: KIB });
    const [large, tiny] = [nodeOf(nodes, 0), nodeOf(nodes, 1)];
    const publisher = await open(large.url);
    const status = watchStatus(publisher);
    await large.kill();
    await back(status);
    const published = publisher.publish(`${freshPrefix()}.data`, numbered(1, 64 * KIB), { signal: NEVER });
    await expectCode(published, "payload-too-large");
    await expect(published).rejects.toThrow(new RegExp(`${hostOf(tiny)}.*max_payload`));
  });
});

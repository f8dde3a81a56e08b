import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/lib/clock.ts";
import { subjectsOf, toSubject, upSubject, upWildcard } from "../../../src/protocol/subjects.ts";
import { connectAmqp } from "../../../src/transport/amqp/amqp.ts";
import { sinkExchange } from "../../../src/transport/amqp/exchange.ts";
import { SessionExchanges } from "../../../src/transport/amqp/session-exchanges.ts";
import type { AmqpTarget } from "../../../src/transport/target.ts";
import type { Transport } from "../../../src/transport/transport.ts";
import { bytesOf, expectCode, NEVER, readerOf, text, WIDE, watchStatus } from "../../contract/contract-tools.ts";
import type { RabbitBroker } from "../../helpers/brokers/broker-types.ts";
import { brokersAvailable, startRabbit } from "../../helpers/brokers/brokers.ts";
import { askRabbit } from "../../helpers/brokers/rabbit-admin.ts";
import { quickClock } from "../../helpers/quick-clock.ts";

const subjects = subjectsOf("s1");
const send = (transport: Transport, subject: string, what = "hello") =>
  transport.publish(subject, bytesOf(what), { signal: NEVER });

describe.skipIf(!brokersAvailable("rabbit"))("the exchanges of a session", () => {
  let broker: RabbitBroker;
  beforeAll(async () => {
    broker = await startRabbit();
  });
  afterAll(() => broker.stop());

  const teardown: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const end of teardown.splice(0).reverse()) await end();
  });

  async function open(target: Partial<AmqpTarget> = {}, clock = systemClock): Promise<Transport> {
    const signal = AbortSignal.timeout(60_000);
    const whole = { kind: "amqp", url: broker.url, ...target } as const;
    const transport = await connectAmqp(whole, { clientName: "test", clock, signal });
    teardown.push(() => transport.close());
    return transport;
  }

  const openSink = (sinkId: string) => open({ exchange: sinkExchange("s1", sinkId) });

  async function openCoordinator(): Promise<{ exchanges: SessionExchanges; transport: Transport }> {
    const failed = (error: Error) => expect.fail(error.message);
    const exchanges = new SessionExchanges({ clock: systemClock, failed });
    teardown.push(() => exchanges.close());
    return { exchanges, transport: await open({ exchanges }) };
  }

  /** A session with the sinks a and b, whose exchanges are bound: what is sent through one that is not yet is lost. */
  async function openSession() {
    const coordinator = await openCoordinator();
    for (const sinkId of ["a", "b"]) coordinator.exchanges.admitSink("s1", sinkId);
    await coordinator.exchanges.settled();
    const [source, a, b] = [await open(), await openSink("a"), await openSink("b")];
    return { coordinator, source, a, b };
  }

  /** Everything of ours at the broker: exchanges, and all queues, for it has no others. */
  async function leftovers(): Promise<string[]> {
    const names = async (what: string): Promise<string[]> => {
      const found = await askRabbit<{ name: string }[]>(broker, `${what}?disable_stats=true&enable_queue_totals=true`);
      return found.map(({ name }) => name);
    };
    const exchanges = (await names("exchanges")).filter((name) => name !== "" && !name.startsWith("amq."));
    return [...exchanges, ...(await names("queues"))];
  }

  it("carry data to all sinks, a lane to one, and what a sink says to source and coordinator", async () => {
    const { coordinator, source, a, b } = await openSession();
    const [dataOfA, dataOfB] = [
      readerOf(await a.subscribe(subjects.data, WIDE)),
      readerOf(await b.subscribe(subjects.data, WIDE)),
    ];
    const [laneOfA, laneOfB] = [
      readerOf(await a.subscribe(toSubject(subjects, "a"), WIDE)),
      readerOf(await b.subscribe(toSubject(subjects, "b"), WIDE)),
    ];
    const heard = [source, coordinator.transport].map(async (transport) =>
      readerOf(await transport.subscribe(upWildcard(subjects), WIDE)),
    );
    const [bySource, byCoordinator] = await Promise.all(heard);
    await send(source, subjects.data, "to all");
    await send(source, toSubject(subjects, "a"), "to a");
    await send(source, toSubject(subjects, "b"), "to b");
    await send(b, upSubject(subjects, "b"), "from b");
    for (const data of [dataOfA, dataOfB]) expect((await data.take(1)).map(text)).toEqual(["to all"]);
    expect((await laneOfA.take(1)).map(text)).toEqual(["to a"]);
    expect((await laneOfB.take(1)).map(text)).toEqual(["to b"]);
    for (const reports of [bySource, byCoordinator]) {
      const [report] = (await reports?.take(1)) ?? [];
      expect(report?.subject).toBe(upSubject(subjects, "b"));
    }
  });

  it("cut a sink that is removed in both directions while it goes on consuming, and nobody else", async () => {
    const { coordinator, source, a, b } = await openSession();
    const [dataOfA, dataOfB] = [
      readerOf(await a.subscribe(subjects.data, WIDE)),
      readerOf(await b.subscribe(subjects.data, WIDE)),
    ];
    const reports = readerOf(await source.subscribe(upWildcard(subjects), WIDE));
    await send(source, subjects.data, "before");
    for (const data of [dataOfA, dataOfB]) expect((await data.take(1)).map(text)).toEqual(["before"]);
    await send(a, upSubject(subjects, "a"), "a, before");
    expect((await reports.take(1)).map(text)).toEqual(["a, before"]);

    coordinator.exchanges.remove("a");
    await coordinator.exchanges.settled();
    await send(source, subjects.data, "after");
    expect((await dataOfB.take(1)).map(text)).toEqual(["after"]);
    const given = new AbortController();
    const silenced = a.publish(upSubject(subjects, "a"), bytesOf("a, after"), { signal: given.signal });
    await send(b, upSubject(subjects, "b"), "b, after");
    expect((await reports.take(1)).map(text)).toEqual(["b, after"]);
    given.abort();
    await silenced.catch(() => undefined);
    // All that ever came to it, once its link has handed over everything.
    await a.drain({ signal: NEVER });
    expect((await dataOfA.rest()).map(text)).toEqual([]);
  });

  it("let a sink that was removed back in when it is admitted again, with the links that it has", async () => {
    const { coordinator, source, a } = await openSession();
    coordinator.exchanges.remove("a");
    coordinator.exchanges.admitSink("s1", "a");
    await coordinator.exchanges.settled();
    const data = readerOf(await a.subscribe(subjects.data, WIDE));
    await send(source, subjects.data);
    expect((await data.take(1)).map(text)).toEqual(["hello"]);
  });

  it("go with the session, all of them, while its members are still there", async () => {
    const { coordinator, source, a } = await openSession();
    await a.subscribe(subjects.data, WIDE);
    await source.subscribe(upWildcard(subjects), WIDE);
    expect(await leftovers()).toEqual(expect.arrayContaining(["fanfold.s1", "fanfold.s1.up", sinkExchange("s1", "a")]));
    coordinator.exchanges.end("s1");
    await coordinator.exchanges.settled();
    expect((await leftovers()).filter((name) => name.startsWith("fanfold"))).toEqual([]);
    for (const transport of [a, source]) await transport.close();
    await expect.poll(leftovers).toEqual([]);
  });

  it("go by themselves when everybody is gone and the anchor has expired", async () => {
    const { coordinator, source, a, b } = await openSession();
    await a.subscribe(subjects.data, WIDE);
    await source.subscribe(upWildcard(subjects), WIDE);
    for (const transport of [a, b, source, coordinator.transport]) await transport.close();
    expect(await leftovers()).toContain(sinkExchange("s1", "b"));
    await askRabbit(broker, "queues/%2F/fanfold.s1", { method: "DELETE" });
    await expect.poll(leftovers).toEqual([]);
  });

  it("are there again after a restart of the broker, also without the coordinator", async () => {
    const { coordinator, source, a } = await openSession();
    const data = readerOf(await a.subscribe(subjects.data, WIDE));
    await send(source, subjects.data, "before");
    expect((await data.take(1)).map(text)).toEqual(["before"]);
    await coordinator.transport.close();
    const links = [source, a].map(watchStatus);
    await broker.restart();
    for (const link of links) await link.until(() => link.seen.some(({ type }) => type === "reconnected"));
    await send(source, subjects.data, "after");
    expect((await data.take(1)).map(text)).toEqual(["after"]);
    const { exchanges } = await openCoordinator();
    exchanges.end("s1");
    await exchanges.settled();
  });

  it("are made for all sessions, and deleted, when the broker was away at the time", async () => {
    const { coordinator, a } = await openSession();
    const link = watchStatus(coordinator.transport);
    await broker.kill();
    coordinator.exchanges.admit("s2");
    coordinator.exchanges.remove("a");
    await a.close();
    await broker.restart();
    await link.until(() => link.seen.some(({ type }) => type === "reconnected"));
    await coordinator.exchanges.settled();
    expect(await leftovers()).toEqual(expect.arrayContaining(["fanfold.s1", "fanfold.s2", sinkExchange("s1", "b")]));
    expect(await leftovers()).not.toContain(sinkExchange("s1", "a"));
    for (const sessionId of ["s1", "s2"]) coordinator.exchanges.end(sessionId);
    await coordinator.exchanges.settled();
  });

  it("are waited for by a member that comes before them", async () => {
    const a = await openSink("a");
    const coming = a.subscribe(subjects.data, WIDE);
    const { exchanges } = await openCoordinator();
    exchanges.admitSink("s1", "a");
    expect((await coming).subject).toBe(subjects.data);
    exchanges.end("s1");
    await exchanges.settled();
  });

  it("are missed by a member for two minutes, and no longer: it is told where to look", async () => {
    const lost = await open({}, quickClock(500));
    await expectCode(lost.subscribe(subjects.data, WIDE), "broker-denied");
    await expect(lost.subscribe(subjects.data, WIDE)).rejects.toThrow(/that the coordinator reaches the broker/);
    await expectCode(send(lost, subjects.data), "broker-denied");
  });
});

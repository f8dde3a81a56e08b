import { createHmac, createPrivateKey, generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { type ChannelModel, type ConfirmChannel, connect } from "amqplib";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { rabbitJwt } from "../../src/coordinator/broker/rabbitmq-jwt.ts";
import { QUEUE_POLICY } from "../../src/coordinator/broker/rabbitmq-setup.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { decodeJws, encodeJws, signEs256 } from "../../src/lib/crypto/jws.ts";
import { subjectsOf, toSubject, upSubject, upWildcard } from "../../src/protocol/subjects.ts";
import { exchangesOf, sinkExchange } from "../../src/transport/amqp/exchange.ts";
import { SessionExchanges } from "../../src/transport/amqp/session-exchanges.ts";
import { connectTransport } from "../../src/transport/connect.ts";
import type { AmqpCredentials } from "../../src/transport/target.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { bytesOf, expectCode, type Reader, readerOf, text, WIDE } from "../contract/contract-tools.ts";
import { brokersAvailable } from "../helpers/brokers/brokers.ts";
import { askRabbit } from "../helpers/brokers/rabbit-admin.ts";
import type { ScopedRabbit } from "../helpers/brokers/scoped-rabbit.ts";
import { shareRabbit } from "../helpers/brokers/shared-rabbit.ts";

const [OURS, THEIRS] = ["s1s1s1s1s1s1", "s2s2s2s2s2s2"];
const [ours, theirs] = [subjectsOf(OURS), subjectsOf(THEIRS)];
const [ME, OTHER] = ["k1k1k1", "k2k2k2"];
const [session, foreign] = [exchangesOf(OURS), exchangesOf(THEIRS)];
const [mine, others, away] = [sinkExchange(OURS, ME), sinkExchange(OURS, OTHER), sinkExchange(THEIRS, OTHER)];
const [REFUSED, LOCKED] = [403, 405];

type Attack = readonly [what: string, act: (channel: ConfirmChannel) => Promise<unknown>];

const publish = (exchange: string, key: string): Attack => [
  `publishes on "${key}" at "${exchange}"`,
  async (channel) => {
    channel.publish(exchange, key, Buffer.from("forged"));
    await channel.waitForConfirms();
  },
];
const bind = (exchange: string, key: string): Attack => [
  `binds "${key}" of "${exchange}"`,
  async (channel) => {
    const { queue } = await channel.assertQueue("", { exclusive: true, durable: false });
    await channel.bindQueue(queue, exchange, key);
  },
];
const feed = (to: string, from: string, key: string): Attack => [
  `feeds "${to}" from "${from}" by "${key}"`,
  (channel) => channel.bindExchange(to, from, key),
];
const destroy = (exchange: string): Attack => [`deletes "${exchange}"`, (channel) => channel.deleteExchange(exchange)];
const declare = (exchange: string): Attack => [
  `declares "${exchange}"`,
  (channel) => channel.assertExchange(exchange, "fanout", { durable: false }),
];

/** What neither a source nor a sink of our session may do. */
const NOBODYS: readonly Attack[] = [
  publish("", session.session),
  ...["amq.topic", "amq.direct", "amq.fanout", "amq.headers", "amq.match"].map((name) => publish(name, ours.data)),
  ...[publish(foreign.session, theirs.data), publish(foreign.session, toSubject(theirs, OTHER))],
  ...[publish(foreign.up, upSubject(theirs, OTHER)), publish(away, upSubject(theirs, OTHER))],
  ...[publish(others, upSubject(ours, OTHER)), publish(others, ours.data)],
  ...[publish(session.up, upSubject(ours, ME)), publish(session.up, upSubject(ours, OTHER))],
  ...[bind(session.session, "#"), bind(session.session, ours.data), bind(session.session, toSubject(ours, OTHER))],
  ...[bind(session.up, "#"), bind(session.up, upSubject(ours, OTHER))],
  ...[bind(others, "#"), bind(others, ours.data), bind(others, toSubject(ours, OTHER))],
  ...[bind(foreign.session, "#"), bind(foreign.up, upWildcard(theirs)), bind(away, theirs.data)],
  ...[bind("amq.rabbitmq.trace", "#"), bind("amq.topic", "#")],
  ...[destroy(session.session), destroy(session.up), destroy(mine), destroy(others), destroy(away)],
  ...[declare(session.session), declare("fanfold.new"), declare("amq.gen-new"), declare("elsewhere")],
  ["declares a queue of its own name", (channel) => channel.assertQueue("fanfold.mine")],
  ["declares a queue that the broker seems to have named", (channel) => channel.assertQueue("amq.gen-mine")],
  ["deletes the anchor", (channel) => channel.deleteQueue(session.session)],
  ["empties the anchor", (channel) => channel.purgeQueue(session.session)],
  ["consumes from the anchor", (channel) => channel.consume(session.session, () => undefined)],
  ["unbinds the anchor", (channel) => channel.unbindQueue(session.session, session.session, "anchor")],
  ["lets dead letters go to the other sinks", (channel) => deadLetters(channel, others, ours.data)],
  ["lets dead letters go to the source", (channel) => deadLetters(channel, session.up, upSubject(ours, OTHER))],
];

/** A source may publish there anyway. */
const TO_THE_SESSION: Attack = [
  "lets dead letters go to the session",
  (channel) => deadLetters(channel, session.session, ours.data),
];

/** A queue whose messages expire at once, and go on under another key. */
async function deadLetters(channel: ConfirmChannel, exchange: string, key: string): Promise<string> {
  const expired = { "x-message-ttl": 0, "x-dead-letter-exchange": exchange, "x-dead-letter-routing-key": key };
  return (await channel.assertQueue("", { exclusive: true, durable: false, arguments: expired })).queue;
}

describe.skipIf(!brokersAvailable("rabbit"))("RabbitMQ with the set-up of fanfold", () => {
  let rabbit: ScopedRabbit;
  let exchanges: SessionExchanges;
  let coordinator: Transport;
  const ends: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    rabbit = await shareRabbit();
    exchanges = new SessionExchanges({ clock: systemClock, failed: (error) => expect.fail(error.message) });
    for (const sinkId of [ME, OTHER]) exchanges.admitSink(OURS, sinkId);
    exchanges.admitSink(THEIRS, "k3k3k3");
    coordinator = await open({ credentials: () => rabbit.granter.own(new Date()), exchanges });
    await exchanges.settled();
  });
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });
  afterAll(async () => {
    await coordinator.close();
    await exchanges.close();
    await rabbit.stop();
  });

  function open(more: object): Promise<Transport> {
    const options = { clientName: "test", clock: systemClock, signal: AbortSignal.timeout(60_000) };
    return connectTransport({ kind: "amqp", url: rabbit.url, ...more }, options);
  }

  const granted = (role: "source" | "sink", memberId = ME): AmqpCredentials =>
    rabbit.granter.grant({ role, sessionId: OURS, memberId, identity: memberId, name: "x" }, new Date());

  async function member(role: "source" | "sink", memberId = ME): Promise<Transport> {
    const credentials = granted(role, memberId);
    const exchange = role === "sink" ? sinkExchange(OURS, memberId) : undefined;
    const transport = await open({ exchange, credentials: () => credentials });
    ends.push(() => transport.close());
    return transport;
  }

  async function heard(transport: Transport, subject: string): Promise<Reader> {
    return readerOf(await transport.subscribe(subject, WIDE));
  }

  /** A client of its own making, with the credentials of a member. */
  async function raw({ token }: AmqpCredentials): Promise<ChannelModel> {
    const { port, vhost } = rabbit;
    const model = await connect({ hostname: "localhost", port, vhost, username: "x", password: token });
    model.on("error", () => undefined);
    ends.push(() => model.close().catch(() => undefined));
    return model;
  }

  /** The broker's answer: a code, or that it was done. */
  async function answerTo(credentials: AmqpCredentials, [, act]: Attack): Promise<unknown> {
    const channel = await (await raw(credentials)).createConfirmChannel();
    const refusal = new Promise((resolve) => {
      channel.on("error", ({ code }: { readonly code?: unknown }) => resolve(code));
    });
    return await Promise.race([act(channel).then(() => "done"), refusal]).catch(() => refusal);
  }

  test("lets a source and its sinks do what they do", async () => {
    const [source, one, two] = [await member("source", "q1q1q1"), await member("sink"), await member("sink", OTHER)];
    const ups = await Promise.all([source, coordinator].map((each) => heard(each, upWildcard(ours))));
    const data = await Promise.all([one, two].map((each) => heard(each, ours.data)));
    const lane = await heard(one, toSubject(ours, ME));
    await source.publish(ours.data, bytesOf("to all"), WIDE);
    await source.publish(toSubject(ours, ME), bytesOf("to one"), WIDE);
    await one.publish(upSubject(ours, ME), bytesOf("from one"), WIDE);
    expect((await Promise.all(data.map((reader) => reader.take(1)))).flat().map(text)).toEqual(["to all", "to all"]);
    expect((await lane.take(1)).map(text)).toEqual(["to one"]);
    for (const reader of ups) {
      const [message] = await reader.take(1);
      expect([message?.subject, message && text(message)]).toEqual([upSubject(ours, ME), "from one"]);
    }
  });

  test.each([
    ...NOBODYS,
    TO_THE_SESSION,
    ...[publish(session.session, ours.data), publish(session.session, toSubject(ours, OTHER))],
    ...[publish(mine, ours.data), publish(mine, upSubject(ours, OTHER)), publish(mine, "anchor")],
    ...[bind(mine, "#"), bind(mine, toSubject(ours, OTHER)), bind(session.up, upWildcard(ours))],
    ...[feed(mine, session.session, "#"), feed(mine, session.up, "#"), feed(session.session, mine, ours.data)],
    ...[feed(session.up, mine, upSubject(ours, OTHER)), feed(mine, others, "#")],
  ])("a sink is refused who %s", async (...attack) => {
    expect(await answerTo(granted("sink"), attack)).toBe(REFUSED);
  });

  test.each([
    ...NOBODYS,
    ...[publish(session.session, upSubject(ours, ME)), publish(mine, upSubject(ours, ME)), publish(mine, ours.data)],
    ...[bind(mine, ours.data), bind(session.up, "#")],
    ...[feed(session.session, mine, "#"), feed(session.up, session.session, "#"), feed(mine, session.session, "#")],
  ])("a source is refused who %s", async (...attack) => {
    expect(await answerTo(granted("source", "q1q1q1"), attack)).toBe(REFUSED);
  });

  test.each([
    ...[
      publish(session.session, ours.data),
      publish(mine, upSubject(ours, ME)),
      publish(session.up, upSubject(ours, ME)),
    ],
    ...[publish("", session.session), publish("amq.topic", "x"), bind("amq.topic", "#"), declare("elsewhere")],
  ])("a coordinator is refused who %s", async (...attack) => {
    expect(await answerTo(rabbit.granter.own(new Date()), attack)).toBe(REFUSED);
  });

  test("nobody reaches the queue of another, also when its name is known", async () => {
    const channel = await (await raw(granted("sink", OTHER))).createChannel();
    const { queue } = await channel.assertQueue("", { exclusive: true, durable: false });
    const attacks: readonly Attack[] = [
      ["consumes", (own) => own.consume(queue, () => undefined)],
      ["takes", (own) => own.get(queue)],
      ["binds", (own) => own.bindQueue(queue, mine, ours.data)],
      ["empties", (own) => own.purgeQueue(queue)],
      ["deletes", (own) => own.deleteQueue(queue)],
    ];
    for (const attack of attacks)
      expect([attack[0], await answerTo(granted("sink"), attack)]).toEqual([attack[0], LOCKED]);
  });

  test("further keys in a header lead a sink's message nowhere else", async () => {
    const [source, two] = [await member("source", "q1q1q1"), await member("sink", OTHER)];
    const [ups, data] = [await heard(source, upWildcard(ours)), await heard(two, ours.data)];
    const channel = await (await raw(granted("sink"))).createConfirmChannel();
    for (const header of ["CC", "BCC"]) {
      const headers = { [header]: [ours.data, toSubject(ours, OTHER), upSubject(ours, OTHER)] };
      channel.publish(mine, upSubject(ours, ME), Buffer.from(header), { headers });
    }
    await channel.waitForConfirms();
    await two.publish(upSubject(ours, OTHER), bytesOf("proper"), WIDE);
    const said = (await ups.take(3)).map((message) => [message.subject, text(message)]);
    expect(said).toEqual([
      [upSubject(ours, ME), "CC"],
      [upSubject(ours, ME), "BCC"],
      [upSubject(ours, OTHER), "proper"],
    ]);
    await source.publish(ours.data, bytesOf("proper"), WIDE);
    expect((await data.take(1)).map(text)).toEqual(["proper"]);
  });

  test("dead letters of a sink do not speak for another", async () => {
    const [source, two] = [await member("source", "q1q1q1"), await member("sink", OTHER)];
    const ups = await heard(source, upWildcard(ours));
    const channel = await (await raw(granted("sink"))).createConfirmChannel();
    for (const key of [upSubject(ours, OTHER), ours.data])
      await channel.bindQueue(await deadLetters(channel, mine, key), mine, ours.data);
    // By this one it is seen when the broker is through with what expired.
    await channel.bindQueue(await deadLetters(channel, mine, upSubject(ours, ME)), mine, ours.data);
    await source.publish(ours.data, bytesOf("to all"), WIDE);
    expect((await ups.take(1)).map(({ subject }) => subject)).toEqual([upSubject(ours, ME)]);
    await two.publish(upSubject(ours, OTHER), bytesOf("proper"), WIDE);
    const subjects = new Set<string>();
    for (let [message] = await ups.take(1); message !== undefined && text(message) !== "proper"; ) {
      subjects.add(message.subject);
      [message] = await ups.take(1);
    }
    expect([...subjects].filter((subject) => subject !== upSubject(ours, ME))).toEqual([]);
  });

  test("a queue without a bound gets one by the policy of the set-up", async () => {
    const { pattern, definition } = QUEUE_POLICY;
    const policy = { pattern, definition, "apply-to": "queues" };
    await askRabbit(rabbit, `operator-policies/${rabbit.vhost}/bound`, { method: "PUT", body: policy });
    const channel = await (await raw(granted("sink"))).createChannel();
    const { queue } = await channel.assertQueue("", { exclusive: true, durable: false });
    const known = () => askRabbit(rabbit, `queues/${rabbit.vhost}/${queue}`);
    await expect.poll(known).toMatchObject({ effective_policy_definition: definition });
  });

  test("credentials of members open nothing of the management interface", async () => {
    for (const { token } of [granted("sink"), granted("source"), rabbit.granter.own(new Date())]) {
      const basic = { authorization: `Basic ${btoa(`x:${token}`)}` };
      for (const headers of [basic, { authorization: `Bearer ${token}` }])
        expect((await fetch(`${rabbit.adminUrl}/api/overview`, { headers })).status).toBe(401);
    }
  });

  describe("a token lets nobody in", () => {
    const holder = { role: "sink", sessionId: OURS, memberId: ME, identity: ME, name: "x" } as const;
    const rights = [{ permission: "read", name: "*", keys: "*" }] as const;
    const refused = (token: string) => expectCode(open({ credentials: () => ({ token }) }), "broker-denied");

    test("that has expired", async () => {
      await refused(rabbit.granter.grant(holder, new Date(Date.now() - 2 * rabbit.granter.ttlMs)).token);
    });

    test("that another key signed", async () => {
      const { privateKey: key } = generateKeyPairSync("ec", { namedCurve: "P-256" });
      await refused(rabbitJwt({ name: "x", vhost: rabbit.vhost, rights }, { key, now: new Date(), ttlMs: 60_000 }));
    });

    test("that nobody signed, or that was signed with what all may read", async () => {
      const { payload } = decodeJws(granted("sink").token) ?? expect.fail("want a token");
      const claims = JSON.parse(payload.toString());
      await refused(encodeJws({ header: { alg: "none", kid: "fanfold" }, payload: claims }, () => Buffer.alloc(0)));
      const hmac = (input: Uint8Array) => createHmac("sha256", rabbit.publicKey).update(input).digest();
      await refused(encodeJws({ header: { alg: "HS256", kid: "fanfold" }, payload: claims }, hmac));
    });

    test("whose rights were changed", async () => {
      const [header = "", , signature = ""] = granted("sink").token.split(".");
      const { payload } = decodeJws(rabbit.granter.own(new Date()).token) ?? expect.fail("want a token");
      await refused([header, payload.toString("base64url"), signature].join("."));
    });

    test("that is for another resource", async () => {
      const key = createPrivateKey(readFileSync(rabbit.keyFile));
      const token = rabbitJwt({ name: "x", vhost: rabbit.vhost, rights }, { key, now: new Date(), ttlMs: 60_000 });
      const { header, payload } = decodeJws(token) ?? expect.fail("want a token");
      const claims = { ...JSON.parse(payload.toString()), aud: ["elsewhere"] };
      await refused(encodeJws({ header: { alg: "ES256", ...header }, payload: claims }, signEs256(key)));
    });

    test("into another virtual host", async () => {
      const elsewhere = await shareRabbit();
      ends.push(() => elsewhere.stop());
      const { token } = granted("sink");
      await expectCode(open({ url: elsewhere.url, credentials: () => ({ token }) }), "broker-denied");
    });
  });
});

import { setImmediate } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { claimsSubject, userJwt } from "../../src/coordinator/broker/nats-jwt.ts";
import { Nkey } from "../../src/coordinator/broker/nats-nkey.ts";
import type { NatsRole } from "../../src/coordinator/broker/nats-seeds.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { encodeJws } from "../../src/lib/crypto/jws.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { subjectsOf, toSubject, upSubject, upWildcard } from "../../src/protocol/subjects.ts";
import { connectTransport } from "../../src/transport/connect.ts";
import type { NatsCredentials } from "../../src/transport/target.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { bytesOf, expectCode, type Reader, readerOf, text, WIDE } from "../contract/contract-tools.ts";
import { brokersAvailable } from "../helpers/brokers/brokers.ts";
import { type ScopedNats, startScopedNats } from "../helpers/brokers/scoped-nats.ts";

const [OURS, THEIRS] = ["s1s1s1s1s1s1", "s2s2s2s2s2s2"];
const [ours, theirs] = [subjectsOf(OURS), subjectsOf(THEIRS)];
const [ME, OTHER] = ["k1k1k1", "k2k2k2"];

describe.skipIf(!brokersAvailable("nats"))("a NATS server with the set-up of fanfold", () => {
  let nats: ScopedNats;
  const open: Transport[] = [];
  beforeAll(async () => {
    nats = await startScopedNats();
  });
  afterEach(async () => {
    for (const transport of open.splice(0)) await transport.close();
  });
  afterAll(() => nats.stop());

  async function connect(credentials: NatsCredentials): Promise<Transport> {
    const target = { kind: "nats", url: nats.url, credentials: () => credentials } as const;
    const signal = AbortSignal.timeout(60_000);
    const transport = await connectTransport(target, { clientName: "test", clock: systemClock, signal });
    open.push(transport);
    return transport;
  }

  function member(role: "source" | "sink", sessionId = OURS, memberId = ME): Promise<Transport> {
    return connect(nats.granter.grant({ role, sessionId, memberId, identity: memberId, name: "x" }, new Date()));
  }

  /** Signed by the key of a role as the coordinator has it, with whatever claims. */
  function forged(
    role: NatsRole,
    change: { readonly tags?: readonly string[]; readonly nats?: object },
  ): NatsCredentials {
    const user = Nkey.make("user", systemRandom);
    const issuer = nats.seeds.keys[role];
    const { account } = nats.seeds;
    const iat = Math.floor(Date.now() / 1000);
    const tags = change.tags ?? [`session:${OURS}`, `sink:${ME}`];
    const rights = { type: "user", version: 2, issuer_account: account, tags, ...change.nats };
    const payload = { iss: issuer.publicKey, sub: user.publicKey, iat, exp: iat + 600, nats: rights };
    const jwt = encodeJws({ header: { typ: "JWT", alg: "ed25519-nkey" }, payload }, (input) => issuer.sign(input));
    return { jwt, seed: user.seed };
  }

  test("lets a source and its sinks do what they do", async () => {
    const [source, one, two] = [await member("source"), await member("sink"), await member("sink", OURS, OTHER)];
    const coordinator = await connect(nats.granter.own(new Date()));
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

  test("carries payloads that go in parts", async () => {
    const [source, sink] = [await member("source"), await member("sink")];
    const data = await heard(sink, ours.data);
    const large = Buffer.alloc(3 * 1024 * 1024, 7);
    await source.publish(ours.data, large, WIDE);
    expect((await data.take(1))[0]?.payload.length).toBe(large.length);
  });

  const SUBSCRIPTIONS = [
    ...[">", "*", "fanfold.>", "fanfold.*.data", "fanfold.*.up.*", "$SYS.>", "_INBOX.>"],
    ...[theirs.data, upWildcard(theirs), toSubject(theirs, ME)],
    ...[`fanfold.${OURS}.>`, toSubject(ours, OTHER), toSubject(ours, "*")],
  ];
  test.each([...SUBSCRIPTIONS, upWildcard(ours), upSubject(ours, ME)])("a sink does not hear %s", async (subject) => {
    await expectCode((await member("sink")).subscribe(subject, WIDE), "broker-denied");
  });

  test.each([...SUBSCRIPTIONS, ours.data, toSubject(ours, ME)])("a source does not hear %s", async (subject) => {
    await expectCode((await member("source")).subscribe(subject, WIDE), "broker-denied");
  });

  test.each([
    ...SUBSCRIPTIONS.filter((subject) => subject !== "fanfold.*.up.*" && subject !== upWildcard(theirs)),
    ours.data,
  ])("a coordinator does not hear %s", async (subject) => {
    await expectCode((await connect(nats.granter.own(new Date()))).subscribe(subject, WIDE), "broker-denied");
  });

  /** What is published on the subject is refused, and the one who would hear it does not. */
  async function expectRefused(attacker: Transport, subject: string, victim: Reader, proper: () => Promise<void>) {
    await attacker.publish(subject, bytesOf("forged"), WIDE);
    // The refusal comes behind it, and the next one after that is not even sent.
    const again = async (): Promise<void> => {
      for (;;) {
        await setImmediate();
        await attacker.publish(subject, bytesOf("forged again"), WIDE);
      }
    };
    await expectCode(again(), "broker-denied");
    await proper();
    expect((await victim.take(1)).map(text)).toEqual(["proper"]);
  }

  test("a sink cannot publish on data", async () => {
    const [source, one, two] = [await member("source"), await member("sink"), await member("sink", OURS, OTHER)];
    const victim = await heard(two, ours.data);
    await expectRefused(one, ours.data, victim, () => source.publish(ours.data, bytesOf("proper"), WIDE));
  });

  test("a sink cannot publish on the lane of another", async () => {
    const [source, one, two] = [await member("source"), await member("sink"), await member("sink", OURS, OTHER)];
    const lane = toSubject(ours, OTHER);
    const victim = await heard(two, lane);
    await expectRefused(one, lane, victim, () => source.publish(lane, bytesOf("proper"), WIDE));
  });

  test("a sink cannot speak as another", async () => {
    const [source, one, two] = [await member("source"), await member("sink"), await member("sink", OURS, OTHER)];
    const victim = await heard(source, upWildcard(ours));
    const subject = upSubject(ours, OTHER);
    await expectRefused(one, subject, victim, () => two.publish(subject, bytesOf("proper"), WIDE));
  });

  test.each(["data", "to", "up"] as const)("nobody publishes on %s of another session", async (kind) => {
    const [source, sink] = [await member("source", THEIRS), await member("sink", THEIRS)];
    const subject = { data: theirs.data, to: toSubject(theirs, ME), up: upSubject(theirs, ME) }[kind];
    const victim = await heard(kind === "up" ? source : sink, kind === "up" ? upWildcard(theirs) : subject);
    const proper = () => (kind === "up" ? sink : source).publish(subject, bytesOf("proper"), WIDE);
    for (const role of ["source", "sink"] as const) await expectRefused(await member(role), subject, victim, proper);
  });

  test("a coordinator publishes nothing", async () => {
    const [source, sink] = [await member("source"), await member("sink")];
    const coordinator = await connect(nats.granter.own(new Date()));
    const [data, ups] = [await heard(sink, ours.data), await heard(source, upWildcard(ours))];
    await expectRefused(coordinator, ours.data, data, () => source.publish(ours.data, bytesOf("proper"), WIDE));
    const up = upSubject(ours, ME);
    await expectRefused(coordinator, up, ups, () => sink.publish(up, bytesOf("proper"), WIDE));
  });

  describe("whoever has stolen the seeds of the coordinator", () => {
    test.each<[string, NatsRole, object]>([
      ["adds subjects to hear", "sink", { sub: { allow: [">"] } }],
      ["adds subjects to publish on", "sink", { pub: { allow: [">"] } }],
      ["lets anybody answer", "source", { resp: { max: 100, ttl: 1_000_000_000 } }],
      ["needs no key", "source", { bearer_token: true }],
      ["raises a limit", "coordinator", { subs: -1, data: -1, payload: -1 }],
    ])("is refused who %s", async (_, role, more) => {
      await expectCode(connect(forged(role, { nats: more })), "broker-denied");
    });

    test("is refused who makes a user of another account", async () => {
      const account = Nkey.make("account", systemRandom).publicKey;
      await expectCode(connect(forged("source", { nats: { issuer_account: account } })), "broker-denied");
    });

    test("has no rights without tags, or with a tag that is no token", async () => {
      for (const tags of [[], ["session:>", "sink:>"], ["other:x"]]) {
        const sink = await connect(forged("sink", { tags }));
        for (const subject of [">", "fanfold.>", ours.data, "fanfold.*.data"])
          await expectCode(sink.subscribe(subject, WIDE), "broker-denied");
      }
    });

    test("is a sink of any session, and no more: it still publishes no data", async () => {
      const spy = await connect(forged("sink", { tags: ["session:*", "sink:*"] }));
      const [source, sink] = [await member("source"), await member("sink", OURS, OTHER)];
      const victim = await heard(sink, ours.data);
      await expectRefused(spy, ours.data, victim, () => source.publish(ours.data, bytesOf("proper"), WIDE));
      for (const subject of [">", "fanfold.>", "$SYS.>", upWildcard(ours)])
        await expectCode(spy.subscribe(subject, WIDE), "broker-denied");
    });

    test("tells the server of the account of fanfold and of no other, and hears nothing", async () => {
      const { remover } = nats.seeds;
      if (remover === undefined) throw new Error("want the keys of the remover");
      const user = Nkey.make("user", systemRandom);
      const claims = { issuer: remover.key, subject: user.publicKey, name: "x", now: new Date(), ttlMs: 60_000 };
      const jwt = userJwt({ ...claims, account: remover.system, tags: [] });
      const thief = await connect({ jwt, seed: user.seed });
      for (const subject of [">", "$SYS.>", "fanfold.>", ours.data, "_INBOX.>", `$SYS.ACCOUNT.*.CONNECT`])
        await expectCode(thief.subscribe(subject, WIDE), "broker-denied");
      const refused = [
        claimsSubject(remover.system),
        "$SYS.REQ.SERVER.PING.CONNZ",
        "$SYS.REQ.CLAIMS.UPDATE",
        ours.data,
      ];
      for (const subject of refused) {
        const again = async (): Promise<void> => {
          for (;;) {
            await thief.publish(subject, bytesOf("x"), WIDE);
            await setImmediate();
          }
        };
        await expectCode(again(), "broker-denied");
      }
    });

    test("reaches nothing but fanfold as a source of all sessions", async () => {
      const source = await connect(forged("source", { tags: ["session:*"] }));
      for (const subject of [">", "fanfold.>", "$SYS.>", "$JS.>", ours.data])
        await expectCode(source.subscribe(subject, WIDE), "broker-denied");
    });
  });

  test("a key that the account does not name signs for nobody", async () => {
    const [issuer, user] = [Nkey.make("account", systemRandom), Nkey.make("user", systemRandom)];
    const claims = { issuer, subject: user.publicKey, name: "x", now: new Date(), ttlMs: 60_000 };
    const jwt = userJwt({ ...claims, account: nats.seeds.account, tags: [`session:${OURS}`] });
    await expectCode(connect({ jwt, seed: user.seed }), "broker-denied");
  });

  test("an expired JWT, another's JWT and no JWT at all let nobody in", async () => {
    const holder = { role: "sink", sessionId: OURS, memberId: ME, identity: ME, name: "x" } as const;
    const other = { ...holder, memberId: OTHER, identity: OTHER };
    const old = nats.granter.grant(holder, new Date(Date.now() - 2 * nats.granter.ttlMs));
    await expectCode(connect(old), "broker-denied");
    const [one, two] = [nats.granter.grant(holder, new Date()), nats.granter.grant(other, new Date())];
    await expectCode(connect({ jwt: one.jwt, seed: two.seed }), "broker-denied");
    const target = { kind: "nats", url: nats.url } as const;
    const options = { clientName: "test", clock: systemClock, signal: AbortSignal.timeout(60_000) };
    await expectCode(connectTransport(target, options), "broker-denied");
  });
});

async function heard(transport: Transport, subject: string): Promise<Reader> {
  return readerOf(await transport.subscribe(subject, WIDE));
}

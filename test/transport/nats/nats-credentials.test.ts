import { afterEach, describe, expect, it } from "vitest";
import { natsGranter } from "../../../src/coordinator/broker/nats-granter.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { subjectsOf, upSubject, upWildcard } from "../../../src/protocol/subjects.ts";
import { connectNats } from "../../../src/transport/nats/nats.ts";
import type { NatsCredentials } from "../../../src/transport/target.ts";
import { bytesOf, expectCode, numbered, numberOf, readerOf, WIDE, watchStatus } from "../../contract/contract-tools.ts";
import { brokersAvailable } from "../../helpers/brokers/brokers.ts";
import { type ScopedNats, startScopedNats } from "../../helpers/brokers/scoped-nats.ts";
import { secretsOf } from "../../helpers/error-text.ts";

const SESSION = "s1s1s1s1s1s1";
const subjects = subjectsOf(SESSION);
const sink = { role: "sink", sessionId: SESSION, memberId: "k1k1k1", identity: "a1", name: "x" } as const;
const source = { ...sink, role: "source", memberId: "q1q1q1" } as const;
const mine = upSubject(subjects, sink.memberId);

describe.skipIf(!brokersAvailable("nats"))("credentials that end", () => {
  const teardown: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of teardown.splice(0).reverse()) await end();
  });

  async function server(): Promise<ScopedNats> {
    const nats = await startScopedNats();
    teardown.push(() => nats.stop());
    return nats;
  }

  async function open(nats: ScopedNats, credentials: () => NatsCredentials) {
    const options = { clientName: "test", clock: systemClock, signal: AbortSignal.timeout(60_000) };
    const transport = await connectNats({ kind: "nats", url: nats.url, credentials }, options);
    teardown.push(() => transport.close());
    return transport;
  }

  it("are followed by the newest, over a link that comes back with its subscriptions", async () => {
    const nats = await server();
    const brief = natsGranter(nats.seeds, { ttlMs: 5_000, random: systemRandom });
    const hearer = await open(nats, () => nats.granter.grant(source, new Date()));
    const reader = readerOf(await hearer.subscribe(upWildcard(subjects), WIDE));
    const speaker = await open(nats, () => brief.grant(sink, new Date()));
    const lane = readerOf(await speaker.subscribe(`${subjects.toPrefix}${sink.memberId}`, WIDE));
    const log = watchStatus(speaker);
    const count = (type: string) => log.seen.filter((status) => status.type === type).length;
    await speaker.publish(mine, numbered(0, 100), WIDE);
    await log.until(() => count("reconnected") === 3);
    await speaker.publish(mine, numbered(1, 100), WIDE);
    expect((await reader.take(2)).map(numberOf)).toEqual([0, 1]);
    await hearer.publish(`${subjects.toPrefix}${sink.memberId}`, numbered(2, 100), WIDE);
    expect((await lane.take(1)).map(numberOf)).toEqual([2]);
    expect(count("closed")).toBe(0);
    const reasons = log.seen.flatMap((status) => (status.type === "disconnected" ? [status.reason] : []));
    expect(reasons).toEqual(reasons.map(() => expect.stringMatching(/credentials .*have expired/)));
  });

  it("do not end a transport for ever: it tries until there are fresh ones", async () => {
    const nats = await server();
    let isFresh = true;
    const brief = natsGranter(nats.seeds, { ttlMs: 5_000, random: systemRandom });
    let refused = 0;
    const credentials = () => {
      if (isFresh) return brief.grant(sink, new Date());
      refused += 1;
      return brief.grant(sink, new Date(Date.now() - 60_000));
    };
    const speaker = await open(nats, credentials);
    isFresh = false;
    const log = watchStatus(speaker);
    await log.until(() => log.seen.filter(({ type }) => type === "reconnecting").length >= 5);
    expect(refused).toBeGreaterThan(2);
    isFresh = true;
    await log.until(() => log.seen.some(({ type }) => type === "reconnected"));
    await speaker.publish(mine, bytesOf("again"), WIDE);
  });

  it("that are refused at the first link are told, without them", async () => {
    const nats = await server();
    const old = nats.granter.grant(sink, new Date(0));
    const refused = open(nats, () => old);
    await expectCode(refused, "broker-denied");
    await expect(refused).rejects.toThrow(/nats-setup/);
    expect(await secretsOf(refused, [old.seed, old.jwt])).toEqual([]);
  });
});

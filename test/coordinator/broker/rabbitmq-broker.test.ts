import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exchangesOf, sinkExchange } from "../../../src/transport/amqp/exchange.ts";
import { brokersAvailable } from "../../helpers/brokers/brokers.ts";
import { askRabbit } from "../../helpers/brokers/rabbit-admin.ts";
import type { ScopedRabbit } from "../../helpers/brokers/scoped-rabbit.ts";
import { shareRabbit } from "../../helpers/brokers/shared-rabbit.ts";
import { clientOf, coordinatorOf, EventReader, stateFolder } from "../coordinator-fixture.ts";

describe.skipIf(!brokersAvailable("rabbit"))("with RabbitMQ a coordinator", () => {
  let broker: ScopedRabbit;
  beforeAll(async () => {
    broker = await shareRabbit();
  });
  afterAll(() => broker.stop());

  async function exchanges(): Promise<string[]> {
    const found = await askRabbit<{ name: string }[]>(broker, `exchanges/${broker.vhost}?disable_stats=true`);
    return found.map(({ name }) => name);
  }

  const here = async (...names: readonly string[]) => {
    const all = await exchanges();
    return names.map((name) => all.includes(name));
  };

  test("makes the exchanges of who comes, and deletes those of a sink that leaves, and of a session that is forgotten", async () => {
    const coordinator = await coordinatorOf({ broker: broker.rootUrl });
    const [alpha, beta] = [await clientOf(coordinator), await clientOf(coordinator)];
    const welcomes = [await alpha.enter("sink"), await beta.enter("sink", { label: "beta" })];
    const sessionId = welcomes[0]?.sessionId ?? "";
    const own = welcomes.map(({ member }) => sinkExchange(sessionId, member.id));
    expect(welcomes.map(({ transport }) => "exchange" in transport && transport.exchange)).toEqual(own);
    const { session, up } = exchangesOf(sessionId);
    await expect.poll(() => here(session, up, ...own)).toEqual([true, true, true, true]);
    alpha.raw('{"type":"leave","code":"interrupted","reason":"enough"}');
    await expect.poll(() => here(session, up, ...own)).toEqual([true, true, false, true]);
    beta.socket.terminate();
    await expect.poll(() => here(session, up, ...own)).toEqual([false, false, false, false]);
  });

  test("deletes what a session had that waited when the coordinator before it was stopped", async () => {
    const stateDir = await stateFolder();
    const first = await coordinatorOf({ broker: broker.rootUrl, stateDir });
    const sink = await clientOf(first);
    const { sessionId, member } = await sink.enter("sink");
    const { session, up } = exchangesOf(sessionId);
    const own = sinkExchange(sessionId, member.id);
    await expect.poll(() => here(session, up, own)).toEqual([true, true, true]);
    await first.close();
    expect(await here(session, up)).toEqual([true, true]);
    const second = await coordinatorOf({ broker: broker.rootUrl, stateDir });
    await new EventReader(second).until("broker", ({ status }) => status === "connected");
    await expect.poll(() => here(session, up, own)).toEqual([false, false, false]);
  });
});

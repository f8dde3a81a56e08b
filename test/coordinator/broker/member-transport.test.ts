import { expect, test } from "vitest";
import { resolveBroker } from "../../../src/coordinator/broker/broker-setup.ts";
import type { Granter } from "../../../src/coordinator/broker/granter.ts";
import { openBroker } from "../../../src/coordinator/broker/member-transport.ts";
import { natsGranter } from "../../../src/coordinator/broker/nats-granter.ts";
import { silentLogger } from "../../../src/lib/logger.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import type { CoordinatorMessage } from "../../../src/protocol/messages/control.ts";
import type { CoordinatorEvent } from "../../../src/protocol/messages/coordinator-events.ts";
import { madeSeeds } from "../../helpers/brokers/nats-seeds.ts";
import { ManualClock } from "../manual-clock.ts";

const holder = { memberId: "k1k1k1", identity: "a1", name: "alpha", role: "sink", sessionId: "s".repeat(12) } as const;

const store = {
  shutOuts: {
    all: () => [],
    add: () => undefined,
    signedUpTo: () => new Date(0),
    keepSignedUpTo: () => undefined,
  },
};

/** A member at this address that is told something, and what it is told later. */
function to(address: string, told: CoordinatorMessage[] = [], gone = new AbortController().signal) {
  return { connection: { address, gone, send: (message: CoordinatorMessage) => told.push(message) }, rejoined: false };
}

test("members are told fresh credentials at half of the life of those that they have", async () => {
  const clock = new ManualClock();
  const granter: Granter = {
    ...natsGranter(madeSeeds(), { ttlMs: 1000, random: systemRandom }),
    grant: ({ memberId }, now) => ({ jwt: `${memberId} ${now.getTime()}`, seed: "S" }),
    own: () => ({ jwt: "own", seed: "O" }),
  };
  const setup = resolveBroker({ broker: "nats://127.0.0.1:4222", granter });
  const common = { clock, random: systemRandom, logger: silentLogger, emit: () => undefined, store, isInside: true };
  await using broker = await openBroker(setup, common);
  const told: CoordinatorMessage[] = [];
  const gone = new AbortController();
  const offer = (jwt: string) => ({ kind: "nats", url: "nats://127.0.0.1:4222", credentials: { jwt, seed: "S" } });
  expect(broker.offer(holder, to("127.0.0.1", told, gone.signal)).transport).toEqual(offer("k1k1k1 0"));
  clock.advance(499);
  expect(told).toEqual([]);
  clock.advance(1);
  expect(told).toEqual([{ type: "transport", transport: offer("k1k1k1 500") }]);
  gone.abort();
  clock.advance(5000);
  expect(told).toHaveLength(1);
});

test("a client on another machine that is told a loopback broker is warned, and so is the coordinator's user", async () => {
  const events: CoordinatorEvent[] = [];
  const options = { clock: new ManualClock(), random: systemRandom, logger: silentLogger, store, isInside: true };
  const setup = resolveBroker({ broker: "nats://127.0.0.1:4222" });
  await using broker = await openBroker(setup, { ...options, emit: (event) => events.push(event) });
  expect(broker.offer(holder, to("127.0.0.1")).warnings).toEqual([]);
  expect(events).toEqual([]);
  expect(broker.offer(holder, to("10.0.0.3")).warnings).toEqual([expect.stringContaining("--broker-public-url")]);
  expect(events).toEqual([
    {
      type: "warning",
      code: "broker-loopback",
      message: expect.stringMatching(/alpha.*10\.0\.0\.3.*--broker-public-url/),
    },
  ]);
});

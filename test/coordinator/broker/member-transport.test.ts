import { expect, test } from "vitest";
import { resolveBroker } from "../../../src/coordinator/broker/broker-setup.ts";
import { openBroker } from "../../../src/coordinator/broker/member-transport.ts";
import { silentLogger } from "../../../src/lib/logger.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import type { CoordinatorEvent } from "../../../src/protocol/messages/events.ts";
import { ManualClock } from "../manual-clock.ts";

const holder = { memberId: "k1k1k1", name: "alpha", role: "sink", sessionId: "s".repeat(12) } as const;

test("a client on another machine that is told a loopback broker is warned, and so is the coordinator's user", async () => {
  const events: CoordinatorEvent[] = [];
  const options = { clock: new ManualClock(), random: systemRandom, logger: silentLogger };
  const setup = resolveBroker({ broker: "nats://127.0.0.1:4222" });
  await using broker = await openBroker(setup, { ...options, emit: (event) => events.push(event) });
  expect(broker.offer(holder, { address: "127.0.0.1", rejoined: false }).warnings).toEqual([]);
  expect(events).toEqual([]);
  expect(broker.offer(holder, { address: "10.0.0.3", rejoined: false }).warnings).toEqual([
    expect.stringContaining("--broker-public-url"),
  ]);
  expect(events).toEqual([
    {
      type: "warning",
      code: "broker-loopback",
      message: expect.stringMatching(/alpha.*10\.0\.0\.3.*--broker-public-url/),
    },
  ]);
});

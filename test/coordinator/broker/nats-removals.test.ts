import type { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { natsGranter } from "../../../src/coordinator/broker/nats-granter.ts";
import { NatsRemovals } from "../../../src/coordinator/broker/nats-removals.ts";
import { ShutOuts } from "../../../src/coordinator/history/shut-outs.ts";
import { openStateDatabase } from "../../../src/coordinator/history/state-database.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { madeSeeds } from "../../helpers/brokers/nats-seeds.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { ManualClock } from "../manual-clock.ts";

/** Without the keys of a remover no server is asked. */
function seedsAlone() {
  return { ...madeSeeds(), remover: undefined };
}

function startRemovals(database: DatabaseSync, seeds: ReturnType<typeof seedsAlone>, clock: ManualClock) {
  const granter = natsGranter(seeds, { ttlMs: 3_600_000, random: systemRandom });
  const target = { kind: "nats" as const, url: "nats://127.0.0.1:1" };
  const shutOuts = new ShutOuts(database);
  return { granter, removals: new NatsRemovals({ granter, target, shutOuts, clock, emit: () => undefined }) };
}

test("a coordinator that starts again makes void what was void, also when its clock went back before", async () => {
  const clock = new ManualClock();
  const seeds = seedsAlone();
  using database = await openStateDatabase(tempFolder(), clock.date());
  const start = () => startRemovals(database, seeds, clock);
  const first = start();
  first.granter.users.signedAt("member", new Date(500_000));
  first.removals.shutOut("member");
  const wanted = first.granter.users.revocations(clock.date());
  expect(Object.values(wanted)).toEqual([500]);
  await first.removals[Symbol.asyncDispose]();
  const second = start();
  expect(second.granter.users.revocations(clock.date())).toEqual(wanted);
  await second.removals[Symbol.asyncDispose]();
});

test("a clock that was set back while the coordinator was down leaves nothing good that was signed before", async () => {
  const clock = new ManualClock();
  const seeds = seedsAlone();
  using database = await openStateDatabase(tempFolder(), clock.date());
  const start = () => startRemovals(database, seeds, clock);
  const first = start();
  const later = new Date(clock.date().getTime() + 500_000);
  const signed = first.granter.users.signedAt("member", later);
  await first.removals[Symbol.asyncDispose]();
  const second = start();
  second.removals.shutOut("member");
  const [upToS = 0] = Object.values(second.granter.users.revocations(clock.date()));
  expect(upToS).toBeGreaterThanOrEqual(signed.getTime() / 1000);
  const again = second.granter.users.signedAt("member", clock.date());
  expect(again.getTime() / 1000).toBeGreaterThan(upToS);
  await second.removals[Symbol.asyncDispose]();
});

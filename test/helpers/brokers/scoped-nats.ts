import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { NatsGranter } from "../../../src/coordinator/broker/granter.ts";
import { natsGranter } from "../../../src/coordinator/broker/nats-granter.ts";
import { type NatsSeeds, readNatsSeeds } from "../../../src/coordinator/broker/nats-seeds.ts";
import { NATS_FILES, setUpNats } from "../../../src/coordinator/broker/nats-setup.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { tempFolder } from "./broker-process.ts";
import type { NatsOptions, TestBroker } from "./broker-types.ts";
import { startNats } from "./brokers.ts";

/** A NATS server with the set-up that `fanfold nats-setup` makes. */
export interface ScopedNats extends TestBroker {
  /** Path of what the coordinator gets. */
  readonly seedsFile: string;
  readonly seeds: NatsSeeds;
  readonly granter: NatsGranter;
}

export async function startScopedNats(options: NatsOptions = {}): Promise<ScopedNats> {
  const { path, remove } = await tempFolder("scoped-nats");
  const folder = join(path, "nats");
  setUpNats(folder, { port: 4222, tlsNames: [], now: new Date(), random: systemRandom });
  const seedsFile = join(folder, NATS_FILES.seeds);
  const seeds = readNatsSeeds(seedsFile);
  const granter = natsGranter(seeds, { ttlMs: 3_600_000, random: systemRandom });
  const accounts = readFileSync(join(folder, NATS_FILES.accounts), "utf8");
  const broker = await startNats({ ...options, config: [options.config ?? "", accounts].join("\n") });
  const stop = async (): Promise<void> => {
    await broker.stop();
    await remove();
  };
  return { ...broker, seedsFile, seeds, granter, stop };
}

import { Nkey } from "../../../src/coordinator/broker/nats-nkey.ts";
import type { NatsSeeds } from "../../../src/coordinator/broker/nats-seeds.ts";
import { systemRandom } from "../../../src/lib/random.ts";

/** Keys of no server. */
export function madeSeeds(): NatsSeeds {
  const key = () => Nkey.make("account", systemRandom);
  const keys = { source: key(), sink: key(), coordinator: key() };
  const remover = { operator: Nkey.make("operator", systemRandom), system: key().publicKey, key: key() };
  return { account: key().publicKey, keys, remover };
}

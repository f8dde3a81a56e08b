import type { Random } from "../../lib/random.ts";
import type { NatsCredentials } from "../../transport/target.ts";
import { checkIds, type NatsGranter } from "./granter.ts";
import { userJwt } from "./nats-jwt.ts";
import { Nkey } from "./nats-nkey.ts";
import type { NatsRole, NatsSeeds } from "./nats-seeds.ts";
import { NatsUsers } from "./nats-users.ts";
import type { TicketHolder } from "./tickets.ts";

interface NatsGranterOptions {
  readonly ttlMs: number;
  readonly random: Random;
}

interface User {
  readonly role: NatsRole;
  readonly key: Nkey;
  readonly name: string;
  readonly tags: readonly string[];
  readonly issued?: Date;
}

/** Signs a JWT for each user at a NATS server. The rights stand at the server, in the account's JWT. */
export function natsGranter(seeds: NatsSeeds, { ttlMs, random }: NatsGranterOptions): NatsGranter {
  const { account, keys } = seeds;
  const users = new NatsUsers(keys.coordinator, ttlMs);
  const credentials = ({ role, key, name, ...rest }: User, now: Date): NatsCredentials => {
    const claims = { issuer: keys[role], subject: key.publicKey, name, now, ttlMs };
    return { jwt: userJwt({ ...claims, account, ...rest }), seed: key.seed };
  };
  return {
    kind: "nats",
    ttlMs,
    seeds,
    users,
    grant: (holder, now) => {
      const { role, memberId, identity } = holder;
      const user = { role, key: users.keyOf(identity), name: `${role} ${memberId}`, tags: tagsOf(holder) };
      return credentials({ ...user, issued: users.signedAt(identity, now) }, now);
    },
    own: (now) =>
      credentials({ role: "coordinator", key: Nkey.make("user", random), name: "coordinator", tags: [] }, now),
  };
}

function tagsOf(holder: TicketHolder): readonly string[] {
  checkIds(holder);
  const { role, sessionId, memberId } = holder;
  return [`session:${sessionId}`, ...(role === "sink" ? [`sink:${memberId}`] : [])];
}

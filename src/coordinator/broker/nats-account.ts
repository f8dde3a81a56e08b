import { accountJwt, NATS_RIGHTS, type Revocations } from "./nats-jwt.ts";
import type { Nkey } from "./nats-nkey.ts";
import { NATS_ROLES, type NatsSeeds } from "./nats-seeds.ts";

interface AccountOptions {
  /** The operator, or a key that signs for it. */
  readonly issuer: Nkey;
  readonly now: Date;
  readonly revocations?: Revocations;
}

/** The account of sources, sinks and the coordinator: who may do what in it, and whose credentials are void. */
export function fanfoldAccountJwt(
  { account, keys }: Pick<NatsSeeds, "account" | "keys">,
  { issuer, now, revocations }: AccountOptions,
): string {
  const scopes = NATS_ROLES.map((role) => ({ role, publicKey: keys[role].publicKey, rights: NATS_RIGHTS[role] }));
  return accountJwt({ issuer, subject: account, name: "FANFOLD", now }, scopes, revocations);
}

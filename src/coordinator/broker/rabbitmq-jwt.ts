import type { KeyObject } from "node:crypto";
import { encodeJws, signEs256 } from "../../lib/crypto/jws.ts";

/** What RabbitMQ calls itself in tokens, and the beginning of every scope: `auth_oauth2.resource_server_id`. */
export const RESOURCE_SERVER = "fanfold";
/** Names the key among those that the broker knows. */
export const KEY_ID = "fanfold";

type Permission = "configure" | "read" | "write";

/** A right at a broker: on what has this name, and at an exchange for these routing keys. `*` stands for anything. */
interface RabbitRight {
  readonly permission: Permission;
  readonly name: string;
  readonly keys?: string;
}

export interface RabbitUser {
  /** By this name the broker knows the connections. */
  readonly name: string;
  readonly vhost: string;
  readonly rights: readonly RabbitRight[];
}

interface Signing {
  readonly key: KeyObject;
  readonly now: Date;
  readonly ttlMs: number;
}

/** A token for the OAuth 2 plug-in of RabbitMQ. */
export function rabbitJwt({ name, vhost, rights }: RabbitUser, { key, now, ttlMs }: Signing): string {
  const scope = rights.map((right) => scopeOf(vhost, right)).join(" ");
  const [iat, exp] = [now.getTime(), now.getTime() + ttlMs].map((ms) => Math.floor(ms / 1000));
  const payload = { sub: name, aud: [RESOURCE_SERVER], iat, exp, scope };
  return encodeJws({ header: { typ: "JWT", alg: "ES256", kid: KEY_ID }, payload }, signEs256(key));
}

function scopeOf(vhost: string, { permission, name, keys }: RabbitRight): string {
  const literalVhost = encodeURIComponent(vhost).replaceAll("*", "%2A");
  const parts = [literalVhost, name, ...(keys === undefined ? [] : [keys])];
  return `${RESOURCE_SERVER}.${permission}:${parts.join("/")}`;
}

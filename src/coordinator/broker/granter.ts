import { FanfoldError } from "../../lib/errors.ts";
import { MEMBER_ID_CHARS, SESSION_ID_CHARS } from "../../protocol/limits.ts";
import type { AmqpCredentials, NatsCredentials } from "../../transport/target.ts";
import type { NatsSeeds } from "./nats-seeds.ts";
import type { NatsUsers } from "./nats-users.ts";
import type { TicketHolder } from "./tickets.ts";

interface GranterOf<Kind, Credentials> {
  readonly kind: Kind;
  /** How long what it gives is good for. */
  readonly ttlMs: number;
  /** Rights of a member, in the session that it is welcomed to and for what its role does there. */
  grant(holder: TicketHolder, now: Date): Credentials;
  /** Rights of the coordinator itself: it hears what the sinks of all sessions say. */
  own(now: Date): Credentials;
}

/** Gives rights at a broker that the broker itself enforces, each for one session and for a while. */
export type Granter = NatsGranter | AmqpGranter;
export interface NatsGranter extends GranterOf<"nats", NatsCredentials> {
  readonly seeds: NatsSeeds;
  readonly users: NatsUsers;
}
export type AmqpGranter = GranterOf<"amqp", AmqpCredentials>;

const SESSION_ID = new RegExp(`^[a-z0-9]{${SESSION_ID_CHARS}}$`);
const MEMBER_ID = new RegExp(`^[a-z0-9]{${MEMBER_ID_CHARS}}$`);

/** What is signed becomes part of a pattern, where `*` would be a wildcard: ids are looked at once more. */
export function checkIds({ sessionId, memberId }: TicketHolder): void {
  if (SESSION_ID.test(sessionId) && MEMBER_ID.test(memberId)) return;
  throw new FanfoldError(
    "internal",
    `cannot grant rights in session "${sessionId}" to "${memberId}": these are no ids`,
  );
}

import type { KeyObject } from "node:crypto";
import { subjectsOf, toSubject, upSubject } from "../../protocol/subjects.ts";
import { exchangesOf, sinkExchange } from "../../transport/amqp/exchange.ts";
import type { AmqpCredentials } from "../../transport/target.ts";
import { type AmqpGranter, checkIds } from "./granter.ts";
import { type RabbitUser, rabbitJwt } from "./rabbitmq-jwt.ts";
import type { TicketHolder } from "./tickets.ts";

interface RabbitGranterOptions {
  /** The virtual host that everybody uses. */
  readonly vhost: string;
  readonly ttlMs: number;
}

type RabbitRights = RabbitUser["rights"];

/** Queues of subscriptions: the broker names them, and nobody but their connection reaches them. */
const OWN_QUEUES: RabbitRights = (["configure", "write", "read"] as const).map((permission) => ({
  permission,
  name: "amq.gen*",
}));

/** Signs a token for each user of a RabbitMQ broker. All rights stand in it. */
export function rabbitGranter(key: KeyObject, { vhost, ttlMs }: RabbitGranterOptions): AmqpGranter {
  const sign = (name: string, rights: RabbitRights, now: Date): AmqpCredentials => ({
    token: rabbitJwt({ name, vhost, rights }, { key, now, ttlMs }),
  });
  let own: { readonly credentials: AmqpCredentials; readonly untilMs: number } | undefined;
  return {
    kind: "amqp",
    ttlMs,
    grant: (holder, now) => {
      checkIds(holder);
      const { role, sessionId, memberId } = holder;
      const rights = role === "source" ? sourceRights(sessionId) : sinkRights(holder);
      return sign(`fanfold.${sessionId}.${memberId}`, rights, now);
    },
    own: (now) => {
      if (own === undefined || now.getTime() >= own.untilMs)
        own = {
          credentials: sign("fanfold.coordinator", coordinatorRights(), now),
          untilMs: now.getTime() + ttlMs / 2,
        };
      return own.credentials;
    },
  };
}

/** Publishes to all sinks, or to one of them, and hears them. A literal `*` of a subscription is `%2A`. */
function sourceRights(sessionId: string): RabbitRights {
  const { session, up } = exchangesOf(sessionId);
  const { data, toPrefix, upPrefix } = subjectsOf(sessionId);
  return [
    ...OWN_QUEUES,
    { permission: "write", name: session, keys: data },
    { permission: "write", name: session, keys: `${toPrefix}*` },
    { permission: "read", name: up, keys: `${upPrefix}%2A` },
  ];
}

/** Reaches nothing but its own exchange. */
function sinkRights({ sessionId, memberId }: TicketHolder): RabbitRights {
  const name = sinkExchange(sessionId, memberId);
  const subjects = subjectsOf(sessionId);
  return [
    ...OWN_QUEUES,
    { permission: "read", name, keys: subjects.data },
    { permission: "read", name, keys: toSubject(subjects, memberId) },
    { permission: "write", name, keys: upSubject(subjects, memberId) },
  ];
}

/** Makes, binds and deletes the exchanges of all sessions and their anchors, and hears the sinks. */
function coordinatorRights(): RabbitRights {
  return [
    ...OWN_QUEUES,
    { permission: "configure", name: "fanfold.*" },
    { permission: "write", name: "fanfold.*" },
    { permission: "read", name: "fanfold.*", keys: "*" },
  ];
}

import { FanfoldError, reasonOf as plainReason } from "../../lib/errors.ts";
import { AT_BROKER, tlsFailure } from "../../lib/tls/tls-failure.ts";
import { redactUrl, vhostOf } from "../broker-url.ts";
import type { AmqpTarget } from "../target.ts";

const ACCESS_REFUSED = 403;
const NOT_FOUND = 404;
/**
 * The library does not hand on the reason. At that point the credentials were accepted, and only the virtual host was
 * named.
 */
const CLOSED_AT_OPEN = /Expected ConnectionOpenOk; got <ConnectionClose|NOT[-_]ALLOWED/;

/** What a failed connect means to the person who named the broker. */
export function connectError({ url, credentials }: AmqpTarget, thrown: unknown): FanfoldError {
  const action = `cannot connect to RabbitMQ at "${redactUrl(url)}"`;
  const cause = { cause: thrown };
  const text = thrown instanceof Error ? thrown.message : "";
  if (/ACCESS[-_]REFUSED/.test(text)) {
    const advice =
      credentials === undefined
        ? "check the user and password in the broker's URL; the user guest works only on the broker's own machine"
        : 'check that the broker runs with the configuration from the same "fanfold rabbitmq-setup" as the key of the coordinator, and that its clock is right';
    return new FanfoldError("broker-denied", `${action}: the broker refused the credentials; ${advice}`, cause);
  }
  if (CLOSED_AT_OPEN.test(text)) {
    const vhost = vhostOf(url);
    const found = `the broker refused the virtual host "${vhost}": it is missing, or this user may not enter it`;
    const advice = "create it with rabbitmqctl add_vhost, or admit the user with rabbitmqctl set_permissions";
    return new FanfoldError("broker-denied", `${action}: ${found}; ${advice}`, cause);
  }
  const byTls = tlsFailure(action, thrown, undefined, AT_BROKER);
  if (byTls !== undefined) return byTls;
  const advice = "check that RabbitMQ runs there and that no firewall blocks it";
  return new FanfoldError("broker-unreachable", `${action}: ${reasonOf(thrown)}; ${advice}`, cause);
}

type BrokerAction = "cannot subscribe to" | "cannot publish on";

export function permissionError(action: BrokerAction, subject: string, cause: unknown): FanfoldError {
  const advice = 'let this user configure, write and read "^(fanfold\\.|amq\\.gen)" with rabbitmqctl set_permissions';
  return new FanfoldError("broker-denied", `${action} "${subject}": RabbitMQ refused permission; ${advice}`, { cause });
}

/** The exchanges of a session cannot be made or deleted. */
export function exchangeError(cause: unknown): FanfoldError {
  const what = isAccessRefused(cause) ? "RabbitMQ refused permission" : reasonOf(cause);
  const advice = 'let the coordinator\'s user configure, write and read "^(fanfold\\.|amq\\.gen)"';
  return new FanfoldError("broker-denied", `cannot make the exchanges of a session: ${what}; ${advice}`, { cause });
}

/** The exchange that a member needs does not come. */
export function absentError(action: BrokerAction, subject: string, exchange: string): FanfoldError {
  const found = `RabbitMQ has no exchange "${exchange}", which the coordinator makes`;
  const advice =
    "check that the coordinator reaches the broker, and that its --broker and --broker-public-url name the same one";
  return new FanfoldError("broker-denied", `${action} "${subject}": ${found}; ${advice}`);
}

/** The broker itself said no, on a connection that stands. */
export function isRefusal(thrown: unknown): boolean {
  return typeof replyCode(thrown) === "number";
}

export function isAccessRefused(thrown: unknown): boolean {
  return replyCode(thrown) === ACCESS_REFUSED;
}

export function isNotFound(thrown: unknown): boolean {
  return replyCode(thrown) === NOT_FOUND;
}

/** A short reason, from the texts of the library, the broker and the system; none holds credentials. */
export function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return "the connection ended";
  return thrown.message === "" ? "the connection ended" : plainReason(thrown);
}

function replyCode(thrown: unknown): unknown {
  return thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
}

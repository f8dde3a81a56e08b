import { FanfoldError, reasonOf as plainReason } from "../../lib/errors.ts";
import { parseAmqpUrl, redactUrl } from "../broker-url.ts";

const ACCESS_REFUSED = 403;
const NOT_FOUND = 404;
/**
 * The library does not hand on the reason. At that point the credentials were accepted, and only the virtual host was
 * named.
 */
const CLOSED_AT_OPEN = /Expected ConnectionOpenOk; got <ConnectionClose|NOT[-_]ALLOWED/;

/** What a failed connect means to the person who named the broker. */
export function connectError(url: string, thrown: unknown): FanfoldError {
  const action = `cannot connect to RabbitMQ at "${redactUrl(url)}"`;
  const cause = { cause: thrown };
  const text = thrown instanceof Error ? thrown.message : "";
  if (/ACCESS[-_]REFUSED/.test(text)) {
    const advice =
      "check the user and password in the broker's URL; the user guest works only on the broker's own machine";
    return new FanfoldError("broker-denied", `${action}: the broker refused the credentials; ${advice}`, cause);
  }
  if (CLOSED_AT_OPEN.test(text)) {
    const vhost = vhostOf(url);
    const found = `the broker refused the virtual host "${vhost}": it is missing, or this user may not enter it`;
    const advice = "create it with rabbitmqctl add_vhost, or admit the user with rabbitmqctl set_permissions";
    return new FanfoldError("broker-denied", `${action}: ${found}; ${advice}`, cause);
  }
  const advice = "check that RabbitMQ runs there and that no firewall blocks it";
  return new FanfoldError("broker-unreachable", `${action}: ${reasonOf(thrown)}; ${advice}`, cause);
}

export function permissionError(
  action: "cannot subscribe to" | "cannot publish on",
  subject: string,
  cause: unknown,
): FanfoldError {
  const advice = 'let this user configure, write and read "^(fanfold\\.|amq\\.gen)" with rabbitmqctl set_permissions';
  return new FanfoldError("broker-denied", `${action} "${subject}": RabbitMQ refused permission; ${advice}`, { cause });
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

function vhostOf(url: string): string {
  const { vhostEncoded } = parseAmqpUrl(url);
  return vhostEncoded === "" ? "/" : decodeURIComponent(vhostEncoded);
}

function replyCode(thrown: unknown): unknown {
  return thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
}

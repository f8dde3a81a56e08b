import { FanfoldError, systemCode } from "../../lib/errors.ts";
import { redactUrl } from "../broker-url.ts";

const ACCESS_REFUSED = 403;
const NOT_FOUND = 404;

/** What a failed connect means to the person who named the broker. */
export function connectError(url: string, thrown: unknown): FanfoldError {
  const action = `Connect to RabbitMQ at "${redactUrl(url)}"`;
  const cause = { cause: thrown };
  const text = thrown instanceof Error ? thrown.message : "";
  if (/ACCESS[-_]REFUSED/.test(text) && /access to vhost/i.test(text))
    return vhostError(action, "gives this user no access to the virtual host", cause);
  if (/ACCESS[-_]REFUSED/.test(text)) {
    const advice =
      "check the user and password in the broker's URL; the account guest works from the broker's own machine only";
    return new FanfoldError("broker-denied", `${action}: the broker refused the credentials; ${advice}`, cause);
  }
  if (/NOT[-_]ALLOWED/.test(text)) {
    const found = /not found/i.test(text)
      ? "has no such virtual host"
      : "gives this user no access to the virtual host";
    return vhostError(action, found, cause);
  }
  const advice = "check that RabbitMQ runs there and that no firewall is between";
  return new FanfoldError("broker-unreachable", `${action}: ${reasonOf(thrown)}; ${advice}`, cause);
}

function vhostError(action: string, found: string, cause: { readonly cause: unknown }): FanfoldError {
  const advice = 'name one after the port, "/" written as %2F, and let the user in with rabbitmqctl set_permissions';
  return new FanfoldError("broker-denied", `${action}: the broker ${found}; ${advice}`, cause);
}

export function permissionError(action: "Subscribe to" | "Publish on", subject: string, cause: unknown): FanfoldError {
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
  const code = systemCode(thrown);
  if (code === "ECONNREFUSED") return "nothing listens there";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "the host name is not known";
  if (/ETIMEDOUT/.test(thrown.message)) return "no answer in time";
  return thrown.message === "" ? (code ?? "the connection ended") : thrown.message;
}

function replyCode(thrown: unknown): unknown {
  return thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
}

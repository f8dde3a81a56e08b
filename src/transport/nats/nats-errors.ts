import { errors } from "@nats-io/transport-node";
import { FanfoldError, reasonOf as plainReason, systemCode } from "../../lib/errors.ts";
import { redactUrl } from "../broker-url.ts";

/** What a failed connect means to the person who named the server. */
export function connectError(url: string, thrown: unknown): FanfoldError {
  const action = `cannot connect to NATS at "${redactUrl(url)}"`;
  if (isAuthorization(thrown)) {
    const advice = "check the user and password, or the token, in the broker's URL";
    return new FanfoldError("broker-denied", `${action}: the server refused the credentials; ${advice}`, {
      cause: thrown,
    });
  }
  const advice = "check that a NATS server runs there and that no firewall blocks it";
  return new FanfoldError("broker-unreachable", `${action}: ${reasonOf(thrown)}; ${advice}`, { cause: thrown });
}

export function permissionError(
  action: "cannot subscribe to" | "cannot publish on",
  subject: string,
  cause: unknown,
): FanfoldError {
  const allowed = action === "cannot subscribe to" ? "subscribe" : "publish";
  const advice = `allow this user to ${allowed} to "fanfold.>"`;
  return new FanfoldError("broker-denied", `${action} "${subject}": the NATS server refused permission; ${advice}`, {
    cause,
  });
}

function isAuthorization(thrown: unknown): boolean {
  return thrown instanceof errors.AuthorizationError || thrown instanceof errors.UserAuthenticationExpiredError;
}

/** A short reason, from the texts of the library and of the system; neither holds credentials. */
export function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return "no answer";
  if (thrown instanceof errors.TimeoutError) return "no answer in time";
  if (systemCode(thrown) === undefined && systemCode(thrown.cause) !== undefined) return plainReason(thrown.cause);
  return plainReason(thrown);
}

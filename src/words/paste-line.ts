import { EVERY_SESSION } from "../protocol/access/every-session.ts";
import type { ShownToken } from "../protocol/access/operator-api.ts";

/**
 * The whole command that joins another machine. The token is in the environment of the command: its arguments are for
 * everybody to read. What stands in capitals is to be replaced.
 */
export function pasteLine({ role, token, addresses, session }: ShownToken): string {
  const [address = "HOST:PORT"] = addresses;
  const where = `--coordinator ${address}`;
  const isMember = role === "source" || role === "sink";
  if (!isMember) return `FANFOLD_TOKEN=${token} fanfold ${role === "admin" ? "token" : "members"} list ${where}`;
  const sinks = role === "source" ? " --dest-count N" : "";
  return `FANFOLD_TOKEN=${token} fanfold ${role} ${where}${sessionPart(session)}${sinks} DIR`;
}

function sessionPart(scope: string): string {
  if (scope === EVERY_SESSION || scope === "default") return "";
  return ` --session ${scope.includes("*") ? "SESSION" : scope}`;
}

/** What is to be known of a token beside its line. */
export function tokenFacts({ id, role, session, expires, usesLeft, note, state, addresses }: ShownToken): string {
  const [, ...others] = addresses;
  return [
    `token ${id} for ${role === "observer" || role === "admin" ? `an ${role}` : `a ${role}`}`,
    session === EVERY_SESSION ? "" : `sessions ${session}`,
    expires === undefined ? "does not expire" : `until ${shownTime(expires)}`,
    usesLeft === undefined ? "" : `lets in ${usesLeft} more`,
    state === "good" ? "" : `it is ${STATE_WORDS[state]}, and admits nobody`,
    others.length === 0 ? "" : `the coordinator is also at ${others.join(", ")}`,
    note === undefined ? "" : `note: ${note}`,
  ]
    .filter((part) => part !== "")
    .join("; ");
}

export const STATE_WORDS = { good: "good", revoked: "revoked", expired: "expired", "used-up": "used up" } as const;

/** `2026-01-02 03:04 UTC` */
export function shownTime(time: string): string {
  return `${time.slice(0, 16).replace("T", " ")} UTC`;
}

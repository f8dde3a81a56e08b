import type { Hello, Role } from "../../protocol/messages/control.ts";
import type { Client } from "./effects.ts";

/** A source that was interrupted lets go when it has stopped. The same one, started again, is not refused meanwhile. */
export const LET_GO_WITHIN_MS = 3000;

/** Why a client has to wait whose key is that of one that is connected. */
export function askedReason({ role }: Hello): string {
  const asked = `another process of this ${role} is connected, and is asked whether it still runs`;
  return role === "source"
    ? `${asked}; it loses its place after ${LET_GO_WITHIN_MS / 1000} s if it was interrupted`
    : asked;
}

/** Why a client is turned away whose key is that of one that is connected and answers [P-1.4]. */
export function aliveRefusal(hello: Hello, other: Client): [code: string, reason: string] {
  const where = `session "${other.slot}", from ${other.connection.address}`;
  if (hello.role === "source") {
    const reason = `cannot join session "${hello.session}" as its source: the same source is connected already (${where}); wait for its end, or choose another name with --session`;
    return ["session-busy", reason];
  }
  const reason = `cannot join session "${hello.session}": the same sink is connected already (${where}); if its folder was copied from that one's, remove .fanfold from the copy`;
  return ["refused", reason];
}

/** The code of a member whose connection broke. */
export function lostCode(role: Role): string {
  return role === "source" ? "source-lost" : "sink-lost";
}

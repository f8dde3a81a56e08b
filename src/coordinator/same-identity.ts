import type { Hello, Role } from "../protocol/control.ts";
import type { Client } from "./effects.ts";

/** Why a client is turned away whose secret is that of one that is connected and answers [P-1.4]. */
export function aliveRefusal(hello: Hello, other: Client): [code: string, reason: string] {
  const where = `session "${other.series}", from ${other.connection.address}`;
  if (hello.role === "source") {
    const reason = `Join session "${hello.session}" as its source: the same source is connected already (${where}); wait for its end, or choose another name with --session`;
    return ["session-busy", reason];
  }
  const reason = `Join session "${hello.session}": the same sink is connected already (${where}); if its folder was copied from that one's, remove .fanfold from the copy`;
  return ["refused", reason];
}

/** The code of a member whose connection broke. */
export function lostCode(role: Role): string {
  return role === "source" ? "source-lost" : "sink-lost";
}

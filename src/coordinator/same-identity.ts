import type { Hello, Role } from "../protocol/control.ts";
import type { ControlConnection } from "./control-connection.ts";
import type { Client } from "./effects.ts";

/** A source that was interrupted lets go when it has stopped; the same one, started again, is not refused meanwhile. */
export const LET_GO_WITHIN_MS = 3000;

/** Whether the earlier process of a source goes, while the one that wants its place is told to wait. */
export async function letsGo(earlier: Client, newcomer: ControlConnection): Promise<boolean> {
  const seconds = LET_GO_WITHIN_MS / 1000;
  const reason = `another process of this source is connected; it has ${seconds} s to go, as one that was interrupted does`;
  newcomer.hold("session-busy", reason);
  return await earlier.connection.goes(LET_GO_WITHIN_MS, newcomer.gone);
}

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

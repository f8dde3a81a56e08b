import type { ClientMessage, Hello } from "../../protocol/messages/control.ts";
import type { PastCopy } from "../history/history.ts";
import type { ControlConnection } from "../port/control-connection.ts";
import { type EffectsOptions, welcomeMessage } from "./effects.ts";
import { endedMessage } from "./end-session.ts";

interface EpilogueParts {
  readonly connection: ControlConnection;
  readonly messages: AsyncIterator<ClientMessage>;
  readonly hello: Hello;
  /** Public key of the member. */
  readonly identity: string;
  readonly past: PastCopy;
}

/**
 * Tells a client how its copy ended that came back after the end [P-1.5]. The order is the one that the client knows: it is
 * let in again, says `ready`, and gets `ended`. False when the client went before.
 */
export async function tellEnd(
  { connection, messages, hello, identity, past }: EpilogueParts,
  { offer, revoke, over }: Pick<EffectsOptions, "offer" | "revoke" | "over">,
): Promise<boolean> {
  const { member, session, summary, decision } = past;
  const { role, session: name } = hello;
  const holder = { memberId: member.id, identity, name: member.name, role, sessionId: session.id };
  const given = offer(holder, { connection, rejoined: false });
  connection.send(welcomeMessage({ name, member, session, offer: given, underWay: false, rejoined: true }));
  try {
    for (;;) {
      const next = await messages.next();
      if (next.done === true || next.value.type === "leave") return false;
      if (next.value.type === "ready") break;
    }
  } finally {
    revoke(member.id);
    over(session.id);
  }
  connection.send(endedMessage({ id: member.id, role }, { type: "finished", summary }, decision));
  return true;
}

import type { ClientMessage } from "../../protocol/messages/control.ts";
import type { SlotEvent } from "./session-slot.ts";

type Unnumbered<T> = T extends unknown ? Omit<T, "freshSessionId"> : never;

/** An event whose fresh id is still to come. */
export type SlotHappening = Unnumbered<SlotEvent>;

/** What a member says, for the state machine. Undefined for what is not about the state of its session. Pure. */
export function heardEvent(message: ClientMessage, memberId: string): SlotHappening | undefined {
  switch (message.type) {
    case "seal":
      return { type: "seal", memberId, seal: message.seal };
    case "ready":
      return { type: "ready", memberId };
    case "need":
      return { type: "need", memberId, needed: message.destCount };
    case "limited":
      return { type: "limited", memberId, limit: message.limit };
    case "switched":
      return { type: "switched", memberId, decision: message.decision, at: message.at };
    case "finished":
      return { type: "finished", memberId, summary: message.summary };
    default:
      return undefined;
  }
}

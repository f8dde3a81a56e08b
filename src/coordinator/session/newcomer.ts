import type { Hello } from "../../protocol/messages/control.ts";
import type { Newcomer } from "./session-slot.ts";

/** What a client said of itself, for the state machine. */
export function newcomerOf(hello: Hello, { id, identity }: Pick<Newcomer, "id" | "identity">): Newcomer {
  const { label, labelAsked, labelElse, role, back } = hello;
  const { stay = false, destCount: needed = 1, expect: expected = [], dryRun = false, place = [] } = hello;
  return { id, label, labelAsked, labelElse, role, identity, stay, needed, expected, dryRun, place, back };
}

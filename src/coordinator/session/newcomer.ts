import type { Random } from "../../lib/random.ts";
import { MEMBER_ID_CHARS } from "../../protocol/limits.ts";
import type { Hello } from "../../protocol/messages/control.ts";
import { memberFor, type Newcomer, type SessionSlot } from "./session-slot.ts";

interface Admission {
  readonly slot: SessionSlot;
  /** SHA-256 of its secret, in hex. */
  readonly identity: string;
  /** An id that nobody has. */
  readonly freshId: () => string;
}

/** What a client said of itself, for the state machine. Who is known keeps its id. */
export function newcomerOf(hello: Hello, { slot, identity, freshId }: Admission): Newcomer {
  const { label, labelAsked, labelElse, role, back } = hello;
  const { stay = false, destCount: needed = 1, expect: expected = [], dryRun = false, place = [] } = hello;
  const id = memberFor(slot, { role, identity, back })?.id ?? freshId();
  return { id, label, labelAsked, labelElse, role, identity, stay, needed, expected, dryRun, place, back };
}

export function freshMemberId(random: Random, isTaken: (id: string) => boolean): string {
  for (;;) {
    const id = random.id(MEMBER_ID_CHARS);
    if (!isTaken(id)) return id;
  }
}

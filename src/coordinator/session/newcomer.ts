import { createHash } from "node:crypto";
import type { Random } from "../../lib/random.ts";
import { MEMBER_ID_CHARS } from "../../protocol/limits.ts";
import type { Hello } from "../../protocol/messages/control.ts";
import { memberFor, type Newcomer, type SessionSlot } from "./session-slot.ts";

interface Admission {
  readonly slot: SessionSlot;
  /** Public key: 64 hex digits. */
  readonly identity: string;
  /** An id that nobody has. */
  readonly freshId: () => string;
}

/** What a client said of itself, for the state machine. Who is known keeps its id. */
export function newcomerOf(hello: Hello, { slot, identity, freshId }: Admission): Newcomer {
  const { label, labelAsked, labelElse, role, back, former, directory, recipients, snapshots, commit } = hello;
  const { stay = false, destCount: needed = 1, expect: expected = [], dryRun = false, place = [] } = hello;
  const id = memberFor(slot, { role, identity, back })?.id ?? freshId();
  const formerIdentity = former === undefined ? undefined : createHash("sha256").update(former).digest("hex");
  const who = { id, label, labelAsked, labelElse, role, identity, formerIdentity };
  return { ...who, stay, needed, expected, dryRun, place, directory, recipients, snapshots, commit, back };
}

export function freshMemberId(random: Random, isTaken: (id: string) => boolean): string {
  for (;;) {
    const id = random.id(MEMBER_ID_CHARS);
    if (!isTaken(id)) return id;
  }
}

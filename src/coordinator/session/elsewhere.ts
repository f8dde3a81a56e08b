import type { Clock } from "../../lib/clock.ts";
import { SESSIONS_TOLD_MAX } from "../../protocol/limits.ts";
import type { CoordinatorMessage } from "../../protocol/messages/control.ts";
import { registeredSinks, type SessionSlot, type SlotMember, sourceOf } from "./session-slot.ts";

const LOOK_EVERY_MS = 2_000;
/** Names that one member is told while it waits: a later one is hardly what its people meant. */
const NAMES_TOLD_MAX = 64;

type ElsewhereMessage = Extract<CoordinatorMessage, { type: "elsewhere" }>;

/** Who waits for somebody of whom there is nobody in the session, and the sessions where such are. Pure. */
function lonelyMembers(
  slots: readonly SessionSlot[],
): readonly { readonly member: SlotMember; readonly message: ElsewhereMessage }[] {
  const waiting = slots.filter((slot) => slot.waiting !== undefined);
  const withSinks = waiting.filter((slot) => sourceOf(slot) === undefined && registeredSinks(slot).length > 0);
  const withSource = waiting.filter((slot) => readySource(slot) !== undefined);
  const alone = withSource.filter((slot) => registeredSinks(slot).length === 0);
  return [
    ...alone.flatMap((slot) => toldOf(slot, sourceOf(slot), withSinks)),
    ...withSinks.flatMap((slot) => registeredSinks(slot).flatMap((sink) => toldOf(slot, sink, withSource))),
  ];
}

function readySource(slot: SessionSlot): SlotMember | undefined {
  const source = sourceOf(slot);
  return source?.ready === true ? source : undefined;
}

function toldOf({ name }: SessionSlot, member: SlotMember | undefined, others: readonly SessionSlot[]) {
  if (member === undefined || others.length === 0) return [];
  const sessions = others.map((slot) => slot.name).sort();
  return [{ member, message: { type: "elsewhere", session: name, sessions } as const }];
}

interface LookoutOptions {
  readonly clock: Clock;
  readonly slots: () => readonly SessionSlot[];
  /** Of sessions that a member may not enter, it does not learn. */
  readonly mayEnter: (member: SlotMember, session: string) => boolean;
  readonly tell: (memberId: string, message: ElsewhereMessage) => void;
}

/** Tells those who wait in vain where others wait: the name of a session may be mistyped. No name is told twice. */
export class Lookout implements Disposable {
  readonly #options: LookoutOptions;
  readonly #look: Disposable;
  #told = new Map<string, ReadonlySet<string>>();

  constructor(options: LookoutOptions) {
    this.#options = options;
    this.#look = options.clock.every(LOOK_EVERY_MS, () => this.#tell());
  }

  [Symbol.dispose](): void {
    this.#look[Symbol.dispose]();
  }

  #tell(): void {
    const { slots, mayEnter, tell } = this.#options;
    const told = new Map<string, ReadonlySet<string>>();
    for (const { member, message } of lonelyMembers(slots())) {
      const before = this.#told.get(member.id) ?? new Set();
      const isNews = message.sessions.some((name) => !before.has(name)) && before.size < NAMES_TOLD_MAX;
      const open = isNews ? message.sessions.filter((name) => mayEnter(member, name)) : [];
      if (open.length > 0) tell(member.id, { ...message, sessions: open.slice(0, SESSIONS_TOLD_MAX) });
      told.set(member.id, isNews ? new Set([...before, ...message.sessions]) : before);
    }
    this.#told = told;
  }
}

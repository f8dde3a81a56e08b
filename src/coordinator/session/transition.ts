import type { CoordinatorMessage } from "../../protocol/messages/control.ts";
import {
  asMember,
  begunSession,
  type Departure,
  listeningSource,
  registeredSinks,
  type SessionRef,
  type SessionSlot,
  type SessionStep,
  type SlotEffect,
  type SlotMember,
  sourceOf,
} from "./session-slot.ts";

/** A step of the state machine in the making: the state so far, and the effects so far. */
export class Transition {
  state: SessionSlot;
  readonly effects: SlotEffect[] = [];
  readonly #freshSessionId: string;

  constructor(state: SessionSlot, freshSessionId: string) {
    this.state = state;
    this.#freshSessionId = freshSessionId;
  }

  effect(effect: SlotEffect): void {
    this.effects.push(effect);
  }

  send(to: string, message: CoordinatorMessage): void {
    this.effect({ type: "send", to, message });
  }

  member(memberId: string): SlotMember | undefined {
    return this.state.members.find((each) => each.id === memberId);
  }

  /** Puts a member in, or in place of what it was. */
  put(member: SlotMember): void {
    const others = this.state.members;
    const known = others.some((each) => each.id === member.id);
    const members = known ? others.map((each) => (each.id === member.id ? member : each)) : [...others, member];
    this.state = { ...this.state, members };
  }

  remove(memberId: string): void {
    this.state = { ...this.state, members: this.state.members.filter((each) => each.id !== memberId) };
    this.effect({ type: "release", memberId, comesBack: false });
  }

  /** Welcomes a member, as a process that knows of no copy, to the session that stands, or to a new one. */
  welcome(member: SlotMember): void {
    const session = this.#session();
    const isSame = member.sessionId === session.id;
    const limitOrder = isSame ? member.limitOrder : undefined;
    const fresh = { ready: false, startedEpoch: 0, seal: undefined };
    const welcomed = { ...member, sessionId: session.id, limitOrder, ...fresh };
    this.put(welcomed);
    const underWay = this.state.running !== undefined;
    this.effect({ type: "welcome", member: welcomed, session: refOf(session), underWay, rejoined: false });
    this.orderAgain(welcomed);
  }

  /** Whoever comes back is told once more what was ordered. */
  orderAgain({ id, limitOrder }: SlotMember): void {
    if (limitOrder !== undefined) this.send(id, { type: "limit", limit: limitOrder });
  }

  /** Tells a member of another that went. */
  tellLeft(to: string, member: SlotMember, { code, reason }: Departure): void {
    this.send(to, { type: "left", role: member.role, member: asMember(member), code, reason });
  }

  /** Tells the source of a session that waits who is registered. */
  tellSource(): void {
    const source = sourceOf(this.state);
    if (this.state.waiting === undefined || source === undefined || source.away !== undefined) return;
    const sinks = registeredSinks(this.state).map(asMember);
    this.send(source.id, { type: "sinks", needed: source.needed, sinks });
  }

  /** What a sink's coming or going means to the source: told now, or when the source is back. */
  tellOrNote(sink: SlotMember, tell: (source: SlotMember) => void): void {
    const source = listeningSource(this.state);
    if (source !== undefined) tell(source);
    this.put({ ...sink, untold: source === undefined });
  }

  done(): SessionStep {
    const { waiting, members } = this.state;
    const abandoned = waiting !== undefined && !members.some((member) => member.sessionId === waiting.id);
    if (abandoned && begunSession(this.state) === undefined) {
      this.state = { ...this.state, waiting: undefined };
      this.effect({ type: "forgotten", session: refOf(waiting) });
    }
    return { state: this.state, effects: this.effects };
  }

  #session(): SessionRef {
    const standing = this.state.running ?? this.state.waiting;
    if (standing !== undefined) return standing;
    const session = { id: this.#freshSessionId, epoch: 1, takenOver: false };
    this.state = { ...this.state, waiting: session };
    this.effect({ type: "opened", session: refOf(session) });
    return session;
  }
}

export function refOf({ id, epoch }: SessionRef): SessionRef {
  return { id, epoch };
}

import type { AppliedLimit } from "../../protocol/bandwidth/applied-limit.ts";
import type { CommitDecision, CommitOrder } from "../../protocol/messages/commit.ts";
import type { CoordinatorMessage, Member, Role, Seal } from "../../protocol/messages/control.ts";
import type { SessionSummary } from "../../protocol/messages/progress.ts";

/**
 * Values of the session state machine (session-machine.ts). A *slot* is what stands under one session name: one session at
 * most, which waits for its source and its sinks, or runs. They follow one another.
 */
export interface SessionSlot {
  readonly name: string;
  /** Drawn by this coordinator for its state: by it sinks know who decides. */
  readonly coordinator: string;
  /** Never together with `waiting`. */
  readonly running: RunningSession | undefined;
  readonly waiting: WaitingSession | undefined;
  /** Everyone connected under this name, and those who take part and are away, in the order of their arrival. */
  readonly members: readonly SlotMember[];
  /** Restored by a coordinator that was just started: not ended because nobody is here yet. */
  readonly kept: boolean;
}

export interface SessionRef {
  readonly id: string;
  readonly epoch: number;
}

interface WaitingSession extends SessionRef {
  /** It ran at a lower epoch; its source took it over, and gathers sinks for this one. */
  readonly takenOver: boolean;
}

export interface RunningSession extends SessionRef {
  readonly source: Member;
  /** How the directory of the source is called, where it says so. */
  readonly directory?: string | undefined;
  /** Who takes part in this epoch, late sinks at the end. A sink that leaves stays in this list. */
  readonly sinks: readonly Member[];
  /** What was decided on what its sinks have proven: written down before anybody is told. */
  readonly decision?: CommitDecision | undefined;
  /** Who has done it by now, and when. */
  readonly switched?: Readonly<Record<string, string>> | undefined;
}

export interface Departure {
  readonly code: string;
  readonly reason: string;
}

export interface SlotMember {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  /** Public key: 64 hex digits. */
  readonly identity: string;
  /** Source: what it was known by in version 0.1. */
  readonly formerIdentity?: string | undefined;
  /** Sink: goes on with the next session. */
  readonly stay: boolean;
  /** Source: registered sinks it waits for. */
  readonly needed: number;
  /** Source: names of the sinks that count for it. Without names, all sinks count. */
  readonly expected: readonly string[];
  /** Source: nothing is to be changed at the sinks. */
  readonly dryRun: boolean;
  /** Source: where its directory stands. */
  readonly place: readonly string[];
  /** Source: how its directory is called, for people. */
  readonly directory?: string | undefined;
  /** The session that its latest welcome named. */
  readonly sessionId: string;
  /** It is connected, and has answered that welcome: it counts as registered. */
  readonly ready: boolean;
  /** Epoch of the latest `start` that its process got; 0 when none. */
  readonly startedEpoch: number;
  /** It has taken part in the session at some epoch: it stays known when it goes. */
  readonly belongs: boolean;
  /** Why it is not here; undefined while it is connected. */
  readonly away?: Departure | undefined;
  /** Sink: the source was away when this one came or went, and has to be told. */
  readonly untold: boolean;
  /** What who runs the coordinator ordered it to hold itself to, in this session. */
  readonly limitOrder?: string | undefined;
  /** To what it holds itself, as it said last. */
  readonly limit?: AppliedLimit | undefined;
  /** Source: how its session is sealed. It is told to sinks, and kept nowhere. */
  readonly seal?: Seal | undefined;
  /** Sink: its public age keys. */
  readonly recipients?: readonly string[] | undefined;
  /** Sink: it keeps snapshots. */
  readonly snapshots?: boolean | undefined;
  /** Source: its sinks switch together, or not at all. */
  readonly commit?: CommitOrder | undefined;
}

/** A client that asks to join: what it said, without its name made unique yet. */
export interface Newcomer {
  /** That of the member it is (`memberFor`), else a fresh one. */
  readonly id: string;
  readonly label: string;
  readonly labelAsked: boolean;
  readonly labelElse?: string | undefined;
  readonly role: Role;
  readonly identity: string;
  readonly formerIdentity?: string | undefined;
  readonly stay: boolean;
  readonly needed: number;
  readonly expected: readonly string[];
  readonly dryRun: boolean;
  readonly place: readonly string[];
  readonly directory?: string | undefined;
  readonly recipients?: readonly string[] | undefined;
  readonly snapshots?: boolean | undefined;
  readonly commit?: CommitOrder | undefined;
  /** The copy that still runs in the process of this client. */
  readonly back?: { readonly sessionId: string; readonly epoch: number } | undefined;
}

/** `freshSessionId` is used if the event opens a session; no event opens more than one. */
export type SlotEvent = { readonly freshSessionId: string } & (
  | { readonly type: "join"; readonly newcomer: Newcomer }
  /** A client asks to end the session of this source. With `back` it means only that epoch. `id` is a fresh one. */
  | ({ readonly type: "cancel"; readonly id: string } & Pick<Newcomer, "identity" | "back">)
  | { readonly type: "seal"; readonly memberId: string; readonly seal: Seal }
  | { readonly type: "ready"; readonly memberId: string }
  | { readonly type: "need"; readonly memberId: string; readonly needed: number }
  /** It is written down whether the sinks of the session that runs switch: its source asked for it. */
  | { readonly type: "decided"; readonly memberId: string; readonly decision: CommitDecision }
  /** A sink did what was decided. */
  | { readonly type: "switched"; readonly memberId: string; readonly decision: CommitDecision; readonly at: string }
  | { readonly type: "finished"; readonly memberId: string; readonly summary: SessionSummary }
  /** `left`: it said so, or broke the rules; else its connection broke, and it may come back. */
  | ({ readonly type: "gone"; readonly memberId: string; readonly left: boolean } & Departure)
  /** It says to what it holds itself. */
  | { readonly type: "limited"; readonly memberId: string; readonly limit: AppliedLimit | undefined }
  /** Who runs the coordinator orders a member to hold itself to a limit, or takes the order back (`default`). */
  | { readonly type: "limit"; readonly memberId: string; readonly limit: string }
  /** Who runs the coordinator ends the session for all. */
  | { readonly type: "stopped" }
  /** The time for which a session without anybody is kept is over. */
  | { readonly type: "expired" }
);

export type SlotEffect =
  | { readonly type: "send"; readonly to: string; readonly message: CoordinatorMessage }
  /** The caller adds the transport and its warnings. */
  | {
      readonly type: "welcome";
      readonly member: SlotMember;
      readonly session: SessionRef;
      readonly underWay: boolean;
      readonly rejoined: boolean;
    }
  /** The newcomer of this event did not become a member. */
  | { readonly type: "refuse"; readonly code: string; readonly reason: string }
  /** A member broke the protocol: its connection is to be closed, and a `gone` event follows. */
  | { readonly type: "violation"; readonly memberId: string; readonly reason: string }
  /** Its connection has nothing left to do. `comesBack`: its ticket stays valid, because its copy may go on. */
  | { readonly type: "release"; readonly memberId: string; readonly comesBack: boolean }
  | { readonly type: "registered"; readonly member: SlotMember }
  | { readonly type: "left"; readonly member: SlotMember; readonly code: string; readonly reason: string }
  | { readonly type: "opened"; readonly session: SessionRef }
  | { readonly type: "forgotten"; readonly session: SessionRef }
  /** The source of a session that ran was started again: it gathers its sinks for this epoch. */
  | { readonly type: "taken-over"; readonly session: SessionRef }
  | {
      readonly type: "started";
      readonly session: RunningSession;
      readonly dryRun: boolean;
      readonly seal: Seal | undefined;
    }
  /** The source of a session that runs has come back, and says once more how it is sealed. */
  | { readonly type: "sealed"; readonly session: RunningSession; readonly seal: Seal }
  /** A sink takes part from now on, or begins anew in a process of its own. */
  | { readonly type: "joined"; readonly session: RunningSession; readonly member: SlotMember }
  /** A sink goes on where it was. */
  | { readonly type: "returned"; readonly session: RunningSession; readonly member: SlotMember }
  | { readonly type: "ended"; readonly session: SessionRef; readonly end: SessionEnd };

/** How a session ended: finished by its source, or broken off (`cancelled`, `interrupted`). */
export type SessionEnd =
  | { readonly type: "finished"; readonly summary: SessionSummary }
  | ({ readonly type: "broken-off" } & Departure);

export interface SessionStep {
  readonly state: SessionSlot;
  readonly effects: readonly SlotEffect[];
}

export function emptySlot(name: string, coordinator: string): SessionSlot {
  return { name, coordinator, running: undefined, waiting: undefined, members: [], kept: false };
}

/** Nothing stands under the name any more. */
export function isVacant(state: SessionSlot): boolean {
  return state.running === undefined && state.waiting === undefined && state.members.length === 0;
}

/** A session that has begun and has no connected member. It ends when nobody comes back in time. */
export function isDeserted(state: SessionSlot): boolean {
  return begunSession(state) !== undefined && !state.members.some(isHere);
}

/** The session under this name that has begun: it runs, or was taken over and gathers its sinks again. */
export function begunSession(state: SessionSlot): SessionRef | undefined {
  return state.running ?? (state.waiting?.takenOver === true ? state.waiting : undefined);
}

export function isHere(member: SlotMember): boolean {
  return member.away === undefined;
}

/** The source of the session, which may be away once it has begun. */
export function sourceOf(state: SessionSlot): SlotMember | undefined {
  return state.members.find((member) => member.role === "source");
}

/** The source, when it follows what happens: connected, and past its `ready`. */
export function listeningSource(state: SessionSlot): SlotMember | undefined {
  const source = sourceOf(state);
  const { running } = state;
  if (source === undefined || !source.ready) return undefined;
  return running === undefined || takesPartNow(running, source) ? source : undefined;
}

/** The member that a client is, by its identity. A source that says `back` is nobody when its copy is over. */
export function memberFor(state: SessionSlot, newcomer: Identified): SlotMember | undefined {
  const { role, identity, back } = newcomer;
  if (role === "source" && back !== undefined) return memberGoingOn(state, newcomer);
  return state.members.find((member) => member.role === role && member.identity === identity);
}

/** The member whose copy still runs in the process of this client, as it says itself. Undefined when it does not. */
export function memberGoingOn(
  { running, members }: SessionSlot,
  { role, identity, back }: Identified,
): SlotMember | undefined {
  if (back === undefined || running?.id !== back.sessionId || running.epoch !== back.epoch) return undefined;
  return members.find(
    (member) => member.role === role && member.identity === identity && takesPartNow(running, member),
  );
}

type Identified = Pick<Newcomer, "role" | "identity" | "back">;

/** Sinks that are registered for the session that waits. */
export function registeredSinks(state: SessionSlot): readonly SlotMember[] {
  const id = state.waiting?.id;
  return state.members.filter((member) => member.role === "sink" && member.ready && member.sessionId === id);
}

/** Its process got the `start` of the epoch that runs. */
export function takesPartNow(running: RunningSession, member: SlotMember): boolean {
  return member.sessionId === running.id && member.startedEpoch === running.epoch;
}

export function asMember(member: Pick<Member, "id" | "name">): Member {
  return { id: member.id, name: member.name };
}

/** A sink as its source is told of it. */
export function keyedMember(sink: SlotMember): Member {
  const { recipients, snapshots } = sink;
  return {
    ...asMember(sink),
    key: sink.identity,
    ...(recipients === undefined ? {} : { recipients: [...recipients] }),
    ...(snapshots === undefined ? {} : { snapshots }),
  };
}

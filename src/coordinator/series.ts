import type { CoordinatorMessage, Member, Role } from "../protocol/control.ts";
import type { SessionSummary } from "../protocol/progress.ts";

/**
 * Values of the session state machine (session.ts). A *series* is what stands under one session name: at most one
 * session runs, and at most one waits for its source or its sinks. They follow one another.
 */
export interface SeriesState {
  readonly name: string;
  readonly running: RunningSession | undefined;
  readonly waiting: SessionRef | undefined;
  /** Everyone connected under this name, the source included, in the order of their arrival. */
  readonly members: readonly SeriesMember[];
}

export interface SessionRef {
  readonly id: string;
  readonly epoch: number;
}

export interface RunningSession extends SessionRef {
  readonly source: Member;
  /** Who takes part: fixed at the start. A sink that leaves stays in this list. */
  readonly sinks: readonly Member[];
}

export interface SeriesMember {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  /** SHA-256 of its secret, in hex. */
  readonly identity: string;
  /** Sink: goes on with the next session. */
  readonly stay: boolean;
  /** Source: registered sinks it waits for. */
  readonly needed: number;
  /** The session that its latest welcome named. */
  readonly sessionId: string;
  /** It has answered that welcome: it counts as registered. */
  readonly ready: boolean;
}

/** A client that asks to join: what it said, without its name made unique yet. */
export interface Newcomer {
  readonly id: string;
  readonly label: string;
  readonly labelAsked: boolean;
  readonly role: Role;
  readonly identity: string;
  readonly stay: boolean;
  readonly needed: number;
}

/** `freshSessionId` is used if the event opens a session; no event opens more than one. */
export type SeriesEvent = { readonly freshSessionId: string } & (
  | { readonly type: "join"; readonly newcomer: Newcomer }
  | { readonly type: "ready"; readonly memberId: string }
  | { readonly type: "finished"; readonly memberId: string; readonly summary: SessionSummary }
  | { readonly type: "gone"; readonly memberId: string; readonly code: string; readonly reason: string }
);

export type SeriesEffect =
  | { readonly type: "send"; readonly to: string; readonly message: CoordinatorMessage }
  /** The caller adds the transport and its warnings. */
  | {
      readonly type: "welcome";
      readonly member: SeriesMember;
      readonly session: SessionRef;
      readonly underWay: boolean;
    }
  /** The newcomer of this event did not become a member. */
  | { readonly type: "refuse"; readonly code: string; readonly reason: string }
  /** A member broke the protocol: its connection is to be closed, and a `gone` event follows. */
  | { readonly type: "violation"; readonly memberId: string; readonly reason: string }
  /** No member any more: its connection has nothing left to do. */
  | { readonly type: "release"; readonly memberId: string }
  | { readonly type: "registered"; readonly member: SeriesMember }
  | { readonly type: "left"; readonly member: SeriesMember; readonly code: string; readonly reason: string }
  | { readonly type: "opened"; readonly session: SessionRef }
  | { readonly type: "forgotten"; readonly sessionId: string }
  | { readonly type: "started"; readonly session: RunningSession }
  | { readonly type: "ended"; readonly session: RunningSession; readonly end: SessionEnd };

/** How a session ended: finished by its source, or broken off. */
export type SessionEnd =
  | { readonly type: "finished"; readonly summary: SessionSummary }
  | { readonly type: "broken-off"; readonly code: string; readonly reason: string };

export interface Step {
  readonly state: SeriesState;
  readonly effects: readonly SeriesEffect[];
}

export function emptySeries(name: string): SeriesState {
  return { name, running: undefined, waiting: undefined, members: [] };
}

/** Nothing stands under the name any more. */
export function isVacant(state: SeriesState): boolean {
  return state.running === undefined && state.waiting === undefined && state.members.length === 0;
}

export function sourceOf(state: SeriesState): SeriesMember | undefined {
  return state.members.find((member) => member.role === "source");
}

/** Sinks registered for the session that waits. */
export function registeredSinks(state: SeriesState): readonly SeriesMember[] {
  const id = state.waiting?.id;
  return state.members.filter((member) => member.role === "sink" && member.ready && member.sessionId === id);
}

/** Whether this member takes part in the session that runs. */
export function takesPart(state: SeriesState, memberId: string): boolean {
  const { running } = state;
  return (
    running !== undefined && (running.source.id === memberId || running.sinks.some((sink) => sink.id === memberId))
  );
}

export function asMember(member: Member): Member {
  return { id: member.id, name: member.name };
}

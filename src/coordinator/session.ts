import type { CoordinatorMessage } from "../protocol/control.ts";
import { PROTOCOL_VERSION, SINKS_PER_SESSION_MAX } from "../protocol/limits.ts";
import { uniqueName } from "./member-name.ts";
import {
  asMember,
  type Newcomer,
  type RunningSession,
  registeredSinks,
  type SeriesEffect,
  type SeriesEvent,
  type SeriesMember,
  type SeriesState,
  type SessionEnd,
  type SessionRef,
  type Step,
  sourceOf,
  takesPart,
} from "./series.ts";

/**
 * The state machine of the sessions of one name [P-1.2] [P-1.3]. Pure: the registry carries out the effects.
 *
 *   join:     refused, or made a member and welcomed to the session that waits (opened if there is none)
 *   ready:    counts as registered; with the source ready and enough sinks, the session starts
 *   finished: the source ends its session: everyone who takes part gets `ended`; sinks that stay are welcomed to the next
 *   gone:     the others are told; a source that goes in mid-session ends it
 *
 * One welcome is answered by one `ready` before the next one is sent, because `ready` does not say which welcome it
 * answers. So a sink that was not ready at the start keeps its old welcome until it answers it, and is then
 * welcomed to the next session.
 */
export function step(state: SeriesState, event: SeriesEvent): Step {
  const change = new Change(state, event.freshSessionId);
  if (event.type === "join") join(change, event.newcomer);
  else {
    const member = state.members.find((each) => each.id === event.memberId);
    if (member !== undefined) {
      if (event.type === "ready") ready(change, member);
      else if (event.type === "finished") finished(change, member, { type: "finished", summary: event.summary });
      else gone(change, member, event);
    }
  }
  return change.done();
}

/** A step in the making: the state so far, and the effects so far. */
class Change {
  state: SeriesState;
  readonly effects: SeriesEffect[] = [];
  readonly #freshSessionId: string;

  constructor(state: SeriesState, freshSessionId: string) {
    this.state = state;
    this.#freshSessionId = freshSessionId;
  }

  effect(effect: SeriesEffect): void {
    this.effects.push(effect);
  }

  /** The session that waits, opened if there is none. */
  waiting(): SessionRef {
    if (this.state.waiting !== undefined) return this.state.waiting;
    const session = { id: this.#freshSessionId, epoch: 1 };
    this.state = { ...this.state, waiting: session };
    this.effect({ type: "opened", session });
    return session;
  }

  /** Puts a member in, or in place of what it was. */
  put(member: SeriesMember): void {
    const others = this.state.members;
    const known = others.some((each) => each.id === member.id);
    const members = known ? others.map((each) => (each.id === member.id ? member : each)) : [...others, member];
    this.state = { ...this.state, members };
  }

  remove(memberId: string): void {
    this.state = { ...this.state, members: this.state.members.filter((each) => each.id !== memberId) };
    this.effect({ type: "release", memberId });
  }

  /** Welcomes a member to the session that waits. */
  welcome(member: SeriesMember, underWay: boolean): void {
    const session = this.waiting();
    const welcomed = { ...member, sessionId: session.id, ready: false };
    this.put(welcomed);
    this.effect({ type: "welcome", member: welcomed, session, underWay });
  }

  done(): Step {
    const { waiting, members } = this.state;
    if (waiting !== undefined && !members.some((member) => member.sessionId === waiting.id)) {
      this.state = { ...this.state, waiting: undefined };
      this.effect({ type: "forgotten", sessionId: waiting.id });
    }
    return { state: this.state, effects: this.effects };
  }
}

function join(change: Change, newcomer: Newcomer): void {
  const { state } = change;
  const refusal = refusalOf(state, newcomer);
  if (refusal !== undefined) {
    change.effect({ type: "refuse", ...refusal });
    return;
  }
  const name = uniqueName(newcomer.label, namesOf(state));
  const { id, role, identity, stay, needed } = newcomer;
  change.welcome({ id, name, role, identity, stay, needed, sessionId: "", ready: false }, state.running !== undefined);
  if (role === "source") tellSource(change);
}

function refusalOf(
  state: SeriesState,
  newcomer: Newcomer,
): { readonly code: string; readonly reason: string } | undefined {
  const source = sourceOf(state);
  if (newcomer.role === "source" && source !== undefined) {
    const doing = state.running === undefined ? "waits for its sinks there" : "is copying there";
    const advice = "wait for its end, or choose another name with --session";
    return {
      code: "session-busy",
      reason: `Join session "${state.name}" as its source: the source "${source.name}" ${doing}, and a session has one; ${advice}`,
    };
  }
  if (
    newcomer.role === "sink" &&
    state.members.filter((member) => member.role === "sink").length >= SINKS_PER_SESSION_MAX
  ) {
    return {
      code: "refused",
      reason: `Join session "${state.name}": it has ${SINKS_PER_SESSION_MAX} sinks, which is the most a session takes`,
    };
  }
  if (newcomer.labelAsked && namesOf(state).has(newcomer.label)) {
    const reason = `Join session "${state.name}" as "${newcomer.label}": another member has this name; choose another with --name, or leave it out`;
    return { code: "name-taken", reason };
  }
  return undefined;
}

function namesOf(state: SeriesState): ReadonlySet<string> {
  return new Set(state.members.map((member) => member.name));
}

function ready(change: Change, member: SeriesMember): void {
  if (member.ready) return;
  if (member.sessionId !== change.state.waiting?.id) {
    // The session it was welcomed to started, or even ended, without it.
    change.welcome(member, change.state.running !== undefined);
    return;
  }
  const registered = { ...member, ready: true };
  change.put(registered);
  change.effect({ type: "registered", member: registered });
  if (!start(change) && member.role === "sink") tellSource(change);
}

/** Starts the session that waits, if its source is ready and has its sinks. */
function start(change: Change): boolean {
  const { waiting } = change.state;
  const source = sourceOf(change.state);
  const sinks = registeredSinks(change.state);
  if (
    waiting === undefined ||
    source === undefined ||
    !source.ready ||
    source.sessionId !== waiting.id ||
    sinks.length < source.needed
  )
    return false;
  const session: RunningSession = { ...waiting, source: asMember(source), sinks: sinks.map(asMember) };
  change.state = { ...change.state, running: session, waiting: undefined };
  change.effect({ type: "started", session });
  for (const member of [...sinks, source]) {
    change.effect({
      type: "send",
      to: member.id,
      message: {
        type: "start",
        epoch: session.epoch,
        source: session.source,
        sourceIdentity: source.identity,
        sinks: [...session.sinks],
        late: false,
        dryRun: false,
      },
    });
  }
  return true;
}

function tellSource(change: Change): void {
  const source = sourceOf(change.state);
  if (source === undefined || source.sessionId !== change.state.waiting?.id) return;
  const sinks = registeredSinks(change.state).map(asMember);
  change.effect({ type: "send", to: source.id, message: { type: "sinks", needed: source.needed, sinks } });
}

function finished(change: Change, member: SeriesMember, end: SessionEnd): void {
  const { running } = change.state;
  if (running === undefined || member.id !== running.source.id) {
    const reason = `Received "finished" from the ${member.role} "${member.name}": only the source of a session that runs sends it`;
    change.effect({ type: "violation", memberId: member.id, reason });
    return;
  }
  endSession(change, running, end);
}

function gone(change: Change, member: SeriesMember, why: { readonly code: string; readonly reason: string }): void {
  const { code, reason } = why;
  const { running } = change.state;
  change.remove(member.id);
  change.effect({ type: "left", member, code, reason });
  if (member.role === "sink") {
    if (running !== undefined && takesPart(change.state, member.id)) tellLeft(change, running.source.id, member, why);
    else if (member.ready) tellSource(change);
    return;
  }
  const audience = running === undefined ? registeredSinks(change.state) : running.sinks;
  for (const sink of audience) tellLeft(change, sink.id, member, why);
  if (running !== undefined) endSession(change, running, { type: "broken-off", code, reason });
}

function tellLeft(
  change: Change,
  to: string,
  member: SeriesMember,
  why: { readonly code: string; readonly reason: string },
): void {
  if (!change.state.members.some((each) => each.id === to)) return;
  const { code, reason } = why;
  change.effect({
    type: "send",
    to,
    message: { type: "left", role: member.role, member: asMember(member), code, reason },
  });
}

/** Tells everyone who took part and is still here, once; then lets them go, or on to the next session. */
function endSession(change: Change, session: RunningSession, end: SessionEnd): void {
  change.state = { ...change.state, running: undefined };
  change.effect({ type: "ended", session, end });
  const participants = change.state.members.filter(
    (member) => member.id === session.source.id || session.sinks.some((sink) => sink.id === member.id),
  );
  for (const member of participants) {
    change.effect({ type: "send", to: member.id, message: endedMessage(member, end) });
    if (member.role === "sink" && member.stay) change.welcome(member, false);
    else change.remove(member.id);
  }
}

function endedMessage(member: SeriesMember, end: SessionEnd): CoordinatorMessage {
  if (end.type === "broken-off") return { type: "ended", code: end.code, reason: end.reason };
  const { summary } = end;
  if (member.role === "source") return { type: "ended", summary };
  const mine = summary.sinks.find((sink) => sink.sinkId === member.id);
  // The others' lists of problems are left out: with many sinks, everyone's for everyone would be a lot.
  const sinks = summary.sinks.map((sink) => ({ ...sink, problems: [] }));
  return { type: "ended", summary: { ...summary, sinks }, ...(mine === undefined ? {} : { mine }) };
}

/** Why a client of this version cannot be served; undefined when it can. */
export function versionRefusal(version: number): string | undefined {
  if (version === PROTOCOL_VERSION) return undefined;
  const older = version < PROTOCOL_VERSION ? "the client" : "the coordinator";
  return `Join a session: the client speaks protocol version ${version}, this coordinator version ${PROTOCOL_VERSION}; update ${older}`;
}

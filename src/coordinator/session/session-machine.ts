import { isDeepStrictEqual } from "node:util";
import { PROTOCOL_VERSION } from "../../protocol/limits.ts";
import type { CommitDecision } from "../../protocol/messages/commit.ts";
import type { Member, Seal } from "../../protocol/messages/control.ts";
import { countedOf } from "../../protocol/names/expected-names.ts";
import { cancelled, endDeserted, endSession, stopped } from "./end-session.ts";
import { cancel, join } from "./join-session.ts";
import {
  asMember,
  begunSession,
  type Departure,
  isDeserted,
  isHere,
  keyedMember,
  listeningSource,
  type RunningSession,
  registeredSinks,
  type SessionEnd,
  type SessionSlot,
  type SessionStep,
  type SlotEvent,
  type SlotMember,
  sourceOf,
  takesPartNow,
} from "./session-slot.ts";
import { Transition } from "./transition.ts";

/**
 * The state machine of the sessions of one name [P-1.2] [P-1.3] [P-1.5]. Pure: the registry carries out the effects.
 *
 *   join:     refused, or made a member and welcomed to the session that stands (opened if there is none). A source
 *             that comes back as a new process takes its session over: it waits again, at the next epoch
 *   seal:     by what the source seals its session: told to each sink with its start
 *   ready:    counts as registered; with the source ready and enough sinks, the session starts. In a session that runs, a
 *             sink starts late, and who came back into its copy goes on
 *   need:     fewer sinks are enough for the source: it may start now
 *   decided:  whether the sinks switch to what they have proven, which the source asked for: all are told
 *   switched: a sink did what was decided: the source is told
 *   finished: the source ends its session: everyone who takes part gets `ended`; sinks that stay are welcomed to the next
 *   limit:    a member is to hold itself to a limit: it is told so now, and whenever it comes back into this session
 *   limited:  a member says to what it holds itself: for people
 *   gone:     the others are told. In a session that has begun, whoever takes part stays a member and is away
 *   cancel:   ends the session for all, as its source asks
 *   stopped:  ends the session for all, as who runs the coordinator asks
 *   expired:  ends a session that nobody came back to
 *
 * One welcome is answered by one `ready` before the next one is sent, because `ready` does not say which welcome it
 * answers. So a member whose session ends before it was ready keeps its old welcome until it answers. Then it is welcomed
 * to the next session.
 */
export function step(state: SessionSlot, event: SlotEvent): SessionStep {
  const change = new Transition(state, event.freshSessionId);
  if (event.type === "join") join(change, event.newcomer);
  else if (event.type === "cancel") cancel(change, event);
  else if (event.type === "stopped") stopped(change);
  else if (event.type === "expired") expired(change);
  else if (event.type === "limit") order(change, event);
  else {
    const member = change.member(event.memberId);
    if (member !== undefined && isHere(member)) hear(change, member, event);
  }
  return change.done();
}

/** An order is for one who is here, or who may come back. */
function order(change: Transition, { memberId, limit }: Extract<SlotEvent, { type: "limit" }>): void {
  const member = change.member(memberId);
  if (member === undefined) return;
  // Kept although it takes one back: a message to a connection that is dead tells nobody.
  change.put({ ...member, limitOrder: limit });
  if (isHere(member)) change.send(memberId, { type: "limit", limit });
}

/** What a member that is here says, or that it goes. */
function hear(
  change: Transition,
  member: SlotMember,
  event: Exclude<Extract<SlotEvent, { memberId: string }>, { type: "limit" }>,
): void {
  if (event.type === "seal") seal(change, member, event.seal);
  else if (event.type === "ready") ready(change, member);
  else if (event.type === "need") need(change, member, event.needed);
  else if (event.type === "decided") decided(change, member, event.decision);
  else if (event.type === "switched") switched(change, member, event);
  else if (event.type === "limited") change.put({ ...member, limit: event.limit });
  else if (event.type === "finished") finished(change, member, { type: "finished", summary: event.summary });
  else gone(change, member, event);
}

function ready(change: Transition, member: SlotMember): void {
  if (member.ready) return;
  const { running, waiting } = change.state;
  if (member.sessionId !== (running ?? waiting)?.id) {
    // The session it was welcomed to ended without it.
    change.welcome(member);
    return;
  }
  const registered = { ...member, ready: true };
  change.put(registered);
  change.effect({ type: "registered", member: registered });
  if (running === undefined) {
    if (!start(change) && member.role === "sink") change.tellSource();
  } else if (member.role === "source") sourceReturned(change, running);
  else sinkReady(change, running, registered);
}

/** A sink in a session that runs: it goes on, or it starts late. */
function sinkReady(change: Transition, running: RunningSession, sink: SlotMember): void {
  if (takesPartNow(running, sink)) sinkReturned(change, running, sink);
  else if (listeningSource(change.state) !== undefined) startLate(change, sink);
  const source = sourceOf(change.state);
  if (source?.away !== undefined) change.tellLeft(sink.id, source, source.away);
}

function sinkReturned(change: Transition, running: RunningSession, sink: SlotMember): void {
  change.effect({ type: "returned", session: running, member: sink });
  tellDecision(change, running, sink.id);
  change.tellOrNote(sink, (source) =>
    change.send(source.id, { type: "joined", member: keyedMember(sink), restarted: false }),
  );
}

/** The source goes on where it was: it is told who came and went meanwhile, and who waits for it starts. */
function sourceReturned(change: Transition, running: RunningSession): void {
  for (const sink of change.state.members.filter((member) => member.role === "sink")) {
    const source = listeningSource(change.state);
    if (source === undefined) return;
    const goesOn = takesPartNow(running, sink);
    if (sink.untold && goesOn && sink.ready) sinkReturned(change, running, sink);
    else if (sink.untold) {
      change.tellLeft(source.id, sink, sink.away ?? RESTARTED);
      change.put({ ...sink, untold: false });
    }
    if (sink.ready && !goesOn) startLate(change, sink);
  }
}

const RESTARTED: Departure = { code: "sink-lost", reason: "it was started again" };

function seal(change: Transition, member: SlotMember, given: Seal): void {
  // A source that comes back before its earlier connection is missed says it once more, and still counts as ready.
  if (member.role !== "source" || (member.ready && !isDeepStrictEqual(member.seal, given))) {
    const reason = `Received "seal" from the ${member.role} "${member.name}": only a source sends it, before it is ready`;
    change.effect({ type: "violation", memberId: member.id, reason });
    return;
  }
  change.put({ ...member, seal: given });
  const { running } = change.state;
  if (running !== undefined && takesPartNow(running, member))
    change.effect({ type: "sealed", session: running, seal: given });
}

function need(change: Transition, member: SlotMember, needed: number): void {
  if (member.role !== "source") {
    const reason = `Received "need" from the sink "${member.name}": only a source that waits sends it`;
    change.effect({ type: "violation", memberId: member.id, reason });
    return;
  }
  // It may have started while the message was under way.
  if (change.state.waiting === undefined) return;
  change.put({ ...member, needed });
  if (!start(change)) change.tellSource();
}

/** Starts the session that waits, if its source is ready and has its sinks. */
function start(change: Transition): boolean {
  const { waiting } = change.state;
  const source = listeningSource(change.state);
  const sinks = registeredSinks(change.state);
  if (waiting === undefined || source === undefined || source.sessionId !== waiting.id) return false;
  if (countedOf(source.expected, sinks).length < source.needed) return false;
  const { id, epoch } = waiting;
  const { directory } = source;
  const session: RunningSession = { id, epoch, source: asMember(source), directory, sinks: sinks.map(asMember) };
  change.state = { ...change.state, running: session, waiting: undefined, kept: false };
  for (const member of [...sinks, source]) {
    change.put({ ...member, startedEpoch: epoch, belongs: true, untold: false });
  }
  change.effect({ type: "started", session, dryRun: source.dryRun, seal: source.seal });
  for (const member of [...sinks, source]) sendStart(change, session, { source, to: member.id, late: false });
  return true;
}

/** Lets a sink into a session that runs. The source serves it on a lane of its own [P-9.3]. */
function startLate(change: Transition, sink: SlotMember): void {
  const { running } = change.state;
  const source = listeningSource(change.state);
  if (running === undefined || source === undefined) return;
  const known = running.sinks.some((each) => each.id === sink.id);
  // One that comes back as a new process may have asked for another name.
  const sinks = known
    ? running.sinks.map((each) => (each.id === sink.id ? asMember(sink) : each))
    : [...running.sinks, asMember(sink)];
  const session = { ...running, sinks };
  const member = { ...sink, startedEpoch: running.epoch, belongs: true, untold: false };
  change.state = { ...change.state, running: session };
  change.put(member);
  change.effect({ type: "joined", session, member });
  sendStart(change, session, { source, to: sink.id, late: true });
  tellDecision(change, session, sink.id);
  change.send(source.id, { type: "joined", member: keyedMember(sink), restarted: true });
}

interface StartOrder {
  readonly source: SlotMember;
  readonly to: string;
  readonly late: boolean;
}

function sendStart(change: Transition, session: RunningSession, { source, to, late }: StartOrder): void {
  const { epoch, sinks } = session;
  const { identity: sourceIdentity, formerIdentity, place: sourcePlace, directory, dryRun, seal } = source;
  const { source: member } = session;
  const keyed = (sink: Member): Member => {
    const known = change.member(sink.id);
    return known === undefined ? sink : keyedMember(known);
  };
  change.send(to, {
    type: "start",
    epoch,
    source: member,
    sourceIdentity,
    ...(formerIdentity === undefined ? {} : { formerIdentity }),
    sourcePlace: [...sourcePlace],
    ...(directory === undefined ? {} : { sourceDirectory: directory }),
    sinks: to === source.id ? sinks.map(keyed) : [...sinks],
    late,
    dryRun,
    // The source knows it, and the list of its sinks is long.
    ...(seal === undefined || to === source.id ? {} : { seal }),
    ...(source.commit === undefined ? {} : { commit: source.commit, coordinator: change.state.coordinator }),
  });
}

function decided(change: Transition, source: SlotMember, decision: CommitDecision): void {
  const { running, members } = change.state;
  if (running === undefined || running.source.id !== source.id) return;
  const session = { ...running, decision };
  change.state = { ...change.state, running: session };
  for (const member of members)
    if (isHere(member) && member.sessionId === running.id) tellDecision(change, session, member.id);
  // It may ask again, because it was not there when they said so.
  for (const [sinkId, at] of Object.entries(running.switched ?? {}))
    change.send(source.id, { type: "switched", sinkId, at });
}

function tellDecision(change: Transition, { decision }: RunningSession, to: string): void {
  if (decision !== undefined) change.send(to, { type: "decided", decision });
}

/** What is said of another copy, or that nothing was switched, is nothing for the source. */
function switched(
  change: Transition,
  { id: sinkId, role }: SlotMember,
  { decision: { sessionId, epoch, digest }, at }: Extract<SlotEvent, { type: "switched" }>,
): void {
  const { running } = change.state;
  const known = running?.decision;
  if (role !== "sink" || running === undefined || known === undefined) return;
  if (sessionId !== running.id || epoch !== running.epoch || digest !== known.digest) return;
  change.state = { ...change.state, running: { ...running, switched: { ...running.switched, [sinkId]: at } } };
  const source = listeningSource(change.state);
  if (source !== undefined) change.send(source.id, { type: "switched", sinkId, at });
}

function finished(change: Transition, member: SlotMember, end: SessionEnd): void {
  const { running } = change.state;
  if (running === undefined || member.id !== running.source.id) {
    const reason = `Received "finished" from the ${member.role} "${member.name}": only the source of a session that runs sends it`;
    change.effect({ type: "violation", memberId: member.id, reason });
    return;
  }
  endSession(change, running, end);
}

type Gone = Extract<SlotEvent, { type: "gone" }>;

function gone(change: Transition, member: SlotMember, { code, reason, left }: Gone): void {
  const { running, waiting } = change.state;
  const session = running ?? waiting;
  const why = { code, reason };
  const ours = session !== undefined && member.sessionId === session.id;
  change.effect({ type: "left", member, ...why });
  const stays = ours && member.belongs && begunSession(change.state) !== undefined;
  if (stays) {
    change.put({ ...member, away: why, ready: false });
    change.effect({ type: "release", memberId: member.id, comesBack: !left });
  } else change.remove(member.id);
  if (!ours) return;
  if (member.role === "source") sourceGone(change, member, { ...why, left });
  else sinkGone(change, member, why);
  const deserted = isDeserted(change.state) && left && !change.state.kept;
  if (deserted) expired(change);
}

function sinkGone(change: Transition, member: SlotMember, why: Departure): void {
  const { running } = change.state;
  if (running === undefined) {
    if (member.ready) change.tellSource();
  } else if (takesPartNow(running, member)) {
    const sink = change.member(member.id) ?? member;
    change.tellOrNote(sink, (source) => change.tellLeft(source.id, member, why));
  }
}

function sourceGone(change: Transition, member: SlotMember, why: Departure & { readonly left: boolean }): void {
  const { running, waiting, members } = change.state;
  for (const sink of members) if (sink.role === "sink" && sink.ready) change.tellLeft(sink.id, member, why);
  const session = running ?? waiting;
  if (session !== undefined && why.left && why.code === "cancelled") endSession(change, session, cancelled(why.reason));
}

/** Nobody came back in time, or nobody is going to. */
function expired(change: Transition): void {
  const session = begunSession(change.state);
  change.state = { ...change.state, kept: false };
  if (session !== undefined && isDeserted(change.state)) endDeserted(change, session);
}

/** Why a client of this version cannot be served; undefined when it can. */
export function versionRefusal(version: number): string | undefined {
  if (version === PROTOCOL_VERSION) return undefined;
  const older = version < PROTOCOL_VERSION ? "the client" : "the coordinator";
  return `cannot join a session: the client speaks protocol version ${version}, this coordinator version ${PROTOCOL_VERSION}; update ${older}`;
}

import { SINKS_PER_SESSION_MAX } from "../../protocol/limits.ts";
import { cancelled, endDeserted, endedMessage, endSession } from "./end-session.ts";
import { uniqueName } from "./member-name.ts";
import {
  begunSession,
  type Departure,
  isDeserted,
  isHere,
  memberFor,
  memberGoingOn,
  type Newcomer,
  type SessionSlot,
  type SlotEvent,
  type SlotMember,
  sourceOf,
} from "./session-slot.ts";
import { refOf, type Transition } from "./transition.ts";

/** How clients come in: as somebody new, back into their copy, or as a new process of a member [P-1.2] [P-1.5]. */
export function join(change: Transition, newcomer: Newcomer): void {
  if (newcomer.role === "source") yieldDeserted(change, newcomer);
  const refusal = refusalOf(change.state, newcomer);
  if (refusal !== undefined) {
    change.effect({ type: "refuse", ...refusal });
    return;
  }
  const known = memberFor(change.state, newcomer);
  const goesOn = memberGoingOn(change.state, newcomer);
  const { running } = change.state;
  if (goesOn !== undefined && running !== undefined) {
    const { stay, place, recipients, snapshots, commit } = newcomer;
    const member = { ...goesOn, stay, place, recipients, snapshots, commit, away: undefined };
    change.put(member);
    change.effect({ type: "welcome", member, session: refOf(running), underWay: false, rejoined: true });
    change.orderAgain(member);
    return;
  }
  if (newcomer.role === "source" && running !== undefined) {
    const waiting = { id: running.id, epoch: running.epoch + 1, takenOver: true };
    change.state = { ...change.state, running: undefined, waiting };
    change.effect({ type: "taken-over", session: refOf(waiting) });
  }
  change.welcome(known === undefined ? newMember(change.state, newcomer) : renewed(known, newcomer));
  if (newcomer.role === "source") change.tellSource();
}

/** A session that only waits for somebody to come back makes way for another source. */
function yieldDeserted(change: Transition, newcomer: Newcomer): void {
  const { state } = change;
  const session = begunSession(state);
  if (session === undefined || !isDeserted(state) || state.kept || newcomer.back !== undefined) return;
  if (sourceOf(state)?.identity !== newcomer.identity) endDeserted(change, session);
}

type CancelOrder = Extract<SlotEvent, { type: "cancel" }>;

/** Somebody asks to end the session of a source, over another connection, or from another process of it. */
export function cancel(change: Transition, { id, identity, back }: CancelOrder): void {
  const session = change.state.running ?? change.state.waiting;
  const source = sourceOf(change.state);
  if (session === undefined || source === undefined || source.identity !== identity) {
    const reason = `cannot cancel session "${change.state.name}": this directory is not the source of a session with this name; the coordinator shows its sessions; name one with --session`;
    change.effect({ type: "refuse", code: "refused", reason });
    return;
  }
  if (back !== undefined && (back.sessionId !== session.id || back.epoch !== session.epoch)) {
    const reason = `cannot cancel session "${change.state.name}": another process of this source has taken it over; let that one go on, or end it with --cancel`;
    change.effect({ type: "refuse", code: "superseded", reason });
    return;
  }
  const end = cancelled(`The session was cancelled at its source "${source.name}"`);
  endSession(change, session, end);
  change.send(id, endedMessage({ id, role: "source" }, end));
  change.effect({ type: "release", memberId: id, comesBack: false });
}

function newMember(state: SessionSlot, newcomer: Newcomer): SlotMember {
  const { id, label, labelElse, role, identity, formerIdentity } = newcomer;
  const name = uniqueName([label, ...(labelElse === undefined ? [] : [labelElse])], namesOf(state));
  const nothingYet = { sessionId: "", ready: false, startedEpoch: 0, belongs: false, untold: false };
  return { id, name, role, identity, formerIdentity, ...askedBy(newcomer), ...nothingYet };
}

/** The same member as a new process: it keeps its id, and its name unless another one was asked for. */
function renewed(known: SlotMember, newcomer: Newcomer): SlotMember {
  const { label, labelAsked, formerIdentity } = newcomer;
  const name = labelAsked ? label : known.name;
  return { ...known, name, formerIdentity, ...askedBy(newcomer), away: undefined, limit: undefined };
}

/** What a process says of how it is to be served. */
function askedBy(newcomer: Newcomer) {
  const { stay, needed, expected, dryRun, place, directory, recipients, snapshots, commit } = newcomer;
  return { stay, needed, expected, dryRun, place, directory, recipients, snapshots, commit };
}

function refusalOf(state: SessionSlot, newcomer: Newcomer): Departure | undefined {
  const known = memberFor(state, newcomer);
  if (newcomer.role === "source") {
    if (newcomer.back !== undefined && known === undefined) return supersededRefusal(state, newcomer);
    const source = sourceOf(state);
    if (source !== undefined && (source !== known || isHere(source))) return busyRefusal(state, source);
  }
  if (newcomer.labelAsked && namesOf(state, known).has(newcomer.label)) {
    const reason = `cannot join session "${state.name}" as "${newcomer.label}": another member has this name; choose another with --name, or leave it out`;
    return { code: "name-taken", reason };
  }
  if (known !== undefined) return undefined;
  if (
    newcomer.role === "sink" &&
    state.members.filter((member) => member.role === "sink").length >= SINKS_PER_SESSION_MAX
  ) {
    return {
      code: "refused",
      reason: `cannot join session "${state.name}": it has ${SINKS_PER_SESSION_MAX} sinks already, and a session can have no more`,
    };
  }
  return undefined;
}

function supersededRefusal(state: SessionSlot, { identity }: Newcomer): Departure {
  const taken = sourceOf(state)?.identity === identity;
  const what = taken
    ? "another process of this source has taken the session over; let that one go on"
    : "the session has ended in the meantime; start again with the same command; data that the sinks hold is not sent again";
  return { code: "superseded", reason: `cannot come back to session "${state.name}": ${what}` };
}

function busyRefusal(state: SessionSlot, source: SlotMember): Departure {
  const text = `cannot join session "${state.name}" as its source`;
  if (!isHere(source)) {
    const advice = `start "${source.name}" again with the same command, end its session with --cancel on that machine, or choose another name with --session`;
    return {
      code: "session-busy",
      reason: `${text}: it waits for its source "${source.name}" to come back; ${advice}`,
    };
  }
  const doing = state.running === undefined ? "waits for its sinks there" : "is copying there";
  return {
    code: "session-busy",
    reason: `${text}: the source "${source.name}" ${doing}, and a session has only one source; wait for its end, or choose another name with --session`,
  };
}

/** The names that are taken, but for that of this member itself. */
function namesOf(state: SessionSlot, but?: SlotMember): ReadonlySet<string> {
  return new Set(state.members.filter((member) => member !== but).map((member) => member.name));
}

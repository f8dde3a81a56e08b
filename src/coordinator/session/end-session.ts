import type { CommitDecision } from "../../protocol/messages/commit.ts";
import type { CoordinatorMessage } from "../../protocol/messages/control.ts";
import {
  type Departure,
  isHere,
  type SessionEnd,
  type SessionRef,
  type SlotMember,
  takesPartNow,
} from "./session-slot.ts";
import { refOf, type Transition } from "./transition.ts";

/** How sessions end: by their source, by somebody who cancels them, or because nobody is there [P-1.3]. */

const NOBODY_LEFT: SessionEnd = {
  type: "broken-off",
  code: "interrupted",
  reason: "its source and all of its sinks have gone",
};

/** Tells everyone who takes part and is here, once. Then lets them go, or on to the next session. */
export function endSession(change: Transition, session: SessionRef, end: SessionEnd): void {
  const { running } = change.state;
  const members = change.state.members.filter((member) => member.sessionId === session.id);
  change.state = { ...change.state, running: undefined, waiting: undefined, kept: false };
  change.effect({ type: "ended", session: refOf(session), end });
  for (const member of members) {
    const tookPart = running !== undefined && takesPartNow(running, member) && isNamed(member, end);
    if (!isHere(member)) change.remove(member.id);
    else if (tookPart || (member.ready && end.type === "broken-off") || member.role === "source") {
      change.send(member.id, endedMessage(member, end, running?.decision));
      if (member.role === "source" || !member.stay) change.remove(member.id);
      else goOn(change, member);
    } else goOn(change, member);
  }
}

/** A sink that came when the source had taken stock is none of this session: it waits for the next one. */
function isNamed({ id, role }: SlotMember, end: SessionEnd): boolean {
  return role === "source" || end.type !== "finished" || end.summary.sinks.some(({ sinkId }) => sinkId === id);
}

/** On to the next session: at once, or when the welcome to this one has been answered. */
function goOn(change: Transition, member: SlotMember): void {
  const free = { ...member, startedEpoch: 0, belongs: false, untold: false };
  if (member.ready) change.welcome(free);
  else change.put(free);
}

/** Ends a session that nobody is in any more. */
export function endDeserted(change: Transition, session: SessionRef): void {
  endSession(change, session, NOBODY_LEFT);
}

/** Ends the session that stands, whether it waits or runs. */
export function stopped(change: Transition): void {
  const session = change.state.running ?? change.state.waiting;
  if (session !== undefined)
    endSession(change, session, cancelled("The session was cancelled by who runs the coordinator"));
}

export function cancelled(reason: string): SessionEnd {
  return { type: "broken-off", code: "cancelled", reason };
}

export function endedMessage(
  member: Pick<SlotMember, "id" | "role">,
  end: SessionEnd,
  decision?: CommitDecision,
): Extract<CoordinatorMessage, { type: "ended" }> {
  const decided = decision === undefined ? {} : { decision };
  if (end.type === "broken-off") return { type: "ended", ...departureOf(end), ...decided };
  const { summary } = end;
  if (member.role === "source") return { type: "ended", summary };
  const mine = summary.sinks.find((sink) => sink.sinkId === member.id);
  // The others' lists are left out: with many sinks, everyone's for everyone would be a lot.
  const sinks = summary.sinks.map(({ fidelity: _, ...sink }) => ({ ...sink, problems: [] }));
  return { type: "ended", summary: { ...summary, sinks }, ...(mine === undefined ? {} : { mine }), ...decided };
}

function departureOf({ code, reason }: Departure): Departure {
  return { code, reason };
}

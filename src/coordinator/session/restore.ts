import type { CommitDecision } from "../../protocol/messages/commit.ts";
import type { TicketHolder } from "../broker/tickets.ts";
import type { MemberRecord, SessionRecord } from "../history/store.ts";
import type { RunningSession, SessionSlot, SlotMember } from "./session-slot.ts";

/** A session that ran when the coordinator before this one stopped, or was killed. */
export interface RestoredSession {
  readonly state: SessionSlot;
  /** Absent when its source had taken it over, and gathered its sinks again. */
  readonly running: RunningSession | undefined;
  readonly tickets: readonly { readonly holder: TicketHolder; readonly ticket: string | undefined }[];
}

const AWAY = { code: "coordinator-lost", reason: "the coordinator was restarted, and this member is not back yet" };

/**
 * The session as the store has it, with everybody away. Undefined when no source is among the members. It runs. One
 * that was taken over waits for the new process of its source, and nobody has its epoch yet. Pure.
 */
export function restoredSession(
  { id, name, epoch }: SessionRecord,
  records: readonly MemberRecord[],
  { coordinator, decision }: { readonly coordinator: string; readonly decision: CommitDecision | undefined },
): RestoredSession | undefined {
  const tookPart = records.filter((record) => record.epoch > 0);
  const now = tookPart.filter((record) => record.epoch === epoch).map((each) => ({ ...each, id: each.member_id }));
  const source = now.find((record) => record.role === "source");
  if (source === undefined && !tookPart.some((record) => record.role === "source")) return undefined;
  const sinks = now.filter((record) => record.role === "sink").map((sink) => ({ id: sink.id, name: sink.name }));
  const running = source && {
    ...{ id, epoch, source: { id: source.id, name: source.name }, sinks },
    directory: source.directory ?? undefined,
    decision,
  };
  const waiting = running === undefined ? { id, epoch, takenOver: true } : undefined;
  const members = tookPart.map((record) => memberOf(id, record));
  const tickets = tookPart.map(({ member_id: memberId, name: memberName, role, identity, ticket }) => ({
    holder: { memberId, identity, name: memberName, role, sessionId: id },
    ticket: ticket ?? undefined,
  }));
  return { state: { name, coordinator, running, waiting, members, kept: true }, running, tickets };
}

function memberOf(sessionId: string, record: MemberRecord): SlotMember {
  return {
    id: record.member_id,
    name: record.name,
    role: record.role,
    identity: record.identity,
    stay: record.stay !== 0,
    needed: record.needed,
    dryRun: record.dry_run !== 0,
    // It tells both again when it comes back, and before that nobody starts.
    expected: [],
    place: [],
    directory: record.directory ?? undefined,
    sessionId,
    ready: false,
    startedEpoch: record.epoch,
    belongs: true,
    away: AWAY,
    untold: false,
  };
}

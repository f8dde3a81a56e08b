import type { Clock } from "../../lib/clock.ts";
import { FanfoldError } from "../../lib/errors.ts";
import type { Member, Role } from "../../protocol/messages/control.ts";
import { type SessionSummary, sessionSummarySchema } from "../../protocol/messages/progress.ts";
import { type RestoredSession, restoredSession } from "../session/restore.ts";
import type { RunningSession, SessionEnd, SessionRef, SlotMember } from "../session/session-slot.ts";
import type { Store } from "./store.ts";

/** A session that its source finished, as one who took part in it finds it. */
export interface PastCopy {
  readonly session: SessionRef;
  readonly member: Member;
  readonly summary: SessionSummary;
}

/** Writes what happens to the store, and reads what happened before. A history that cannot be written is told, and stops no session. */
export class History {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #warn: (message: string) => void;

  constructor(store: Store, { clock, warn }: { readonly clock: Clock; readonly warn: (message: string) => void }) {
    this.#store = store;
    this.#clock = clock;
    this.#warn = warn;
  }

  opened(session: SessionRef, name: string): void {
    this.#write(() => this.#store.opened(session, name, this.#clock.date()));
  }

  /** `ticket` is the one that opens the embedded relay. */
  joined(member: SlotMember, ticket: string | undefined): void {
    this.#write(() => this.#store.joined(member, ticket));
  }

  takenOver(session: SessionRef): void {
    this.#write(() => this.#store.takenOver(session));
  }

  started(session: RunningSession): void {
    this.#write(() => this.#store.started(session, this.#clock.date()));
  }

  /** A sink takes part that did not at the start. */
  tookPart(session: SessionRef, memberId: string): void {
    this.#write(() => this.#store.tookPart(session, memberId));
  }

  /** A member left for good: its ticket opens nothing any more. */
  revoked(session: SessionRef, memberId: string): void {
    this.#write(() => this.#store.revoked(session.id, memberId));
  }

  ended(session: SessionRef, end: SessionEnd): void {
    const at = this.#clock.date();
    this.#write(() => {
      if (end.type === "finished")
        this.#store.ended(session.id, { at, result: end.summary.result, summary: end.summary });
      else {
        const result = end.code === "cancelled" ? "cancelled" : "interrupted";
        this.#store.ended(session.id, { at, result, reason: end.reason });
      }
    });
  }

  forgotten(sessionId: string): void {
    this.#write(() => this.#store.forgotten(sessionId));
  }

  /** What the coordinator before this one left running. */
  restorable(): readonly RestoredSession[] {
    return this.#store.running().flatMap((record) => {
      const restored = restoredSession(record, this.#store.members(record.id));
      return restored === undefined ? [] : [restored];
    });
  }

  /** How the copy ended that a client comes back to; undefined when its source did not finish it. */
  past(back: SessionRef, role: Role, identity: string): PastCopy | undefined {
    const record = this.#store.session(back.id);
    if (record === undefined || record.summary === null || record.epoch !== back.epoch) return undefined;
    const member = this.#store
      .members(back.id)
      .find((each) => each.role === role && each.secret_hash === identity && each.epoch === back.epoch);
    if (member === undefined) return undefined;
    const summary = sessionSummarySchema.safeParse(JSON.parse(record.summary));
    if (!summary.success) return undefined;
    return { session: back, member: { id: member.member_id, name: member.name }, summary: summary.data };
  }

  #write(write: () => void): void {
    try {
      write();
    } catch (thrown) {
      this.#warn(
        `cannot write the history: ${FanfoldError.from(thrown).message}; sessions go on, but this one is not in the history`,
      );
    }
  }
}

import type { MemberRecord } from "../../../src/coordinator/history/store.ts";
import { restoredSession } from "../../../src/coordinator/session/restore.ts";
import {
  emptySlot,
  type SessionSlot,
  type SlotEffect,
  type SlotMember,
} from "../../../src/coordinator/session/session-slot.ts";

const COORDINATOR = "0".repeat(32);

/** What the store would hold of the session that runs under one name, from the effects that are written to it. */
export class PaperStore {
  readonly #members = new Map<string, MemberRecord>();
  #running: { readonly id: string; readonly epoch: number } | undefined;

  see(effect: SlotEffect): void {
    if (effect.type === "opened" || effect.type === "ended" || effect.type === "forgotten") this.#clear();
    else if (effect.type === "welcome") this.#joined(effect.member);
    else if (effect.type === "started") {
      const { id, epoch, source, sinks } = effect.session;
      this.#running = { id, epoch };
      for (const member of [source, ...sinks]) this.#tookPart(member.id, epoch);
    } else if (effect.type === "taken-over") this.#running = effect.session;
    else if (effect.type === "joined") this.#tookPart(effect.member.id, effect.session.epoch);
  }

  /** The slot as a coordinator finds it that is started again. */
  restored(name: string): SessionSlot {
    if (this.#running === undefined) {
      this.#clear();
      return emptySlot(name, COORDINATOR);
    }
    const nothing = { opened: "", started: null, ended: null, result: null, reason: null, summary: null };
    const record = { ...this.#running, ...nothing, name, state: "running" };
    const restored = restoredSession(record, [...this.#members.values()], {
      coordinator: COORDINATOR,
      decision: undefined,
    });
    if (restored === undefined) throw new Error("a session that runs has its source among its members");
    return restored.state;
  }

  #clear(): void {
    this.#members.clear();
    this.#running = undefined;
  }

  #joined({ id, role, name, identity, stay, needed, dryRun, directory }: SlotMember): void {
    const epoch = this.#members.get(id)?.epoch ?? 0;
    const numbers = { stay: Number(stay), needed, dry_run: Number(dryRun), epoch };
    this.#members.set(id, {
      role,
      member_id: id,
      name,
      identity,
      ...numbers,
      ticket: null,
      receipt: null,
      directory: directory ?? null,
    });
  }

  #tookPart(id: string, epoch: number): void {
    const record = this.#members.get(id);
    if (record === undefined) throw new Error(`${id} takes part, and was never welcomed`);
    this.#members.set(id, { ...record, epoch });
  }
}

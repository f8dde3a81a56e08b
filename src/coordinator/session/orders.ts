import type { ControlConnection } from "../port/control-connection.ts";
import type { Client, Effects } from "./effects.ts";
import type { SlotHappening } from "./heard-event.ts";
import { type Departure, listeningSource, type SessionSlot } from "./session-slot.ts";
import type { Standby } from "./standby.ts";

/** Whom orders are about: all sessions, those who are connected, and those who are on their way in. */
interface OrderScope {
  readonly slots: ReadonlyMap<string, SessionSlot>;
  readonly effects: Pick<Effects, "clients" | "cut">;
  /** With the identity of each, once it has proven it. */
  readonly connections: ReadonlyMap<ControlConnection, string | undefined>;
  readonly standby: Pick<Standby, "run">;
  /** Something happens to what stands under this name. */
  apply(name: string, event: SlotHappening): void;
  gone(client: Client, why: Departure & { readonly left: boolean }): void;
  /** Whatever this identity got for the broker is void. */
  shutOut(identity: string): void;
}

/** What who runs the coordinator orders. */
export class Orders {
  readonly #scope: OrderScope;

  constructor(scope: OrderScope) {
    this.#scope = scope;
  }

  /** Ends a session for all. False when none with this id waits or runs. */
  cancel(sessionId: string): boolean {
    const slot = this.#slotOf(sessionId);
    if (slot !== undefined) this.#scope.apply(slot.name, { type: "stopped" });
    return slot !== undefined;
  }

  /** Sends a sink out of a session, by its name. It may come again. False when it is not connected there. */
  drop(sessionId: string, name: string): boolean {
    const { effects, gone, shutOut } = this.#scope;
    const slot = this.#slotOf(sessionId);
    const sink = slot?.members.find((member) => member.role === "sink" && member.name === name);
    const client = sink === undefined ? undefined : effects.clients.get(sink.id);
    if (slot === undefined || client === undefined) return false;
    client.connection.refuse(
      "refused",
      `cannot go on in session "${slot.name}": this sink was dropped by who runs the coordinator; start it again when it is wanted there`,
    );
    gone(client, { code: "refused", reason: "it was dropped by who runs the coordinator", left: true });
    effects.cut(slot, client.memberId);
    shutOut(client.identity);
    return true;
  }

  /**
   * Orders a sink, or the source when there is no name, to hold itself to a limit. Whoever is away is told when it is back.
   * Undefined when it does not take part.
   */
  limit(sessionId: string, sink: string | undefined, limit: string): "told" | "kept" | undefined {
    const { effects, apply } = this.#scope;
    const slot = this.#slotOf(sessionId);
    const member = slot?.members.find(({ role, name }) => (sink === undefined ? role === "source" : name === sink));
    if (slot === undefined || member === undefined || member.sessionId !== sessionId) return undefined;
    apply(slot.name, { type: "limit", memberId: member.id, limit });
    return effects.clients.has(member.id) ? "told" : "kept";
  }

  /** The next run of a session is wanted now. Gives how many sources were told, or are at it already. A dry run brings nothing. */
  run(session: string): number {
    const { slots, standby } = this.#scope;
    const slot = slots.get(session);
    const source = slot === undefined ? undefined : listeningSource(slot);
    return standby.run(session) + Number(source?.dryRun === false);
  }

  /** Cuts off every process of an identity that nobody wants any more: those that are here, on their way in, or away. */
  remove(identity: string): void {
    const { slots, effects, connections, gone, shutOut } = this.#scope;
    const ofIt = (each: { readonly identity: string }): boolean => each.identity === identity;
    const members = [...slots.values()].flatMap((slot) => slot.members.filter(ofIt).map(({ id }) => ({ slot, id })));
    for (const [connection, whose] of connections) {
      if (whose === identity)
        connection.refuse(
          "member-removed",
          "cannot go on: this member was removed by who runs the coordinator; ask there",
        );
    }
    for (const client of [...effects.clients.values()].filter(ofIt))
      gone(client, { code: "member-removed", reason: "it was removed by who runs the coordinator", left: true });
    for (const { slot, id } of members) effects.cut(slot, id);
    shutOut(identity);
  }

  #slotOf(sessionId: string): SessionSlot | undefined {
    return [...this.#scope.slots.values()].find(({ running, waiting }) => (running ?? waiting)?.id === sessionId);
  }
}

import type { Role, TransportOffer } from "../protocol/control.ts";
import type { CoordinatorEvent } from "../protocol/events.ts";
import { PROTOCOL_VERSION } from "../protocol/limits.ts";
import type { ControlConnection } from "./control-connection.ts";
import type { History } from "./history.ts";
import { type SeriesEffect, type SeriesMember, type SeriesState, takesPart } from "./series.ts";
import type { SessionViews } from "./session-views.ts";
import type { TicketHolder } from "./tickets.ts";

export interface EffectsOptions {
  readonly history: History;
  readonly views: SessionViews;
  readonly emit: (event: CoordinatorEvent) => void;
  /** The transport for one member, and what a person should know of it. */
  readonly offer: (
    holder: TicketHolder,
    address: string,
  ) => { readonly transport: TransportOffer; readonly warnings: readonly string[] };
  readonly revoke: (memberId: string) => void;
}

/** A member and its connection. */
export interface Client {
  readonly memberId: string;
  readonly series: string;
  readonly identity: string;
  readonly role: Role;
  readonly connection: ControlConnection;
}

type EffectOf<T extends SeriesEffect["type"]> = Extract<SeriesEffect, { type: T }>;

/** Carries out what the state machine decides: on the members' connections, in the history, in the views. */
export class Effects {
  /** All members of all sessions, by id. */
  readonly clients = new Map<string, Client>();
  readonly #options: EffectsOptions;

  constructor(options: EffectsOptions) {
    this.#options = options;
  }

  /** `state` is the one after the step; `newcomerId` is that of the client that asked to join in it. */
  carryOut(state: SeriesState, effect: SeriesEffect, newcomerId: string): void {
    switch (effect.type) {
      case "send":
        this.#connection(effect.to)?.send(effect.message);
        break;
      case "welcome":
        this.#welcome(state.name, effect);
        break;
      case "refuse":
        this.#release(newcomerId, (connection) => connection.refuse(effect.code, effect.reason));
        break;
      case "violation":
        this.#connection(effect.memberId)?.refuse("damaged", effect.reason);
        break;
      case "release":
        this.#release(effect.memberId, (connection) =>
          connection.close(1000, { code: "ended", reason: "its part is over" }),
        );
        break;
      case "registered":
        this.#registered(state.name, effect.member);
        break;
      case "left":
        this.#left(state, effect);
        break;
      default:
        this.#record(state.name, effect);
    }
  }

  #record(session: string, effect: EffectOf<"opened" | "forgotten" | "started" | "ended">): void {
    const { history, views, emit } = this.#options;
    switch (effect.type) {
      case "opened":
        history.opened(effect.session, session);
        views.open(effect.session.id);
        break;
      case "forgotten":
        history.forgotten(effect.sessionId);
        views.forget(session, effect.sessionId);
        break;
      case "started":
        history.started(effect.session);
        views.start(session, effect.session);
        break;
      default: {
        history.ended(effect.session, effect.end);
        const summary = effect.end.type === "finished" ? effect.end.summary : undefined;
        views.end(effect.session.id, summary);
        if (summary !== undefined) emit({ type: "finished", session, sessionId: effect.session.id, summary });
      }
    }
  }

  #welcome(session: string, { member, session: { id: sessionId, epoch }, underWay }: EffectOf<"welcome">): void {
    const connection = this.#connection(member.id);
    if (connection === undefined) return;
    this.#options.history.joined(member);
    const { transport, warnings } = this.#options.offer(holderOf(member), connection.address);
    connection.send({
      type: "welcome",
      version: PROTOCOL_VERSION,
      member: { id: member.id, name: member.name },
      session,
      sessionId,
      epoch,
      transport,
      warnings: [...warnings],
      underWay,
      rejoined: false,
    });
  }

  #registered(session: string, { id, role, name }: SeriesMember): void {
    const address = this.#connection(id)?.address ?? "";
    this.#options.emit({ type: "registered", session, role, name, address });
  }

  #left(state: SeriesState, { member, code, reason }: EffectOf<"left">): void {
    const { id, role, name } = member;
    if (state.running !== undefined && takesPart(state, id)) this.#options.views.lost(state.running.id, id);
    this.#options.emit({ type: "left", session: state.name, role, name, code, reason });
  }

  #connection(memberId: string): ControlConnection | undefined {
    return this.clients.get(memberId)?.connection;
  }

  #release(memberId: string, end: (connection: ControlConnection) => void): void {
    const connection = this.#connection(memberId);
    this.clients.delete(memberId);
    this.#options.revoke(memberId);
    if (connection !== undefined) end(connection);
  }
}

function holderOf(member: SeriesMember): TicketHolder {
  return { memberId: member.id, name: member.name, role: member.role, sessionId: member.sessionId };
}

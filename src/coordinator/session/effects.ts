import { PROTOCOL_VERSION } from "../../protocol/limits.ts";
import type { CoordinatorMessage, Member, Role } from "../../protocol/messages/control.ts";
import type { CoordinatorEvent } from "../../protocol/messages/coordinator-events.ts";
import type { TransportOffer } from "../../protocol/messages/transport-offer.ts";
import type { Offer, OfferTo } from "../broker/member-transport.ts";
import type { TicketHolder } from "../broker/tickets.ts";
import type { History } from "../history/history.ts";
import type { ControlConnection } from "../port/control-connection.ts";
import type { SinkFacts } from "../views/session-view.ts";
import type { SessionViews } from "../views/session-views.ts";
import {
  asMember,
  type SessionRef,
  type SessionSlot,
  type SlotEffect,
  type SlotMember,
  takesPartNow,
} from "./session-slot.ts";

export interface EffectsOptions {
  readonly history: History;
  readonly views: SessionViews;
  readonly emit: (event: CoordinatorEvent) => void;
  readonly offer: (holder: TicketHolder, to: OfferTo) => Offer;
  readonly revoke: (memberId: string) => void;
  /** The same, and its connections to the broker end at once. */
  readonly cut: (memberId: string) => void;
  /** Whatever this identity got for the broker is void. */
  readonly shutOut: (identity: string) => void;
  /** A session begins or goes on, or its source says again how it is sealed. */
  readonly begin: (sessionId: string, isSealed: boolean) => void;
  /** A session has ended. */
  readonly over: (sessionId: string) => void;
}

/** A member and its connection. */
export interface Client {
  readonly memberId: string;
  readonly slot: string;
  readonly identity: string;
  readonly role: Role;
  readonly connection: ControlConnection;
  /** What a sink said last of its machine. */
  facts: SinkFacts;
}

type EffectOf<T extends SlotEffect["type"]> = Extract<SlotEffect, { type: T }>;

type RecordedEffect = "opened" | "forgotten" | "taken-over" | "started" | "sealed" | "joined" | "returned" | "ended";

/** Carries out what the state machine decides: on the members' connections, in the history, in the views. */
export class Effects {
  /** All members of all sessions, by id. */
  readonly clients = new Map<string, Client>();
  readonly #options: EffectsOptions;

  constructor(options: EffectsOptions) {
    this.#options = options;
  }

  /** `state` is the one after the step. `newcomerId` is that of the client that asked to join in it. */
  carryOut(state: SessionSlot, effect: SlotEffect, newcomerId: string): void {
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
        if (!effect.comesBack) this.#revoke(state, effect.memberId);
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

  #record(session: string, effect: EffectOf<RecordedEffect>): void {
    const { history, views, emit, begin, over } = this.#options;
    switch (effect.type) {
      case "opened":
        history.opened(effect.session, session);
        views.open(effect.session.id);
        break;
      case "forgotten":
        history.forgotten(effect.session.id);
        over(effect.session.id);
        views.forget(session, effect.session);
        break;
      case "taken-over":
        history.takenOver(effect.session);
        break;
      case "started":
        begin(effect.session.id, effect.seal !== undefined);
        history.started(effect.session);
        views.start(session, effect.session, effect);
        break;
      case "sealed":
        begin(effect.session.id, true);
        views.sealed(effect.session, effect.seal);
        break;
      case "joined":
        history.tookPart(effect.session, effect.member.id);
        views.joined(effect.session.id, effect.member);
        break;
      case "returned":
        views.returned(effect.session.id, effect.member.id);
        break;
      default: {
        const { session: ended, end } = effect;
        const { result, reason } = history.ended(session, ended, { end, rates: views.rates(ended.id) });
        over(ended.id);
        views.end(session, ended, end.type === "finished" ? end.summary : undefined);
        if (end.type === "finished") emit({ type: "finished", session, sessionId: ended.id, summary: end.summary });
        else emit({ type: "warning", code: end.code, message: `Session "${session}" is over: ${end.reason}` });
        const why = reason === undefined ? {} : { reason };
        emit({ type: "ended", session, sessionId: ended.id, result, ...why });
      }
    }
  }

  #welcome(name: string, { member, session, underWay, rejoined }: EffectOf<"welcome">): void {
    const connection = this.#connection(member.id);
    if (connection === undefined) return;
    const offer = this.#options.offer(holderOf(member), { connection, rejoined });
    const { transport } = offer;
    this.#options.history.joined(member, ticketOf(transport));
    connection.send(welcomeMessage({ name, member, session, offer, underWay, rejoined }));
  }

  /** Nothing that the member had of the broker is of use any more. */
  cut({ running, waiting }: SessionSlot, memberId: string): void {
    this.#options.cut(memberId);
    const session = running ?? waiting;
    if (session !== undefined) this.#options.history.revoked(session, memberId);
  }

  /** Its ticket is void, also for a coordinator that is started again. */
  #revoke({ running, waiting }: SessionSlot, memberId: string): void {
    this.#options.revoke(memberId);
    const session = running ?? waiting;
    if (session !== undefined) this.#options.history.revoked(session, memberId);
  }

  #registered(session: string, { id, role, name }: SlotMember): void {
    const address = this.#connection(id)?.address ?? "";
    this.#options.emit({ type: "registered", session, role, name, address });
  }

  #left(state: SessionSlot, { member, code, reason }: EffectOf<"left">): void {
    const { id, role, name } = member;
    const { running } = state;
    if (running !== undefined && takesPartNow(running, member)) this.#options.views.lost(running.id, id);
    this.#options.emit({ type: "left", session: state.name, role, name, code, reason });
  }

  #connection(memberId: string): ControlConnection | undefined {
    return this.clients.get(memberId)?.connection;
  }

  #release(memberId: string, end: (connection: ControlConnection) => void): void {
    const connection = this.#connection(memberId);
    this.clients.delete(memberId);
    if (connection !== undefined) end(connection);
  }
}

/** What makes a member's rights last through a restart of the coordinator. */
function ticketOf(transport: TransportOffer): string | undefined {
  if (transport.kind === "embedded") return transport.ticket;
  return transport.kind === "amqp" ? transport.exchange : undefined;
}

interface WelcomeParts {
  readonly name: string;
  readonly member: Pick<Member, "id" | "name">;
  readonly session: SessionRef;
  readonly offer: Offer;
  readonly underWay: boolean;
  readonly rejoined: boolean;
}

export function welcomeMessage({ name, member, session, offer, underWay, rejoined }: WelcomeParts): CoordinatorMessage {
  return {
    type: "welcome",
    version: PROTOCOL_VERSION,
    member: asMember(member),
    session: name,
    sessionId: session.id,
    epoch: session.epoch,
    transport: offer.transport,
    warnings: [...offer.warnings],
    underWay,
    rejoined,
    sealing: offer.sealing,
  };
}

function holderOf({ id, identity, name, role, sessionId }: SlotMember): TicketHolder {
  return { memberId: id, identity, name, role, sessionId };
}

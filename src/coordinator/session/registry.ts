import type { Clock } from "../../lib/clock.ts";
import type { Random } from "../../lib/random.ts";
import { PROTOCOL_VERSION, SESSION_ID_CHARS } from "../../protocol/limits.ts";
import type { ClientMessage, Hello } from "../../protocol/messages/control.ts";
import type { Entrance } from "../access/entrance.ts";
import type { TicketHolder } from "../broker/tickets.ts";
import type { ControlConnection } from "../port/control-connection.ts";
import { type AdmissionOptions, MemberAdmission, type Messages } from "./admission.ts";
import { Deadlines } from "./deadlines.ts";
import { decide, decisionOn, mayDecide } from "./decide.ts";
import { type Client, Effects, type EffectsOptions } from "./effects.ts";
import { Lookout } from "./elsewhere.ts";
import { heardEvent, type SlotHappening } from "./heard-event.ts";
import { keepReceipt } from "./keep-receipt.ts";
import { freshMemberId, newcomerOf } from "./newcomer.ts";
import { Openers } from "./openers.ts";
import { Orders } from "./orders.ts";
import { factsIn, Present } from "./present.ts";
import type { RestoredSession } from "./restore.ts";
import { lostCode } from "./same-identity.ts";
import { step } from "./session-machine.ts";
import { type Departure, emptySlot, isDeserted, isVacant, type SessionSlot, sourceOf } from "./session-slot.ts";
import { Standby } from "./standby.ts";
import { Verifications } from "./verifications.ts";

const HELLO_WITHIN_MS = 10_000;
const NONCE_BYTES = 32;

interface RegistryOptions extends EffectsOptions, AdmissionOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly entrance: Entrance;
  /** Makes a ticket valid that was given out by the coordinator before this one. Without one, the member has no rights. */
  readonly restoreTicket: (holder: TicketHolder, ticket: string | undefined) => void;
}

/** All sessions by name, and what their members say: the shell around the state machine of session-machine.ts. */
export class Registry {
  readonly orders: Orders;
  readonly present: Present;
  readonly verifications: Verifications;
  readonly #options: RegistryOptions;
  readonly #effects: Effects;
  readonly #slots = new Map<string, SessionSlot>();
  readonly #openers = new Openers();
  /** With the identity of whoever was let in. */
  readonly #connections = new Map<ControlConnection, string>();
  readonly #admission: MemberAdmission;
  readonly #deadlines: Deadlines;
  readonly #lookout: Lookout;
  #closed: Departure | undefined;

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#effects = new Effects(options);
    this.present = new Present(this.#effects.clients, options);
    const { history, entrance, clock, random, emit } = options;
    this.verifications = new Verifications({
      ...{ clients: this.#effects.clients, clock, random, emit },
      nameOf: ({ memberId, slot }) => this.#slots.get(slot)?.members.find(({ id }) => id === memberId)?.name ?? "",
      known: (session) =>
        history.sinksOf(session).filter(({ key: identity }) => entrance.mayEnter({ identity, role: "sink" }, session)),
      told: history,
    });
    const ground = {
      slots: this.#slots,
      effects: this.#effects,
      connections: this.#connections,
      gone: (client: Client, why: Departure & { readonly left: boolean }) => this.#gone(client, why),
    };
    const standby = new Standby();
    this.orders = new Orders({
      ...ground,
      standby,
      apply: (name, event) => this.#apply(name, event),
      shutOut: options.shutOut,
    });
    this.#admission = new MemberAdmission(options, {
      ...ground,
      cancel: (connection, hello) => this.#cancel(connection, hello),
      standBy: (...source) => standby.hold(...source),
      join: (connection, hello) => this.#join(connection, hello),
    });
    this.#deadlines = new Deadlines(options.clock, (name) => {
      if (this.#slots.has(name)) this.#apply(name, { type: "expired" });
    });
    this.#lookout = new Lookout({
      clock: options.clock,
      slots: () => [...this.#slots.values()],
      mayEnter: (member, session) => options.entrance.mayEnter(member, session),
      tell: (memberId, message) => this.#effects.clients.get(memberId)?.connection.send(message),
    });
  }

  /** Takes up what ran when the coordinator before this one went: everybody is away, and may come back. */
  restore(sessions: readonly RestoredSession[]): void {
    const { views, restoreTicket, begin } = this.#options;
    for (const { state, running, tickets } of sessions) {
      // Whether it is sealed is kept nowhere. Until its source says so once more, nobody on the way may read it.
      if (running !== undefined) begin(running.id, false);
      this.#slots.set(state.name, state);
      this.#openers.opened(state.name, { identity: sourceOf(state)?.identity ?? "" });
      this.#deadlines.hold(state.name);
      for (const { holder, ticket } of tickets) restoreTicket(holder, ticket);
      views.restore(state);
    }
  }

  /** Public key of a member of the session of this name. */
  keyOf(session: string, memberId: string): string | undefined {
    return this.#slots.get(session)?.members.find(({ id }) => id === memberId)?.identity;
  }

  /** Serves one client from its `hello` until it has gone. */
  async serve(connection: ControlConnection): Promise<void> {
    this.#connections.set(connection, "");
    try {
      await this.#serve(connection);
    } finally {
      this.#connections.delete(connection);
    }
  }

  async #serve(connection: ControlConnection): Promise<void> {
    const messages = connection.messages();
    const nonce = this.#options.random.hex(NONCE_BYTES);
    connection.send({ type: "challenge", version: PROTOCOL_VERSION, nonce });
    let said = false;
    const deadline = connection.expect(HELLO_WITHIN_MS, () => said);
    const first = await messages.next();
    said = true;
    if (first.done !== true) {
      const client = await this.#admission.admit(connection, { first: first.value, nonce, messages });
      if (client !== undefined) {
        await this.#converse(client, messages);
        this.present.gone(client);
        // Who connected again in its own place is back at once.
        this.verifications.gone(client, ["connection", "superseded"].includes(connection.departure.code));
      }
    }
    await deadline;
  }

  /**
   * Takes nobody any more, and cuts all connections; resolves when they are closed. Sessions that run are not ended: they
   * go on when a coordinator is back with this state.
   */
  async close(departure: Departure): Promise<void> {
    if (this.#closed !== undefined) return;
    this.#closed = departure;
    this.#deadlines[Symbol.dispose]();
    this.#lookout[Symbol.dispose]();
    this.#effects.clients.clear();
    this.#slots.clear();
    const connections = [...this.#connections.keys()];
    for (const connection of connections) connection.close(1012, departure);
    await Promise.all(connections.map((connection) => connection.closed));
  }

  /** Ends the session of a source for all, as another process of it asks. */
  #cancel(connection: ControlConnection, { session, role, back, key: identity }: Hello): void {
    const id = this.#freshMemberId();
    this.#effects.clients.set(id, { memberId: id, slot: session, identity, role, connection, facts: {} });
    this.#apply(session, { type: "cancel", id, identity, back }, id);
  }

  #join(connection: ControlConnection, hello: Hello): Client | undefined {
    if (this.#closed !== undefined || connection.gone.aborted) return undefined;
    const { session: name, role, key: identity } = hello;
    const { clients } = this.#effects;
    const opener = { identity, address: connection.address };
    const full = this.#slots.has(name) ? undefined : this.#openers.refusal(opener);
    if (full !== undefined) {
      connection.refuse("too-many", `cannot open session "${name}": ${full}`);
      return undefined;
    }
    const slot = this.#slots.get(name) ?? emptySlot(name, this.#options.history.coordinator);
    const newcomer = newcomerOf(hello, { slot, identity, freshId: () => this.#freshMemberId() });
    const memberId = newcomer.id;
    // Once more: while this one waited for an answer, another may have come in.
    if (clients.has(memberId)) {
      connection.refuse("session-busy", `cannot join session "${name}": the same ${role} connected at the same time`);
      return undefined;
    }
    const client = { memberId, slot: name, identity, role, connection, facts: factsIn(hello) };
    clients.set(memberId, client);
    if (!this.#slots.has(name)) this.#openers.opened(name, opener);
    this.#apply(name, { type: "join", newcomer }, memberId);
    if (!clients.has(memberId)) return undefined;
    const called = this.#slots.get(name)?.members.find(({ id }) => id === memberId)?.name ?? hello.label;
    this.present.came(client, called);
    this.#options.entrance.called(client, called);
    return client;
  }

  async #converse(client: Client, messages: Messages): Promise<void> {
    const { connection, role } = client;
    for (let next = await messages.next(); next.done !== true; next = await messages.next()) {
      if (!this.#isServed(client)) return;
      this.#hear(client, next.value);
    }
    const { code, reason } = connection.departure;
    const broke = code === "connection";
    this.#gone(client, { code: broke ? lostCode(role) : code, reason, left: !broke });
  }

  #hear(client: Client, message: ClientMessage): void {
    const { memberId, slot, connection } = client;
    switch (message.type) {
      case "hello":
        connection.refuse("damaged", 'cannot read a control message: found a second "hello"');
        break;
      case "status":
        this.present.said(client, message.free, this.#slots.get(slot));
        break;
      case "receipt":
        keepReceipt(message.receipt, client, { running: this.#slots.get(slot)?.running, ...this.#options });
        break;
      case "verifying":
        this.verifications.reading(client, message);
        break;
      case "verified":
        this.verifications.verified(client, message);
        break;
      case "leave":
        this.verifications.gone(client, false);
        this.#gone(client, { code: message.code, reason: message.reason, left: true });
        break;
      case "decide":
        this.#decide(client, message);
        break;
      case "ask":
        this.#answer(client, message.copy);
        break;
      case "progress": {
        const running = this.#slots.get(slot)?.running;
        if (running?.source.id === memberId) this.#options.views.progress(running.id, message);
        break;
      }
      default: {
        const event = heardEvent(message, memberId);
        if (event !== undefined) this.#apply(slot, event);
      }
    }
  }

  #decide({ memberId, slot, connection }: Client, wish: Extract<ClientMessage, { type: "decide" }>): void {
    const state = this.#slots.get(slot);
    if (!mayDecide(state, memberId)) {
      connection.refuse(
        "damaged",
        'cannot read a control message: found a "decide" of one whose session decides nothing',
      );
      return;
    }
    const decision = decide(state, wish, this.#options.history);
    if (decision !== undefined) this.#apply(slot, { type: "decided", memberId, decision });
    // It comes back and asks again.
    else connection.close(1012, { code: "disk-failed", reason: "the decision cannot be written down" });
  }

  /** Another coordinator's decisions are not known here. */
  #answer({ connection }: Client, { coordinator, ...copy }: Extract<ClientMessage, { type: "ask" }>["copy"]): void {
    const { history } = this.#options;
    const decision = coordinator === history.coordinator ? decisionOn(copy, this.#slots.values(), history) : undefined;
    if (decision !== undefined) connection.send({ type: "decided", decision });
  }

  /** Whether this connection still speaks for its member: a later one may have taken its place. */
  #isServed(client: Client): boolean {
    return this.#effects.clients.get(client.memberId) === client;
  }

  #gone(client: Client, why: Departure & { readonly left: boolean }): void {
    if (this.#isServed(client)) this.#apply(client.slot, { type: "gone", memberId: client.memberId, ...why });
  }

  #apply(name: string, event: SlotHappening, newcomerId = ""): void {
    const before = this.#slots.get(name) ?? emptySlot(name, this.#options.history.coordinator);
    const freshSessionId = this.#options.random.id(SESSION_ID_CHARS);
    const { state, effects } = step(before, { ...event, freshSessionId });
    if (isVacant(state)) {
      this.#slots.delete(name);
      this.#openers.closed(name);
    } else this.#slots.set(name, state);
    if (isDeserted(state) && !isDeserted(before)) this.#deadlines.hold(name);
    for (const effect of effects) this.#effects.carryOut(state, effect, newcomerId);
    this.#options.views.show(state);
    for (const effect of effects) {
      if (effect.type !== "violation") continue;
      const client = this.#effects.clients.get(effect.memberId);
      if (client !== undefined) this.#gone(client, { code: "damaged", reason: effect.reason, left: true });
    }
  }

  #freshMemberId(): string {
    const { clients } = this.#effects;
    const isMember = (id: string) =>
      [...this.#slots.values()].some((state) => state.members.some((each) => each.id === id));
    return freshMemberId(this.#options.random, (id) => clients.has(id) || isMember(id));
  }
}

import { createHash } from "node:crypto";
import type { Clock } from "../../lib/clock.ts";
import type { FanfoldError } from "../../lib/errors.ts";
import type { Random } from "../../lib/random.ts";
import { SESSION_ID_CHARS, SESSIONS_MAX } from "../../protocol/limits.ts";
import type { ClientMessage, Hello } from "../../protocol/messages/control.ts";
import type { TicketHolder } from "../broker/tickets.ts";
import type { ControlConnection } from "../port/control-connection.ts";
import { Deadlines } from "./deadlines.ts";
import { type Client, Effects, type EffectsOptions } from "./effects.ts";
import { Lookout } from "./elsewhere.ts";
import { freshMemberId, newcomerOf } from "./newcomer.ts";
import type { RestoredSession } from "./restore.ts";
import { aliveRefusal, askedReason, LET_GO_WITHIN_MS, lostCode } from "./same-identity.ts";
import { step, versionRefusal } from "./session-machine.ts";
import {
  type Departure,
  emptySlot,
  isDeserted,
  isVacant,
  memberGoingOn,
  type SessionSlot,
  type SlotEvent,
} from "./session-slot.ts";
import { tellEnd } from "./tell-end.ts";

const HELLO_WITHIN_MS = 10_000;
/** A connection of the same identity that does not answer within this time is that of a killed process. */
const ANSWER_WITHIN_MS = 2000;

interface RegistryOptions extends EffectsOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Resolves once the broker can serve members. */
  readonly ready: (signal: AbortSignal, tell: (trouble: FanfoldError) => void) => Promise<void>;
  /** Makes a ticket valid that was given out by the coordinator before this one. */
  readonly restoreTicket: (holder: TicketHolder, ticket: string) => void;
}

type Unnumbered<T> = T extends unknown ? Omit<T, "freshSessionId"> : never;
type Messages = AsyncIterator<ClientMessage>;

/** All sessions by name, and what their members say: the shell around the state machine of session.ts. */
export class Registry {
  readonly #options: RegistryOptions;
  readonly #effects: Effects;
  readonly #slots = new Map<string, SessionSlot>();
  readonly #connections = new Set<ControlConnection>();
  readonly #deadlines: Deadlines;
  readonly #lookout: Lookout;
  #closed: Departure | undefined;

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#effects = new Effects(options);
    this.#deadlines = new Deadlines(options.clock, (name) => {
      if (this.#slots.has(name)) this.#apply(name, { type: "expired" });
    });
    this.#lookout = new Lookout({
      clock: options.clock,
      slots: () => [...this.#slots.values()],
      tell: (memberId, message) => this.#effects.clients.get(memberId)?.connection.send(message),
    });
  }

  /** Takes up what ran when the coordinator before this one went: everybody is away, and may come back. */
  restore(sessions: readonly RestoredSession[]): void {
    const { views, restoreTicket } = this.#options;
    for (const { state, tickets } of sessions) {
      this.#slots.set(state.name, state);
      this.#deadlines.hold(state.name);
      for (const { holder, ticket } of tickets) restoreTicket(holder, ticket);
      views.restore(state);
    }
  }

  /** Serves one client from its `hello` until it has gone. */
  async serve(connection: ControlConnection): Promise<void> {
    this.#connections.add(connection);
    try {
      await this.#serve(connection);
    } finally {
      this.#connections.delete(connection);
    }
  }

  async #serve(connection: ControlConnection): Promise<void> {
    const messages = connection.messages();
    let said = false;
    const deadline = connection.expect(HELLO_WITHIN_MS, () => said);
    const first = await messages.next();
    said = true;
    if (first.done !== true) {
      const client = await this.#admit(connection, first.value, messages);
      if (client !== undefined) await this.#converse(client, messages);
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
    const connections = [...this.#connections];
    for (const connection of connections) connection.close(1012, departure);
    await Promise.all(connections.map((connection) => connection.closed));
  }

  async #admit(connection: ControlConnection, hello: ClientMessage, messages: Messages): Promise<Client | undefined> {
    if (hello.type !== "hello") {
      connection.refuse("damaged", `cannot begin with "${hello.type}": the first message is "hello"`);
      return undefined;
    }
    const otherVersion = versionRefusal(hello.version);
    if (otherVersion !== undefined) {
      connection.refuse("protocol-version", otherVersion);
      return undefined;
    }
    const identity = createHash("sha256").update(hello.secret).digest("hex");
    try {
      await this.#options.ready(connection.gone, ({ code, message }) => connection.hold(code, message));
    } catch {
      return undefined; // It went away before the broker was reached.
    }
    if (hello.role === "source" && hello.cancel === true) return this.#cancel(connection, hello, identity);
    const isBack = hello.back !== undefined;
    if (isBack) {
      this.#replaceOwn(hello, identity);
      if (!(await this.#tellEnd(connection, hello, { identity, messages }))) return undefined;
    }
    // A source whose copy is over is turned away by the session, not by whoever has its place now.
    const asksNobody = isBack && hello.role === "source";
    if (!asksNobody && !(await this.#replaceDead(connection, hello, identity))) return undefined;
    return this.#join(connection, hello, identity);
  }

  /** Ends the session of a source for all, as another process of it asks. */
  #cancel(connection: ControlConnection, { session, role, back }: Hello, identity: string): undefined {
    const id = this.#freshMemberId();
    this.#effects.clients.set(id, { memberId: id, slot: session, identity, role, connection });
    this.#apply(session, { type: "cancel", id, identity, back }, id);
  }

  /** A process that says `back` has lost the link that is still there: nobody has to be asked [P-1.5]. */
  #replaceOwn(hello: Hello, identity: string): void {
    const state = this.#slots.get(hello.session);
    const member = state === undefined ? undefined : memberGoingOn(state, { ...hello, identity });
    const other = member === undefined ? undefined : this.#effects.clients.get(member.id);
    if (other !== undefined) this.#replace(other, "superseded", "it connected again");
  }

  /** False when all that this client came for was to hear how its copy ended. */
  async #tellEnd(connection: ControlConnection, hello: Hello, { identity, messages }: Returning): Promise<boolean> {
    const { back, role, stay } = hello;
    const past = back && this.#options.history.past({ id: back.sessionId, epoch: back.epoch }, role, identity);
    if (past === undefined || this.#effects.clients.has(past.member.id)) return true;
    const told = await tellEnd({ connection, messages, hello, past }, this.#options);
    if (told && role === "sink" && stay === true) return true;
    connection.close(1000, { code: "ended", reason: "its part is over" });
    return false;
  }

  /** False when another process with the same identity is connected and alive: the newcomer was refused [P-1.4]. */
  async #replaceDead(connection: ControlConnection, hello: Hello, identity: string): Promise<boolean> {
    for (;;) {
      const other = this.#sameIdentity(hello, identity);
      if (other === undefined) return true;
      connection.hold("session-busy", askedReason(hello));
      if (await other.connection.answers(ANSWER_WITHIN_MS)) {
        const mayGo = hello.role === "source";
        if (mayGo && (await other.connection.goes(LET_GO_WITHIN_MS, connection.gone))) continue;
        connection.refuse(...aliveRefusal(hello, other));
        return false;
      }
      this.#replace(other, "superseded", "it was started again");
    }
  }

  #replace(other: Client, code: string, reason: string): void {
    other.connection.refuse(
      code,
      `cannot go on in session "${other.slot}": the same ${other.role} has connected again: ${reason}`,
    );
    this.#gone(other, { code: lostCode(other.role), reason, left: false });
  }

  /** A directory may be the source of several sessions at once; a sink's folder belongs to one process. */
  #sameIdentity(hello: Hello, identity: string): Client | undefined {
    for (const client of this.#effects.clients.values()) {
      const sameSlot = hello.role === "sink" || client.slot === hello.session;
      if (client.role === hello.role && client.identity === identity && sameSlot) return client;
    }
    return undefined;
  }

  #join(connection: ControlConnection, hello: Hello, identity: string): Client | undefined {
    if (this.#closed !== undefined || connection.gone.aborted) return undefined;
    const { session: name, role } = hello;
    const { clients } = this.#effects;
    if (!this.#slots.has(name) && this.#slots.size >= SESSIONS_MAX) {
      const reason = `cannot open session "${name}": ${SESSIONS_MAX} are open already, and a coordinator can have no more; wait for the end of one`;
      connection.refuse("refused", reason);
      return undefined;
    }
    const slot = this.#slots.get(name) ?? emptySlot(name);
    const newcomer = newcomerOf(hello, { slot, identity, freshId: () => this.#freshMemberId() });
    const memberId = newcomer.id;
    // Once more: while this one waited for an answer, another may have come in.
    if (clients.has(memberId)) {
      connection.refuse("session-busy", `cannot join session "${name}": the same ${role} connected at the same time`);
      return undefined;
    }
    const client = { memberId, slot: name, identity, role, connection };
    clients.set(memberId, client);
    this.#apply(name, { type: "join", newcomer }, memberId);
    return clients.has(memberId) ? client : undefined;
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
      case "ready":
        this.#apply(slot, { type: "ready", memberId });
        break;
      case "need":
        this.#apply(slot, { type: "need", memberId, needed: message.destCount });
        break;
      case "finished":
        this.#apply(slot, { type: "finished", memberId, summary: message.summary });
        break;
      case "leave":
        this.#gone(client, { code: message.code, reason: message.reason, left: true });
        break;
      default: {
        const running = this.#slots.get(slot)?.running;
        if (running?.source.id === memberId) this.#options.views.progress(running.id, message.progress);
      }
    }
  }

  /** Whether this connection still speaks for its member: a later one may have taken its place. */
  #isServed(client: Client): boolean {
    return this.#effects.clients.get(client.memberId) === client;
  }

  #gone(client: Client, why: Departure & { readonly left: boolean }): void {
    if (this.#isServed(client)) this.#apply(client.slot, { type: "gone", memberId: client.memberId, ...why });
  }

  #apply(name: string, event: Unnumbered<SlotEvent>, newcomerId = ""): void {
    const before = this.#slots.get(name) ?? emptySlot(name);
    const freshSessionId = this.#options.random.id(SESSION_ID_CHARS);
    const { state, effects } = step(before, { ...event, freshSessionId });
    if (isVacant(state)) this.#slots.delete(name);
    else this.#slots.set(name, state);
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

interface Returning {
  readonly identity: string;
  readonly messages: Messages;
}

import type { FanfoldError } from "../../lib/errors.ts";
import { SESSIONS_MAX } from "../../protocol/limits.ts";
import type { ClientMessage, Hello } from "../../protocol/messages/control.ts";
import type { Entrance } from "../access/entrance.ts";
import type { ControlConnection } from "../port/control-connection.ts";
import type { Client, Effects, EffectsOptions } from "./effects.ts";
import { aliveRefusal, askedReason, LET_GO_WITHIN_MS, lostCode } from "./same-identity.ts";
import { versionRefusal } from "./session-machine.ts";
import { type Departure, memberGoingOn, type SessionSlot } from "./session-slot.ts";
import { tellEnd } from "./tell-end.ts";

/** A source may be in every session, and come back to each before its old connection is found dead. */
const CONNECTIONS_PER_MEMBER_MAX = 2 * SESSIONS_MAX;
/** A connection of the same identity that does not answer within this time is that of a killed process. */
const ANSWER_WITHIN_MS = 2000;

export interface AdmissionOptions extends Pick<EffectsOptions, "history" | "offer" | "revoke" | "over"> {
  readonly entrance: Pick<Entrance, "letsIn">;
  /** Resolves once the broker can serve members. */
  readonly ready: (signal: AbortSignal, tell: (trouble: FanfoldError) => void) => Promise<void>;
}

/** Who is here already, and what a newcomer may do to them. */
interface AdmissionGround {
  readonly slots: ReadonlyMap<string, SessionSlot>;
  readonly effects: Pick<Effects, "clients">;
  /** With the identity of whoever was let in. */
  readonly connections: Map<ControlConnection, string>;
  gone(client: Client, why: Departure & { readonly left: boolean }): void;
  /** Ends the session of a source for all. */
  cancel(connection: ControlConnection, hello: Hello): void;
  /** Resolves when it has gone. */
  standBy(connection: ControlConnection, session: string, messages: Messages): Promise<void>;
  join(connection: ControlConnection, hello: Hello): Client | undefined;
}

export type Messages = AsyncIterator<ClientMessage>;

interface Greeting {
  readonly first: ClientMessage;
  /** What the client signed. */
  readonly nonce: string;
  readonly messages: Messages;
}

/** From the first message of a connection to the door of its session: who is let in, and who has to go for it. */
export class MemberAdmission {
  readonly #options: AdmissionOptions;
  readonly #ground: AdmissionGround;

  constructor(options: AdmissionOptions, ground: AdmissionGround) {
    this.#options = options;
    this.#ground = ground;
  }

  /** Undefined when the client was refused, or has what it came for. */
  async admit(connection: ControlConnection, { first: hello, nonce, messages }: Greeting): Promise<Client | undefined> {
    if (hello.type !== "hello") {
      connection.refuse("damaged", `cannot begin with "${hello.type}": the first message is "hello"`);
      return undefined;
    }
    const otherVersion = versionRefusal(hello.version);
    if (otherVersion !== undefined) {
      connection.refuse("protocol-version", otherVersion);
      return undefined;
    }
    const identity = hello.key;
    if (!(await this.#options.entrance.letsIn(connection, hello, nonce))) return undefined;
    if (this.#connectionsOf(identity) >= CONNECTIONS_PER_MEMBER_MAX) {
      const found = `it has ${CONNECTIONS_PER_MEMBER_MAX} connections, and one member can have no more`;
      connection.refuse("too-many", `cannot let this ${hello.role} in once more: ${found}; end those of its processes`);
      return undefined;
    }
    this.#ground.connections.set(connection, identity);
    try {
      await this.#options.ready(connection.gone, ({ code, message }) => connection.hold(code, message));
    } catch {
      return undefined; // It went away before the broker was reached.
    }
    if (hello.role === "source" && (await this.#servesApart(connection, hello, messages))) return undefined;
    const isBack = hello.back !== undefined;
    if (isBack) {
      this.#replaceOwn(hello);
      if (!(await this.#tellEnd(connection, hello, messages))) return undefined;
    }
    // A source whose copy is over is turned away by the session, not by whoever has its place now.
    const asksNobody = isBack && hello.role === "source";
    // Asked again after each wait: in the meantime the same identity may have come in by another connection.
    for (let other = this.#sameIdentity(hello); !asksNobody && other !== undefined; other = this.#sameIdentity(hello))
      if (!(await this.#makesWay(other, connection, hello))) return undefined;
    return this.#ground.join(connection, hello);
  }

  /** Whether a source came for something else than to take part; it has that then. */
  async #servesApart(connection: ControlConnection, hello: Hello, messages: Messages): Promise<boolean> {
    const { cancel, standBy } = this.#ground;
    if (hello.cancel === true) cancel(connection, hello);
    else if (hello.standby === true) await standBy(connection, hello.session, messages);
    return hello.cancel === true || hello.standby === true;
  }

  #connectionsOf(identity: string): number {
    return [...this.#ground.connections.values()].filter((whose) => whose === identity).length;
  }

  /** A process that says `back` has lost the link that is still there: nobody has to be asked [P-1.5]. */
  #replaceOwn(hello: Hello): void {
    const { slots, effects } = this.#ground;
    const state = slots.get(hello.session);
    const member = state === undefined ? undefined : memberGoingOn(state, { ...hello, identity: hello.key });
    const other = member === undefined ? undefined : effects.clients.get(member.id);
    if (other !== undefined) this.#replace(other, "superseded", "it connected again");
  }

  /** False when all that this client came for was to hear how its copy ended. */
  async #tellEnd(connection: ControlConnection, hello: Hello, messages: Messages): Promise<boolean> {
    const { back, role, stay, key: identity } = hello;
    const past = back && this.#options.history.past({ id: back.sessionId, epoch: back.epoch }, role, identity);
    if (past === undefined || this.#ground.effects.clients.has(past.member.id)) return true;
    const told = await tellEnd({ connection, messages, hello, identity, past }, this.#options);
    if (told && role === "sink" && stay === true) return true;
    connection.close(1000, { code: "ended", reason: "its part is over" });
    return false;
  }

  /** False when it is alive, and the newcomer with the same identity was refused [P-1.4]. */
  async #makesWay(other: Client, connection: ControlConnection, hello: Hello): Promise<boolean> {
    connection.hold("session-busy", askedReason(hello));
    if (await other.connection.answers(ANSWER_WITHIN_MS)) {
      const mayGo = hello.role === "source";
      if (mayGo && (await other.connection.goes(LET_GO_WITHIN_MS, connection.gone))) return true;
      connection.refuse(...aliveRefusal(hello, other));
      return false;
    }
    this.#replace(other, "superseded", "it was started again");
    return true;
  }

  #replace(other: Client, code: string, reason: string): void {
    other.connection.refuse(
      code,
      `cannot go on in session "${other.slot}": the same ${other.role} has connected again: ${reason}`,
    );
    this.#ground.gone(other, { code: lostCode(other.role), reason, left: false });
  }

  /** A directory may be the source of several sessions at once; a sink's folder belongs to one process. */
  #sameIdentity(hello: Hello): Client | undefined {
    for (const client of this.#ground.effects.clients.values()) {
      const sameSlot = hello.role === "sink" || client.slot === hello.session;
      if (client.role === hello.role && client.identity === hello.key && sameSlot) return client;
    }
    return undefined;
  }
}

import { createHash } from "node:crypto";
import type { Random } from "../lib/random.ts";
import type { ClientMessage, Hello, Role } from "../protocol/control.ts";
import { MEMBER_ID_CHARS, SESSION_ID_CHARS, SESSIONS_MAX } from "../protocol/limits.ts";
import type { ControlConnection, Departure } from "./control-connection.ts";
import { type Client, Effects, type EffectsOptions } from "./effects.ts";
import { emptySeries, isVacant, type SeriesEvent, type SeriesState } from "./series.ts";
import { step, versionRefusal } from "./session.ts";

const HELLO_WITHIN_MS = 10_000;
/** A connection of the same identity that does not answer within this time is that of a killed process. */
const ANSWER_WITHIN_MS = 2000;

export interface RegistryOptions extends EffectsOptions {
  readonly random: Random;
  /** Resolves once the broker can serve members. */
  readonly ready: (signal: AbortSignal) => Promise<void>;
}

type Unnumbered<T> = T extends unknown ? Omit<T, "freshSessionId"> : never;

/** All sessions by name, and what their members say: the shell around the state machine of session.ts. */
export class Registry {
  readonly #options: RegistryOptions;
  readonly #effects: Effects;
  readonly #series = new Map<string, SeriesState>();
  readonly #connections = new Set<ControlConnection>();
  #closed: Departure | undefined;

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#effects = new Effects(options);
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
      const client = await this.#admit(connection, first.value);
      if (client !== undefined) await this.#converse(client, messages);
    }
    await deadline;
  }

  /** Tells everyone that it is over, and takes nobody any more; resolves when their connections are closed. */
  async close(departure: Departure): Promise<void> {
    if (this.#closed !== undefined) return;
    this.#closed = departure;
    for (const { connection } of this.#effects.clients.values()) connection.send({ type: "ended", ...departure });
    this.#effects.clients.clear();
    this.#series.clear();
    this.#options.history.interrupted();
    const connections = [...this.#connections];
    for (const connection of connections) connection.close(1001, departure);
    await Promise.all(connections.map((connection) => connection.closed));
  }

  async #admit(connection: ControlConnection, hello: ClientMessage): Promise<Client | undefined> {
    if (hello.type !== "hello") {
      connection.refuse("damaged", `Wait for "hello": found "${hello.type}" as the first message`);
      return undefined;
    }
    const otherVersion = versionRefusal(hello.version);
    if (otherVersion !== undefined) {
      connection.refuse("protocol-version", otherVersion);
      return undefined;
    }
    const identity = createHash("sha256").update(hello.secret).digest("hex");
    try {
      await this.#options.ready(connection.gone);
    } catch {
      return undefined; // It went away before the broker was reached.
    }
    if (!(await this.#replaceDead(connection, hello, identity))) return undefined;
    return this.#join(connection, hello, identity);
  }

  /** False when another process with the same identity is connected and alive: the newcomer was refused [P-1.4]. */
  async #replaceDead(connection: ControlConnection, hello: Hello, identity: string): Promise<boolean> {
    for (;;) {
      const other = this.#sameIdentity(hello, identity);
      if (other === undefined) return true;
      if (await other.connection.answers(ANSWER_WITHIN_MS)) {
        connection.refuse(...aliveRefusal(hello, other));
        return false;
      }
      const reason = `Stay in session "${other.series}": the same ${hello.role} connected again`;
      other.connection.refuse("name-taken", reason);
      this.#gone(other.memberId, { code: lostCode(hello.role), reason: "it was started again" });
    }
  }

  /** A directory may be the source of several sessions at once; a sink's folder belongs to one process. */
  #sameIdentity(hello: Hello, identity: string): Client | undefined {
    for (const client of this.#effects.clients.values()) {
      const sameSeries = hello.role === "sink" || client.series === hello.session;
      if (client.role === hello.role && client.identity === identity && sameSeries) return client;
    }
    return undefined;
  }

  #join(connection: ControlConnection, hello: Hello, identity: string): Client | undefined {
    if (this.#closed !== undefined || connection.gone.aborted) return undefined;
    const { session: name, label, labelAsked, role } = hello;
    const { clients } = this.#effects;
    if (!this.#series.has(name) && this.#series.size >= SESSIONS_MAX) {
      const reason = `Open session "${name}": ${SESSIONS_MAX} are open, which is the most this coordinator takes; wait for the end of one`;
      connection.refuse("refused", reason);
      return undefined;
    }
    const memberId = this.#freshMemberId();
    const client = { memberId, series: name, identity, role, connection };
    clients.set(memberId, client);
    const stay = hello.stay === true;
    const needed = hello.destCount ?? 1;
    const newcomer = { id: memberId, label, labelAsked, role, identity, stay, needed };
    this.#apply(name, { type: "join", newcomer }, memberId);
    return clients.has(memberId) ? client : undefined;
  }

  async #converse(client: Client, messages: AsyncIterator<ClientMessage>): Promise<void> {
    const { memberId, connection, role } = client;
    for (let next = await messages.next(); next.done !== true; next = await messages.next()) {
      if (!this.#effects.clients.has(memberId)) return;
      this.#hear(client, next.value);
    }
    const { code, reason } = connection.departure;
    this.#gone(memberId, { code: code === "connection" ? lostCode(role) : code, reason });
  }

  #hear({ memberId, series, connection }: Client, message: ClientMessage): void {
    switch (message.type) {
      case "hello":
        connection.refuse("damaged", 'Read a control message: found a second "hello"');
        break;
      case "ready":
        this.#apply(series, { type: "ready", memberId });
        break;
      case "finished":
        this.#apply(series, { type: "finished", memberId, summary: message.summary });
        break;
      case "leave":
        this.#gone(memberId, { code: message.code, reason: message.reason });
        break;
      default: {
        const running = this.#series.get(series)?.running;
        if (running?.source.id === memberId) this.#options.views.progress(running.id, message.progress);
      }
    }
  }

  #gone(memberId: string, departure: Departure): void {
    const client = this.#effects.clients.get(memberId);
    if (client !== undefined) this.#apply(client.series, { type: "gone", memberId, ...departure });
  }

  #apply(name: string, event: Unnumbered<SeriesEvent>, newcomerId = ""): void {
    const before = this.#series.get(name) ?? emptySeries(name);
    const freshSessionId = this.#options.random.id(SESSION_ID_CHARS);
    const { state, effects } = step(before, { ...event, freshSessionId });
    if (isVacant(state)) this.#series.delete(name);
    else this.#series.set(name, state);
    for (const effect of effects) this.#effects.carryOut(state, effect, newcomerId);
    this.#options.views.waiting(state);
    for (const effect of effects) {
      if (effect.type === "violation") this.#gone(effect.memberId, { code: "damaged", reason: effect.reason });
    }
  }

  #freshMemberId(): string {
    for (;;) {
      const id = this.#options.random.id(MEMBER_ID_CHARS);
      if (!this.#effects.clients.has(id)) return id;
    }
  }
}

function aliveRefusal(hello: Hello, other: Client): [code: string, reason: string] {
  const where = `session "${other.series}", from ${other.connection.address}`;
  if (hello.role === "source") {
    const reason = `Join session "${hello.session}" as its source: the same source is connected already (${where}); wait for its end, or choose another name with --session`;
    return ["session-busy", reason];
  }
  const reason = `Join session "${hello.session}": the same sink is connected already (${where}); if its folder was copied from that one's, remove .fanfold from the copy`;
  return ["refused", reason];
}

/** The code of a member whose connection broke. */
function lostCode(role: Role): string {
  return role === "source" ? "source-lost" : "sink-lost";
}

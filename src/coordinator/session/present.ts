import type { Clock } from "../../lib/clock.ts";
import type { Hello, Space } from "../../protocol/messages/control.ts";
import type { History } from "../history/history.ts";
import type { SinkFacts } from "../views/session-view.ts";
import type { SessionViews } from "../views/session-views.ts";
import type { Client } from "./effects.ts";
import type { SessionSlot } from "./session-slot.ts";

/** What a sink says is written down this often at most: it is for people. */
const KEEP_EVERY_MS = 5000;

interface PresentOptions {
  readonly history: History;
  readonly views: SessionViews;
  readonly clock: Clock;
}

/** Who is connected, and what sinks say of their machines. */
export class Present {
  readonly #clients: ReadonlyMap<string, Client>;
  readonly #options: PresentOptions;
  readonly #keptAtMs = new WeakMap<Client, number>();
  /** Who has said something that is not written down yet, and when. */
  readonly #unkept = new Map<Client, Date>();

  constructor(clients: ReadonlyMap<string, Client>, options: PresentOptions) {
    this.#clients = clients;
    this.#options = options;
  }

  factsOf(memberId: string): SinkFacts {
    return this.#clients.get(memberId)?.facts ?? {};
  }

  /** The keys of the sinks that are connected. */
  sinks(): ReadonlySet<string> {
    return new Set([...this.#clients.values()].filter(({ role }) => role === "sink").map(({ identity }) => identity));
  }

  /** A member came in, and is called so in its session. */
  came(client: Client, name: string): void {
    if (client.role === "sink") this.#keep(client, name);
  }

  /** A member went: what it said last is what is known of it. */
  gone(client: Client): void {
    if (this.#unkept.has(client)) this.#keep(client);
  }

  /** For who asks what is known of all. */
  keepAll(): void {
    for (const client of this.#unkept.keys()) this.#keep(client);
  }

  /** A sink says how much space it has. From a source it is ignored. */
  said(client: Client, free: Space, slot: SessionSlot | undefined): void {
    if (client.role !== "sink") return;
    client.facts = { ...client.facts, ...free };
    const { views, clock } = this.#options;
    this.#unkept.set(client, clock.date());
    const nowMs = clock.nowMs();
    if (nowMs - (this.#keptAtMs.get(client) ?? 0) >= KEEP_EVERY_MS) this.#keep(client);
    if (slot === undefined) return;
    views.show(slot);
    if (slot.running !== undefined) views.said(slot.running.id, client.memberId);
  }

  #keep(client: Client, name?: string): void {
    const { history, clock } = this.#options;
    const at = this.#unkept.get(client) ?? clock.date();
    this.#unkept.delete(client);
    this.#keptAtMs.set(client, clock.nowMs());
    history.sinkSaid({ key: client.identity, name, ...client.facts }, at);
  }
}

/** What a `hello` says of the machine. */
export function factsIn({ role, software, free }: Hello): SinkFacts {
  if (role !== "sink") return {};
  return { ...(software === undefined ? {} : { software }), ...free };
}

import type { Channel, ChannelModel } from "amqplib";
import { abortable } from "../../lib/async/abort.ts";
import type { Clock } from "../../lib/clock.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { subjectsOf, toSubject, upSubject } from "../../protocol/subjects.ts";
import { exchangeError, isRefusal } from "./amqp-errors.ts";
import { declareExchange, exchangesOf, sinkExchange } from "./exchange.ts";

/** What is left behind by a coordinator that never comes back goes after this time. */
const ANCHOR_EXPIRES_MS = 12 * 60 * 60 * 1000;
/** The anchors are used so often that they never expire while a coordinator is there. */
const REFRESH_MS = 60 * 60 * 1000;
/** Never the key of a message, because every subject has the exchange's name in front. */
const ANCHOR_KEY = "anchor";
const CLOSE_WITHIN_MS = 1000;
/** Names that are to be deleted when the broker is there again. Beyond, the oldest go with their anchor. */
const DOOMED_MAX = 4096;

interface SessionExchangesOptions {
  readonly clock: Clock;
  /** The broker refuses what this has to do. */
  readonly failed: (error: FanfoldError) => void;
}

type BrokerDeletion = { readonly exchange: string } | { readonly queue: string };

/**
 * Makes and deletes the exchanges of all sessions, which nobody else may [P-2.5]:
 *
 *   source → session's exchange → exchange of each sink → queues of this sink
 *   sink → its own exchange → exchange "up" → queues of source and coordinator
 *
 * So a sink reaches nothing but its own exchange. It is cut for good when that one is deleted, whatever it consumes
 * from, and however long its credentials are good. The broker deletes exchanges with their last binding. So an *anchor*
 * keeps them: an empty queue that expires when no coordinator has asked for it for long.
 */
export class SessionExchanges {
  readonly #options: SessionExchangesOptions;
  readonly #sinksOf = new Map<string, Set<string>>();
  readonly #sessionOf = new Map<string, string>();
  readonly #doomed = new Map<string, BrokerDeletion>();
  readonly #refreshing: Disposable;
  #model: ChannelModel | undefined;
  #working: Promise<void> = Promise.resolve();

  constructor(options: SessionExchangesOptions) {
    this.#options = options;
    this.#refreshing = options.clock.every(REFRESH_MS, () => this.#refresh());
  }

  /** Takes a new connection into use: everything is there when it resolves. */
  async setUp(model: ChannelModel): Promise<void> {
    this.#model = model;
    await this.#inTurn(async (channel) => {
      for (const [sessionId, sinkIds] of this.#sinksOf) {
        await declareSession(channel, sessionId);
        for (const sinkId of sinkIds) await declareSink(channel, sessionId, sinkId);
      }
    });
    await this.#deleteDoomed();
  }

  /** Somebody comes into a session, which may be the first. */
  admit(sessionId: string): void {
    if (this.#sinksOf.has(sessionId)) return;
    this.#sinksOf.set(sessionId, new Set());
    this.#later((channel) => declareSession(channel, sessionId));
  }

  /** Lets a sink into a session, and into no other. */
  admitSink(sessionId: string, sinkId: string): void {
    this.admit(sessionId);
    if (this.#sessionOf.get(sinkId) !== sessionId) this.remove(sinkId);
    this.#sessionOf.set(sinkId, sessionId);
    this.#sinksOf.get(sessionId)?.add(sinkId);
    this.#doomed.delete(sinkExchange(sessionId, sinkId));
    this.#later((channel) => declareSink(channel, sessionId, sinkId));
  }

  /** Cuts a sink: nothing comes to it any more, and what it says goes nowhere. */
  remove(sinkId: string): void {
    const sessionId = this.#sessionOf.get(sinkId);
    if (sessionId !== undefined) this.removeFrom(sessionId, sinkId);
  }

  /** The same, also of a sink that was let in by the coordinator before this one. */
  removeFrom(sessionId: string, sinkId: string): void {
    this.#forget(sessionId, sinkId);
    this.#doom([{ exchange: sinkExchange(sessionId, sinkId) }]);
  }

  /** A session is over. */
  end(sessionId: string): void {
    const sinkIds = [...(this.#sinksOf.get(sessionId) ?? [])];
    for (const sinkId of sinkIds) this.#forget(sessionId, sinkId);
    this.#sinksOf.delete(sessionId);
    const { session, up } = exchangesOf(sessionId);
    const ofSinks = sinkIds.map((sinkId) => ({ exchange: sinkExchange(sessionId, sinkId) }));
    // The anchor first: what is left when this process ends here goes with the members.
    this.#doom([{ queue: session }, ...ofSinks, { exchange: session }, { exchange: up }]);
  }

  /** Resolves when what was asked for is done, or cannot be. */
  async settled(): Promise<void> {
    await this.#working;
  }

  /** Waits a moment for what was asked for; a broker that does not answer is not waited for. Before the connection is closed. */
  async close(): Promise<void> {
    this.#refreshing[Symbol.dispose]();
    await abortable(this.#working, AbortSignal.timeout(CLOSE_WITHIN_MS)).catch(() => undefined);
  }

  #forget(sessionId: string, sinkId: string): void {
    this.#sinksOf.get(sessionId)?.delete(sinkId);
    if (this.#sessionOf.get(sinkId) === sessionId) this.#sessionOf.delete(sinkId);
  }

  #refresh(): void {
    for (const sessionId of this.#sinksOf.keys()) this.#later((channel) => declareSession(channel, sessionId));
  }

  #doom(deletions: readonly BrokerDeletion[]): void {
    for (const deletion of deletions) this.#doomed.set(nameOf(deletion), deletion);
    for (const name of this.#doomed.keys()) {
      if (this.#doomed.size <= DOOMED_MAX) break;
      this.#doomed.delete(name);
    }
    this.#deleteDoomed().catch((thrown: unknown) => this.#tell(thrown));
  }

  async #deleteDoomed(): Promise<void> {
    await this.#inTurn(async (channel) => {
      for (const [name, deletion] of this.#doomed) {
        if ("queue" in deletion) await channel.deleteQueue(deletion.queue);
        else await channel.deleteExchange(deletion.exchange);
        if (this.#doomed.get(name) === deletion) this.#doomed.delete(name);
      }
    });
  }

  /** Without a connection, or when it breaks, `setUp` does it. */
  #later(work: (channel: Channel) => Promise<void>): void {
    this.#inTurn(work).catch((thrown: unknown) => this.#tell(thrown));
  }

  #tell(thrown: unknown): void {
    if (thrown instanceof FanfoldError) this.#options.failed(thrown);
  }

  #inTurn(work: (channel: Channel) => Promise<void>): Promise<void> {
    const done = this.#working.then(async () => {
      const model = this.#model;
      if (model === undefined) return;
      try {
        await onChannel(model, work);
      } catch (thrown) {
        throw isRefusal(thrown) ? exchangeError(thrown) : thrown;
      }
    });
    this.#working = done.catch(() => undefined);
    return done;
  }
}

/** On a channel of its own, because a refusal closes the channel. */
async function onChannel(model: ChannelModel, work: (channel: Channel) => Promise<void>): Promise<void> {
  const channel = await model.createChannel();
  channel.on("error", () => undefined);
  await work(channel);
  await channel.close();
}

async function declareSession(channel: Channel, sessionId: string): Promise<void> {
  const { session, up } = exchangesOf(sessionId);
  const args = { "x-max-length": 0, "x-expires": ANCHOR_EXPIRES_MS, "x-queue-type": "classic" };
  await channel.assertQueue(session, { durable: true, arguments: args });
  for (const exchange of [session, up]) {
    await declareExchange(channel, exchange);
    await channel.bindQueue(session, exchange, ANCHOR_KEY);
  }
}

async function declareSink(channel: Channel, sessionId: string, sinkId: string): Promise<void> {
  const { session, up } = exchangesOf(sessionId);
  const subjects = subjectsOf(sessionId);
  const own = sinkExchange(sessionId, sinkId);
  await declareExchange(channel, own);
  await channel.bindQueue(session, own, ANCHOR_KEY);
  for (const subject of [subjects.data, toSubject(subjects, sinkId)]) await channel.bindExchange(own, session, subject);
  await channel.bindExchange(up, own, upSubject(subjects, sinkId));
}

function nameOf(deletion: BrokerDeletion): string {
  return "queue" in deletion ? `queue ${deletion.queue}` : deletion.exchange;
}

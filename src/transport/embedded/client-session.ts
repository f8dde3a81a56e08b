import { abortable } from "../../lib/async/abort.ts";
import { Backoff } from "../../lib/async/backoff.ts";
import type { Clock } from "../../lib/clock.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { escapeText } from "../../lib/escape-name.ts";
import type { BufferPool } from "../../lib/memory/buffer-pool.ts";
import type { Random } from "../../lib/random.ts";
import type { StatusHub } from "../status-hub.ts";
import type { EmbeddedTarget } from "../target.ts";
import { ClientSubscription } from "./client-subscription.ts";
import { type Link, openLink } from "./link.ts";
import type { MessageHandler } from "./message-reader.ts";
import { PublishLine } from "./publish-line.ts";
import { type ControlFrame, encodeControl, SUBSCRIPTION_ID_MAX } from "./wire.ts";

interface ClientSessionOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly status: StatusHub;
  readonly buffers?: BufferPool | undefined;
}

const PING_EVERY_MS = 5000;
/** Pings without any sign of life before the link counts as dead: 15 s. */
const SILENT_PINGS_MAX = 3;
const RECONNECT_MIN_MS = 100;
const RECONNECT_MAX_MS = 5000;
/**
 * Refusals of the ticket in a row while coming back, half a minute or more. The control channel may be about to bring a
 * new one, and a coordinator that just started may not know this one yet.
 */
const DENIALS_MAX = 20;
/** Subjects remembered as forbidden, so that the next publish on one is refused at once. */
const REFUSALS_MAX = 64;
/** Pings of the timer; those of `flushLast` have other numbers. */
const LIVENESS_PING = 0;

/**
 * What a client holds across the links it has, one after another: its subscriptions, its publishers, and the loop that
 * connects again.
 *
 *   up -> (link lost) -> disconnected -> reconnecting, with back-off -> link -> subscriptions confirmed -> reconnected
 *   up or reconnecting -> ended, by close or because the relay denies the ticket again and again
 */
export class ClientSession {
  readonly status: StatusHub;
  readonly line = new PublishLine();
  readonly #target: EmbeddedTarget;
  readonly #options: ClientSessionOptions;
  readonly #subscriptions = new Map<number, ClientSubscription>();
  readonly #refusals = new Map<string, FanfoldError>();
  readonly #pongs = new Map<number, () => void>();
  readonly #ending = new AbortController();
  #up = Promise.withResolvers<void>();
  #link: Link | undefined;
  /** Whether somebody is about to bring up a link: the first `connect`, or the loop that reconnects. */
  #connecting = true;
  #draining = false;
  /** Something was refused on a link where everybody on the way could say so. */
  #wantsTls = false;
  #ended: FanfoldError | undefined;
  #liveness: Disposable | undefined;
  #lastId = 0;
  #lastPing = LIVENESS_PING;

  constructor(target: EmbeddedTarget, options: ClientSessionOptions) {
    this.#target = target;
    this.#options = options;
    this.status = options.status;
  }

  /** Opens the first link. */
  async connect(signal: AbortSignal): Promise<void> {
    this.#watchLiveness();
    try {
      const broken = await abortable(this.#establish(signal), signal);
      if (broken !== undefined) throw broken;
    } catch (thrown) {
      this.#end(FanfoldError.from(thrown));
      throw thrown;
    }
  }

  /** @throws FanfoldError `closed`, or why the session ended by itself */
  checkUsable(): void {
    if (this.#ended !== undefined) throw this.#ended;
    if (this.#draining) throw new FanfoldError("closed", "cannot use an embedded transport: it is being drained");
  }

  /** Why publishes on this subject are refused, if the relay said so before. */
  refusalOf(subject: string): FanfoldError | undefined {
    return this.#refusals.get(subject);
  }

  /** Begins a subscription; wait for its `active`. */
  subscribe(subject: string, queueBytes: number): ClientSubscription {
    const subscription = new ClientSubscription(subject, {
      id: this.#freeId(),
      queueBytes: Math.min(queueBytes, 0xffff_ffff),
      stop: ({ id }) => {
        this.#subscriptions.delete(id);
        this.#link?.write([encodeControl({ op: "unsub", id })]);
      },
    });
    this.#subscriptions.set(subscription.id, subscription);
    if (this.#link !== undefined) this.#request(this.#link, subscription);
    return subscription;
  }

  /** Ends delivery, and resolves when everything published has reached the relay and everything it sent is here. */
  async flushLast(signal: AbortSignal): Promise<void> {
    if (this.#ended !== undefined) return;
    this.#draining = true;
    for (;;) {
      await abortable(this.line.idle(), signal);
      await abortable(this.#up.promise, signal);
      const link = this.#link;
      if (link === undefined || this.#ended !== undefined) break;
      for (const id of this.#subscriptions.keys()) link.write([encodeControl({ op: "unsub", id })]);
      if (await abortable(this.#answered(link), signal)) break;
    }
    for (const subscription of this.#subscriptions.values()) subscription.finish();
  }

  async close(): Promise<void> {
    const link = this.#link;
    this.#end(new FanfoldError("closed", "cannot use an embedded transport: it was closed"));
    await link?.over;
  }

  #end(error: FanfoldError, reason?: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = error;
    this.#ending.abort(error);
    this.#liveness?.[Symbol.dispose]();
    this.line.end(error);
    for (const subscription of this.#subscriptions.values()) {
      subscription.refuse(error);
      subscription.queue.clear();
    }
    this.#link?.destroy(error);
    this.#up.resolve();
    this.status.close(reason);
  }

  /** Opens a link and has every subscription confirmed on it; returns the reason if the link breaks before that. */
  async #establish(signal: AbortSignal): Promise<FanfoldError | undefined> {
    const { kind, host, port, ticket, tls, isSealed = false } = this.#target;
    const target = { kind, host, port, ticket, tls, isSealed: isSealed && !this.#wantsTls };
    const link = await openLink(target, this.#handler(), { ...this.#options, signal });
    if (this.#ended !== undefined) link.destroy(this.#ended);
    this.#link = link;
    void link.over.then((reason) => this.#lost(link, reason));
    for (const subscription of this.#subscriptions.values()) this.#request(link, subscription);
    // The relay answers in order: with this answer it has answered to every subscription as well.
    if (!(await this.#answered(link))) return await link.over;
    this.#connecting = false;
    this.#refusals.clear();
    this.line.up(link);
    this.#up.resolve();
    return undefined;
  }

  async #reconnect(): Promise<void> {
    const { clock, random } = this.#options;
    const backoff = new Backoff({ minMs: RECONNECT_MIN_MS, maxMs: RECONNECT_MAX_MS, random });
    let denials = 0;
    while (this.#ended === undefined) {
      try {
        await clock.sleep(backoff.nextMs(), this.#ending.signal);
        this.status.emit({ type: "reconnecting", attempt: backoff.attempt });
        if ((await this.#establish(this.#ending.signal)) !== undefined) continue;
        this.status.emit({ type: "reconnected" });
        return;
      } catch (thrown) {
        const error = FanfoldError.from(thrown);
        denials = error.code === "broker-denied" ? denials + 1 : 0;
        if (denials >= DENIALS_MAX) this.#end(error, error.message);
      }
    }
  }

  #lost(link: Link, reason: FanfoldError): void {
    if (this.#link !== link) return;
    this.#link = undefined;
    if (this.#ended !== undefined) return;
    this.line.down();
    for (const subscription of this.#subscriptions.values()) subscription.suspend();
    if (this.#connecting) return;
    this.#connecting = true;
    this.#up = Promise.withResolvers();
    this.status.emit({ type: "disconnected", reason: reason.message });
    void this.#reconnect();
  }

  #handler(): MessageHandler {
    return {
      control: (frame) => this.#control(frame),
      place: ({ id, payloadBytes }) => {
        if (this.#subscriptions.get(id)?.queue.hasRoomFor(payloadBytes) !== true) return undefined;
        // An ArrayBuffer of its own can be transferred to a worker.
        return this.#options.buffers?.take(payloadBytes) ?? Buffer.allocUnsafeSlow(payloadBytes);
      },
      message: ({ id, subject }, payload) => this.#subscriptions.get(id)?.queue.push({ subject, payload }),
      skipped: ({ id, payloadBytes }) => this.#tellLost(id, { messages: 1, bytes: payloadBytes }),
    };
  }

  #control(frame: ControlFrame): void {
    if (frame.op === "subok") this.#subscriptions.get(frame.id)?.confirm();
    else if (frame.op === "lost") this.#tellLost(frame.id, frame);
    else if (frame.op === "pong") this.#pongs.get(frame.id)?.();
    else if (frame.op === "refused") this.#refused(frame);
  }

  #tellLost(id: number, { messages, bytes }: { messages: number; bytes: number }): void {
    const subscription = this.#subscriptions.get(id);
    if (subscription !== undefined) this.status.emit({ type: "lost", subject: subscription.subject, messages, bytes });
  }

  #refused({ id, subject, text }: Extract<ControlFrame, { op: "refused" }>): void {
    const why = escapeText(text);
    if (this.#link?.isExposed === true) {
      // What is really refused is refused again over TLS.
      this.#wantsTls = true;
      const found = `The relay refused something (${why}), or somebody on the way to it: the link goes on over TLS`;
      this.#link.destroy(new FanfoldError("broker-unreachable", found));
      return;
    }
    const error = new FanfoldError("broker-denied", `cannot use the relay: ${why}`);
    if (id !== 0) {
      this.#subscriptions.get(id)?.refuse(error);
      return;
    }
    const [oldest] = this.#refusals.keys();
    if (this.#refusals.size >= REFUSALS_MAX && oldest !== undefined) this.#refusals.delete(oldest);
    this.#refusals.set(subject, error);
    this.line.refuse(subject, error);
  }

  #request(link: Link, { id, subject, queueBytes }: ClientSubscription): void {
    link.write([encodeControl({ op: "sub", id, subject, queueBytes })]);
  }

  /** A round trip; false when the link ended before the answer. */
  async #answered(link: Link): Promise<boolean> {
    this.#lastPing = (this.#lastPing % 0xffff) + 1;
    const id = this.#lastPing;
    const answer = new Promise<boolean>((resolve) => {
      this.#pongs.set(id, () => resolve(true));
    });
    link.write([encodeControl({ op: "ping", id })]);
    try {
      return await Promise.race([answer, link.over.then(() => false)]);
    } finally {
      this.#pongs.delete(id);
    }
  }

  /** Counts pings, not time: a process that was stopped for a while must not blame the link for it. */
  #watchLiveness(): void {
    let [seen, silent] = [0, 0];
    this.#liveness = this.#options.clock.every(PING_EVERY_MS, () => {
      const link = this.#link;
      if (link === undefined) return;
      silent = link.activity === seen ? silent + 1 : 0;
      seen = link.activity;
      if (silent <= SILENT_PINGS_MAX) link.write([encodeControl({ op: "ping", id: LIVENESS_PING })]);
      else
        link.destroy(
          new FanfoldError("broker-lost", `The relay said nothing for ${(PING_EVERY_MS / 1000) * SILENT_PINGS_MAX} s`),
        );
    });
  }

  #freeId(): number {
    do this.#lastId = (this.#lastId % SUBSCRIPTION_ID_MAX) + 1;
    while (this.#subscriptions.has(this.#lastId));
    return this.#lastId;
  }
}

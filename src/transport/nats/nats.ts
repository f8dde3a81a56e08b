import { errors, type Status } from "@nats-io/transport-node";
import { abortable, throwIfAborted } from "../../lib/abort.ts";
import { systemClock } from "../../lib/clock.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { MESSAGE_OVERHEAD_BYTES } from "../message-queue.ts";
import { asOneBuffer, bytesOf, checkPayload, joined, partsOf } from "../payload.ts";
import { PublishGate } from "../publish-gate.ts";
import { QueuedSubscription } from "../queued-subscription.ts";
import { StatusHub } from "../status-hub.ts";
import type { ConnectOptions, TransportTarget } from "../target.ts";
import type {
  Payload,
  SubscribeOptions,
  Subscription,
  Transport,
  TransportCapabilities,
  TransportStatus,
  WaitOptions,
} from "../transport.ts";
import { permissionError, reasonOf } from "./nats-errors.ts";
import { type OpenNats, openNats } from "./open-nats.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/**
 * CPU seconds of server, publisher and three subscribers for 512 MiB: 512 KiB and 960 KiB 6.4 to 6.6, 256 KiB 7.0,
 * 32 KiB 7.0, 64 KiB and 128 KiB 7.5 to 9.5, 16 KiB 8.6. The smaller of the best loses less when it is lost.
 */
const PREFERRED_PAYLOAD_BYTES = 512 * KIB;
/** The server's `write_deadline` as it comes; the protocol does not tell what it was set to. */
const STALL_CUT_MS = 10_000;
/** Bytes written to the socket, or waiting for it, that the server has not answered a ping behind. */
const UNFLUSHED_BYTES_MAX = 4 * MIB;
const FLUSH_EVERY_BYTES = MIB;
/**
 * The server cuts a slow consumer without a word to it. What the client sees is an end of the connection right behind
 * deliveries, while the same server goes on; a network that fails in mid-transfer looks the same.
 */
const CUT_AFTER_DELIVERY_MS = 1000;
/** Subjects whose refusal is remembered, so that their next publish fails. */
const DENIED_SUBJECTS_MAX = 256;

/**
 * Core NATS. The library has no back-pressure of its own: a `PublishGate` counts what the server has not answered for.
 *
 * @throws FanfoldError `broker-unreachable`, `broker-denied` or `usage`
 */
export async function connectNats(
  target: Extract<TransportTarget, { kind: "nats" }>,
  options: ConnectOptions,
): Promise<Transport> {
  return new NatsTransport(await openNats(target.url, options));
}

class NatsTransport implements Transport {
  readonly capabilities: TransportCapabilities;
  readonly #nats: OpenNats;
  readonly #gate = new PublishGate({ limitBytes: UNFLUSHED_BYTES_MAX });
  readonly #status = new StatusHub();
  readonly #subscriptions = new Set<QueuedSubscription>();
  readonly #denied = new Map<string, FanfoldError>();
  #unflushedBytes = 0;
  #linkFault: string | undefined;
  #serverId: string | undefined;
  #lastDeliveryMs = Number.NEGATIVE_INFINITY;
  #wasCutSilently = false;
  #ending: "drain" | "close" | undefined;
  /** Aborts with the error that every later call gets. */
  readonly #end = new AbortController();

  constructor(nats: OpenNats) {
    this.#nats = nats;
    this.#serverId = nats.connection.info?.server_id;
    const payloadLimitBytes = nats.connection.info?.max_payload ?? MIB;
    this.capabilities = {
      kind: "nats",
      payloadLimitBytes,
      preferredPayloadBytes: Math.min(PREFERRED_PAYLOAD_BYTES, payloadLimitBytes),
      ordered: true,
      stallCutMs: STALL_CUT_MS,
    };
    void this.#follow(nats.connection.status());
    void nats.connection.closed().then((fault) => this.#ended(fault instanceof Error ? fault : undefined));
  }

  async publish(subject: string, payload: Payload, { signal }: WaitOptions): Promise<void> {
    this.#checkOpen("Publish");
    const parts = partsOf(payload);
    const bytes = bytesOf(parts);
    checkPayload(subject, bytes, this.capabilities.payloadLimitBytes);
    const linkBytes = bytes + MESSAGE_OVERHEAD_BYTES;
    await this.#gate.pass(linkBytes, signal, (generation) => {
      const denied = this.#denied.get(subject);
      if (denied !== undefined) {
        this.#gate.leave(linkBytes, generation);
        throw denied;
      }
      this.#nats.connection.publish(subject, asOneBuffer(parts, bytes));
      this.#meter(linkBytes, generation);
    });
  }

  async subscribe(subject: string, { signal, queueBytes }: SubscribeOptions): Promise<Subscription> {
    this.#checkOpen("Subscribe");
    throwIfAborted(signal);
    let denied: Error | undefined;
    const inner = this.#nats.connection.subscribe(subject, {
      callback: (fault, message) => {
        if (fault === null) {
          this.#lastDeliveryMs = systemClock.nowMs();
          subscription.deliver({ subject: message.subject, payload: ownBytes(message.data) });
        } else denied = fault;
      },
    });
    const subscription = new QueuedSubscription({
      subject,
      queueBytes,
      emit: (status) => this.#status.emit(status),
      stop: async (self) => {
        this.#subscriptions.delete(self);
        if (inner.isClosed()) return;
        if (this.#ending === "drain") await inner.drain();
        else inner.unsubscribe();
      },
    });
    this.#subscriptions.add(subscription);
    try {
      await this.#flushed(signal);
      if (denied !== undefined) throw permissionError("Subscribe to", subject, denied);
    } catch (fault) {
      await subscription.unsubscribe();
      throw fault;
    }
    return subscription;
  }

  status(): AsyncIterable<TransportStatus> {
    return this.#status.statuses();
  }

  async drain({ signal }: WaitOptions): Promise<void> {
    if (this.#ending !== undefined) return;
    this.#ending = "drain";
    try {
      await this.#gate.empty(signal);
      await abortable(Promise.all([...this.#subscriptions].map((one) => one.finish())), signal);
      await this.#flushed(signal);
    } finally {
      await this.close();
    }
  }

  async close(): Promise<void> {
    this.#ending = "close";
    for (const subscription of this.#subscriptions) subscription.abandon();
    await this.#nats.connection.close();
    this.#ended();
  }

  /** Asks the server for an answer behind every MiB, without waiting for it. */
  #meter(bytes: number, generation: number): void {
    this.#unflushedBytes += bytes;
    if (this.#unflushedBytes < FLUSH_EVERY_BYTES) return;
    const flushing = this.#unflushedBytes;
    this.#unflushedBytes = 0;
    this.#nats.connection.flush().then(
      () => this.#gate.leave(flushing, generation),
      // The link went down: its bytes are forgotten when the next one comes up.
      () => undefined,
    );
  }

  /** A round trip to the server, over as many links as it takes. */
  async #flushed(signal: AbortSignal): Promise<void> {
    const until = AbortSignal.any([signal, this.#end.signal]);
    for (;;) {
      const flushed = this.#nats.connection.flush().then(
        () => true,
        () => false,
      );
      if (await abortable(flushed, until)) return;
    }
  }

  async #follow(statuses: AsyncIterable<Status>): Promise<void> {
    for await (const status of statuses) {
      if (status.type === "disconnect") this.#disconnected();
      else if (status.type === "reconnecting")
        this.#status.emit({ type: "reconnecting", attempt: this.#nats.backoff.attempt });
      else if (status.type === "reconnect") await this.#reconnected();
      else if (status.type === "staleConnection") this.#linkFault = "the server did not answer";
      else if (status.type === "error") this.#faulted(status.error);
    }
  }

  #disconnected(): void {
    this.#gate.down();
    this.#wasCutSilently =
      this.#linkFault === undefined && systemClock.nowMs() - this.#lastDeliveryMs < CUT_AFTER_DELIVERY_MS;
    this.#status.emit({ type: "disconnected", reason: this.#linkFault ?? "the server closed the connection" });
    this.#linkFault = undefined;
  }

  /** The library has sent its subscriptions again: a round trip behind them they are active. */
  async #reconnected(): Promise<void> {
    try {
      await this.#nats.connection.flush();
    } catch {
      // This link went down as well; the next one comes here again.
      return;
    }
    const serverId = this.#nats.connection.info?.server_id;
    if (this.#wasCutSilently && serverId === this.#serverId) this.#status.emit({ type: "slow-consumer" });
    this.#serverId = serverId;
    this.#nats.backoff.reset();
    this.#unflushedBytes = 0;
    this.#denied.clear();
    this.#gate.up();
    this.#status.emit({ type: "reconnected" });
  }

  #faulted(fault: Error): void {
    if (fault instanceof errors.PermissionViolationError) {
      if (fault.operation !== "publish" || this.#denied.size >= DENIED_SUBJECTS_MAX) return;
      this.#denied.set(fault.subject, permissionError("Publish on", fault.subject, fault));
    } else {
      this.#linkFault = reasonOf(fault);
      if (/slow consumer/i.test(fault.message)) this.#status.emit({ type: "slow-consumer" });
    }
  }

  #ended(fault?: Error): void {
    if (this.#end.signal.aborted) return;
    const reason = fault === undefined ? undefined : reasonOf(fault);
    const error =
      reason === undefined
        ? closedError("Use the transport")
        : new FanfoldError("broker-denied", `Reconnect to NATS: ${reason}; the client gave up`, { cause: fault });
    this.#end.abort(error);
    this.#gate.close(error);
    for (const subscription of this.#subscriptions) subscription.abandon();
    this.#status.close(reason);
  }

  #checkOpen(action: string): void {
    if (this.#ending !== undefined) throw closedError(action);
    if (this.#end.signal.aborted) throw FanfoldError.from(this.#end.signal.reason);
  }
}

/** A message that came whole in one read of the socket shares its ArrayBuffer with others; a reader owns what it gets. */
function ownBytes(data: Uint8Array): Uint8Array {
  return Buffer.isBuffer(data) ? joined([data], data.byteLength) : data;
}

function closedError(action: string): FanfoldError {
  return new FanfoldError("closed", `${action}: this NATS transport was closed`);
}

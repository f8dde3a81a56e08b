import { errors, type Msg, type Status } from "@nats-io/transport-node";
import { abortable, throwIfAborted } from "../../lib/async/abort.ts";
import type { Clock } from "../../lib/clock.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { FRAME_BYTES_MAX, FRAME_BYTES_MIN } from "../../protocol/limits.ts";
import { bytesOf, checkPayload, joined, partsOf } from "../payload.ts";
import { QueuedSubscription } from "../queued-subscription.ts";
import { StatusHub } from "../status-hub.ts";
import type { ConnectOptions, NatsTarget } from "../target.ts";
import type {
  Payload,
  SubscribeOptions,
  Subscription,
  Transport,
  TransportCapabilities,
  TransportStatus,
  WaitOptions,
} from "../transport.ts";
import { LinkGuard } from "./link-guard.ts";
import { permissionError, reasonOf } from "./nats-errors.ts";
import { NatsPublisher } from "./nats-publisher.ts";
import { type OpenNats, openNats } from "./open-nats.ts";
import { PART_HEADER, PayloadParts } from "./payload-parts.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/**
 * CPU seconds of server, publisher and three subscribers for 512 MiB: 512 KiB and 960 KiB 6.4 to 6.6, 256 KiB 7.0,
 * 32 KiB 7.0, 64 KiB and 128 KiB 7.5 to 9.5, 16 KiB 8.6. The smaller of the best loses less when it is lost.
 */
const PREFERRED_PAYLOAD_BYTES = 512 * KIB;
/** The server's `write_deadline` as it comes; the protocol does not tell what it was set to. */
const STALL_CUT_MS = 10_000;
/**
 * The server cuts a slow consumer without a word to it. The client sees the connection end right after deliveries, while
 * the same server goes on. A network that fails during a transfer looks the same. In a cluster it cannot be told, because
 * another server is tried first.
 */
const CUT_AFTER_DELIVERY_MS = 1000;

/**
 * Core NATS: a publisher with a gate, queues with bounds, and a guard over the link.
 *
 * @throws FanfoldError as `openNats` does
 */
export async function connectNats(target: NatsTarget, options: ConnectOptions): Promise<Transport> {
  return new NatsTransport(await openNats(target, options), options.clock);
}

class NatsTransport implements Transport {
  readonly capabilities: TransportCapabilities;
  readonly #nats: OpenNats;
  readonly #clock: Clock;
  readonly #guard: LinkGuard;
  readonly #publisher: NatsPublisher;
  readonly #status = new StatusHub();
  readonly #subscriptions = new Set<QueuedSubscription>();
  #linkFault: string | undefined;
  /** The server of the moment, as `host:port`; and as it names itself. */
  #server: string;
  #serverId: string | undefined;
  #lastDeliveryMs = Number.NEGATIVE_INFINITY;
  #wasCutSilently = false;
  #ending: "drain" | "close" | undefined;
  /** Aborts with the error that every later call gets. */
  readonly #end = new AbortController();

  constructor(nats: OpenNats, clock: Clock) {
    const { connection } = nats;
    this.#nats = nats;
    this.#clock = clock;
    this.#server = connection.getServer();
    this.#serverId = connection.info?.server_id;
    const serverLimitBytes = connection.info?.max_payload ?? MIB;
    this.capabilities = {
      kind: "nats",
      // What is larger than the server of the moment takes goes in parts. One that takes too little is not begun with.
      payloadLimitBytes: serverLimitBytes < FRAME_BYTES_MIN ? serverLimitBytes : FRAME_BYTES_MAX,
      preferredPayloadBytes: Math.min(PREFERRED_PAYLOAD_BYTES, serverLimitBytes),
      ordered: true,
      stallCutMs: STALL_CUT_MS,
    };
    this.#guard = new LinkGuard({
      connection,
      clock,
      onDead: (silentMs) => {
        this.#linkFault = `the server ${this.#server} did not answer for ${Math.round(silentMs / 1000)} s`;
      },
    });
    this.#publisher = new NatsPublisher(connection, this.#guard);
    void this.#follow(connection.status());
    void connection.closed().then((fault) => this.#ended(fault instanceof Error ? fault : undefined));
  }

  async publish(subject: string, payload: Payload, { signal }: WaitOptions): Promise<void> {
    this.#checkOpen("Publish");
    const parts = partsOf(payload);
    const bytes = bytesOf(parts);
    checkPayload(subject, bytes, this.capabilities.payloadLimitBytes);
    await this.#publisher.publish(subject, { parts, bytes }, signal);
  }

  async subscribe(subject: string, { signal, queueBytes }: SubscribeOptions): Promise<Subscription> {
    this.#checkOpen("Subscribe");
    throwIfAborted(signal);
    let denied: Error | undefined;
    const parts = new PayloadParts();
    const inner = this.#nats.connection.subscribe(subject, {
      callback: (fault, message) => {
        if (fault === null) {
          this.#lastDeliveryMs = this.#clock.nowMs();
          this.#guard.heard();
          const payload = payloadOf(message, parts);
          if (payload !== undefined) subscription.deliver({ subject: message.subject, payload });
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
      if (denied !== undefined) throw permissionError("cannot subscribe to", subject, denied);
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
      await this.#publisher.gate.empty(signal);
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

  /** A round trip to the server, over as many links as it takes. */
  async #flushed(signal: AbortSignal): Promise<void> {
    const until = AbortSignal.any([signal, this.#end.signal]);
    for (;;) {
      const flushed = this.#guard.flush().then(
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
      else if (status.type === "ldm") this.#leave();
      else if (status.type === "error") this.#faulted(status.error);
    }
  }

  /** The server is about to stop (lame duck mode). It goes on for a while, so the link changes only where there is another one. */
  #leave(): void {
    if (this.#nats.connection.getServers().length < 2) return;
    this.#linkFault = `the server ${this.#server} is about to stop`;
    this.#guard
      .flush()
      .then(() => this.#guard.cut())
      .catch(() => undefined);
  }

  #disconnected(): void {
    this.#publisher.gate.down();
    this.#guard.down();
    this.#nats.tour.lost(this.#server);
    this.#wasCutSilently =
      this.#linkFault === undefined && this.#clock.nowMs() - this.#lastDeliveryMs < CUT_AFTER_DELIVERY_MS;
    const reason = this.#linkFault ?? `the server ${this.#server} closed the connection`;
    this.#status.emit({ type: "disconnected", reason });
    this.#linkFault = undefined;
  }

  /** The library has sent its subscriptions again: a round trip behind them they are active. */
  async #reconnected(): Promise<void> {
    this.#server = this.#nats.connection.getServer();
    this.#guard.up();
    try {
      await this.#guard.flush();
    } catch {
      // This link went down as well; the next one comes here again.
      return;
    }
    const serverId = this.#nats.connection.info?.server_id;
    if (this.#wasCutSilently && serverId === this.#serverId) this.#status.emit({ type: "slow-consumer" });
    this.#serverId = serverId;
    this.#nats.backoff.reset();
    this.#publisher.up();
    this.#status.emit({ type: "reconnected", server: this.#server });
  }

  #faulted(fault: Error): void {
    if (fault instanceof errors.PermissionViolationError) {
      if (fault.operation !== "publish") return;
      this.#publisher.deny(fault.subject, permissionError("cannot publish on", fault.subject, fault));
    } else if (fault instanceof errors.UserAuthenticationExpiredError) {
      this.#linkFault = `the credentials for the server ${this.#server} have expired; fresh ones follow`;
    } else {
      this.#linkFault = `the server ${this.#server} says: ${reasonOf(fault)}`;
      if (/slow consumer/i.test(fault.message)) this.#status.emit({ type: "slow-consumer" });
    }
  }

  #ended(fault?: Error): void {
    if (this.#end.signal.aborted) return;
    const reason = fault === undefined ? undefined : reasonOf(fault);
    const error =
      reason === undefined
        ? closedError("cannot use the transport")
        : new FanfoldError("broker-denied", `cannot reconnect to NATS: ${reason}; the client gave up`, {
            cause: fault,
          });
    this.#end.abort(error);
    this.#guard[Symbol.dispose]();
    this.#publisher.gate.close(error);
    for (const subscription of this.#subscriptions) subscription.abandon();
    this.#status.close(reason);
  }

  #checkOpen(action: string): void {
    if (this.#ending !== undefined) throw closedError(action);
    if (this.#end.signal.aborted) throw FanfoldError.from(this.#end.signal.reason);
  }
}

/** Undefined while parts of the payload are still to come. */
function payloadOf(message: Msg, parts: PayloadParts): Uint8Array | undefined {
  const place = message.headers?.get(PART_HEADER);
  const data = ownBytes(message.data);
  return place === undefined ? data : parts.take(message.subject, place, data);
}

/** A message that came whole in one read of the socket shares its ArrayBuffer with others. A reader owns what it gets. */
function ownBytes(data: Uint8Array): Uint8Array {
  return Buffer.isBuffer(data) ? joined([data], data.byteLength) : data;
}

function closedError(action: string): FanfoldError {
  return new FanfoldError("closed", `${action}: this NATS transport was closed`);
}

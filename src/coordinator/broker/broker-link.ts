import { abortable } from "../../lib/async/abort.ts";
import { Backoff } from "../../lib/async/backoff.ts";
import type { Clock } from "../../lib/clock.ts";
import { FanfoldError } from "../../lib/errors.ts";
import type { Random } from "../../lib/random.ts";
import type { CoordinatorEvent } from "../../protocol/messages/coordinator-events.ts";
import type { Transport, TransportMessage, TransportStatus } from "../../transport/transport.ts";

/** Waits between attempts to reach the broker, with full jitter. */
const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 10_000;
/** Reports of one session that may wait for the view. What is beyond is dropped, because newer ones follow. */
const REPORTS_WAITING_BYTES = 1024 * 1024;
/** Reasons of one outage that are remembered, so that none is told twice. */
const REASONS_KEPT_MAX = 16;

interface BrokerLinkOptions {
  readonly connect: (signal: AbortSignal) => Promise<Transport>;
  /** The broker's address without its password. */
  readonly shown: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly emit: (event: CoordinatorEvent) => void;
  /** A connection is there, the first one or a later one. */
  readonly connected?: () => void;
  /** Of an embedded relay nothing needs to be said: it is part of this process. */
  readonly quiet: boolean;
}

interface WatchedSubject {
  readonly subject: string;
  readonly receive: (message: TransportMessage) => void;
  readonly stopped: AbortController;
}

/** The coordinator's own connection to the broker: made at the start, and made again for as long as it takes. */
export class BrokerLink implements AsyncDisposable {
  readonly #options: BrokerLinkOptions;
  readonly #closing = new AbortController();
  readonly #watches = new Set<WatchedSubject>();
  readonly #reached = Promise.withResolvers<void>();
  /** Who waits for the broker, and is told why it is not there. */
  readonly #waiting = new Set<(trouble: FanfoldError) => void>();
  #trouble: FanfoldError | undefined;
  /** Why it is not connected now; undefined while it is. */
  #away: string | undefined = "it was not reached yet";
  /** What was said since it was connected last. */
  readonly #said = new Set<string>();
  #wasReached = false;
  #transport: Transport | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: BrokerLinkOptions) {
    this.#options = options;
  }

  /** Begins to connect, and goes on until `close`. */
  open(): void {
    this.#running = this.#run().catch((thrown: unknown) => {
      if (!this.#closing.signal.aborted) this.#say("unreachable", FanfoldError.from(thrown).message);
    });
  }

  /**
   * Resolves once the broker has been reached for the first time. Until then, `tell` is told whenever an attempt fails, and
   * of the last one that failed before.
   */
  async reached(signal: AbortSignal, tell: (trouble: FanfoldError) => void): Promise<void> {
    if (this.#wasReached) return;
    if (this.#trouble !== undefined) tell(this.#trouble);
    this.#waiting.add(tell);
    try {
      await abortable(this.#reached.promise, signal);
    } finally {
      this.#waiting.delete(tell);
    }
  }

  /** Why the broker cannot be used now; undefined while it can. */
  get trouble(): string | undefined {
    return this.#away === undefined ? undefined : `The broker at ${this.#options.shown} cannot be used: ${this.#away}`;
  }

  /** Hands over what arrives on a subject, across reconnections, until the disposable is disposed. */
  watch(subject: string, receive: (message: TransportMessage) => void): Disposable {
    const watch: WatchedSubject = { subject, receive, stopped: new AbortController() };
    this.#watches.add(watch);
    if (this.#transport !== undefined) this.#attach(this.#transport, watch);
    return {
      [Symbol.dispose]: () => {
        this.#watches.delete(watch);
        watch.stopped.abort();
      },
    };
  }

  async close(): Promise<void> {
    this.#closing.abort(new FanfoldError("closed", "The coordinator closes its connection to the broker"));
    for (const watch of this.#watches) watch.stopped.abort();
    this.#watches.clear();
    await this.#transport?.close();
    await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #run(): Promise<void> {
    const { clock, random } = this.#options;
    const { signal } = this.#closing;
    const backoff = new Backoff({ minMs: RETRY_MIN_MS, maxMs: RETRY_MAX_MS, random });
    while (!signal.aborted) {
      const transport = await this.#connect(signal);
      if (transport !== undefined) {
        backoff.reset();
        await this.#use(transport);
      }
      // At least the shortest wait, so that a broker that accepts and closes is not asked without pause.
      if (!signal.aborted) await clock.sleep(RETRY_MIN_MS + backoff.nextMs(), signal);
    }
  }

  async #connect(signal: AbortSignal): Promise<Transport | undefined> {
    this.#say("connecting");
    try {
      const transport = await this.#options.connect(signal);
      if (!signal.aborted) return transport;
      await transport.close();
    } catch (thrown) {
      if (!signal.aborted) this.#failed(FanfoldError.from(thrown));
    }
    return undefined;
  }

  #failed(trouble: FanfoldError): void {
    this.#say("unreachable", trouble.message);
    this.#trouble = trouble;
    for (const tell of this.#waiting) tell(trouble);
  }

  /** Returns when the transport has closed. */
  async #use(transport: Transport): Promise<void> {
    const statuses = transport.status();
    this.#transport = transport;
    this.#say("connected");
    this.#wasReached = true;
    this.#reached.resolve();
    for (const watch of this.#watches) this.#attach(transport, watch);
    for await (const status of statuses) this.#tell(status);
    this.#transport = undefined;
  }

  #attach(transport: Transport, watch: WatchedSubject): void {
    const { signal } = watch.stopped;
    const follow = async () => {
      const subscription = await transport.subscribe(watch.subject, { signal, queueBytes: REPORTS_WAITING_BYTES });
      if (signal.aborted) return await subscription.unsubscribe();
      signal.addEventListener("abort", () => void subscription.unsubscribe().catch(() => undefined), { once: true });
      for await (const message of subscription) watch.receive(message);
    };
    // Without reports the view is poorer, and nothing else: the copy does not depend on the coordinator.
    follow().catch((thrown: unknown) => {
      if (signal.aborted || this.#closing.signal.aborted) return;
      this.#options.emit({
        type: "warning",
        code: "reports-lost",
        message: `cannot follow the sinks' reports: ${FanfoldError.from(thrown).message}`,
      });
    });
  }

  #tell(status: TransportStatus): void {
    switch (status.type) {
      case "disconnected":
        this.#say("lost", status.reason);
        break;
      case "reconnected":
        this.#say("connected");
        if (status.server !== undefined) this.#detail(status.type, status.server);
        break;
      case "reconnecting":
        this.#detail(status.type, `attempt ${status.attempt}`);
        break;
      case "blocked":
        this.#detail(status.type, status.reason);
        break;
      case "lost":
        this.#detail(status.type, `${status.messages} reports; newer ones follow`);
        break;
      case "closed":
        if (!this.#closing.signal.aborted) this.#say("lost", status.reason ?? "the connection was closed");
        break;
      default:
        this.#detail(status.type);
    }
  }

  #detail(status: string, detail?: string): void {
    if (this.#options.quiet) return;
    this.#options.emit(detail === undefined ? { type: "transport", status } : { type: "transport", status, detail });
  }

  #say(status: "connecting" | "connected" | "unreachable" | "lost", reason?: string): void {
    if (status === "connected") {
      this.#away = undefined;
      this.#options.connected?.();
    }
    if (status === "unreachable" || status === "lost") this.#away = reason ?? "its connection broke";
    if (this.#options.quiet || !this.#isNews(status, reason)) return;
    const event = { type: "broker", status, broker: this.#options.shown } as const;
    this.#options.emit(reason === undefined ? event : { ...event, reason });
  }

  /** An attempt every few seconds is no news, nor is a reason that was told before in the same outage. */
  #isNews(status: string, reason = ""): boolean {
    if (status === "connected") {
      this.#said.clear();
      return true;
    }
    const news = `${status} ${reason}`;
    if (this.#said.has(news) || (status === "connecting" && this.#said.size > 0)) return false;
    if (this.#said.size === REASONS_KEPT_MAX) this.#said.clear();
    this.#said.add(news);
    return true;
  }
}

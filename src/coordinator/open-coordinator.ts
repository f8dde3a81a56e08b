import { FanfoldError } from "../lib/errors.ts";
import type { ShownToken } from "../protocol/access/operator-api.ts";
import type { CoordinatorEvent } from "../protocol/messages/coordinator-events.ts";
import type { SessionView } from "../protocol/messages/session-view.ts";
import type { BrokerPart } from "./broker/member-transport.ts";
import type { Store } from "./history/store.ts";
import type { CoordinatorServer } from "./port/server.ts";
import type { Running } from "./running.ts";
import type { TlsSetup } from "./tls/tls-setup.ts";
import type { EventLog } from "./views/event-log.ts";

/** A coordinator that listens. */
export interface Coordinator extends AsyncDisposable {
  /** The port that it listens on, also when it was told to take a free one. */
  readonly port: number;
  /** What to type at `--coordinator`, the most useful first. */
  readonly addresses: readonly string[];
  /** Made at this start, because nobody had any: with their secrets, so not for logs. */
  readonly firstTokens: readonly ShownToken[];
  /** Everything from the opening on for the first reader; from now on for later ones. */
  events(): AsyncIterable<CoordinatorEvent>;
  /** Every session that waits or runs, as it is now. */
  sessions(): readonly SessionView[];
  /** Reads the files of TLS again. What cannot be used leaves what was there, and is a warning. */
  reload(): void;
  /** Resolves when all is closed. */
  readonly closed: Promise<void>;
  /** Cuts every member off with the reason, and closes everything; sessions that run go on after a restart. Idempotent. */
  close(reason?: FanfoldError): Promise<void>;
}

interface OpenParts extends Running {
  readonly port: number;
  readonly addresses: readonly string[];
  readonly firstTokens: readonly ShownToken[];
  readonly signal: AbortSignal;
  readonly log: EventLog;
  readonly server: CoordinatorServer;
  readonly tls: TlsSetup;
  readonly broker: BrokerPart;
  readonly store: Store;
}

/** Closes what `openCoordinator` has put together, in the right order. */
export class OpenCoordinator implements Coordinator {
  readonly port: number;
  readonly addresses: readonly string[];
  readonly firstTokens: readonly ShownToken[];
  readonly closed: Promise<void>;
  readonly #parts: OpenParts;
  readonly #resolveClosed: () => void;
  readonly #abort: () => void;
  #closing = false;

  constructor(parts: OpenParts) {
    this.#parts = parts;
    this.port = parts.port;
    this.addresses = parts.addresses;
    this.firstTokens = parts.firstTokens;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#resolveClosed = resolve;
    this.#abort = () => void this.close(FanfoldError.from(parts.signal.reason)).catch(() => undefined);
    parts.signal.addEventListener("abort", this.#abort, { once: true });
  }

  events(): AsyncIterable<CoordinatorEvent> {
    return this.#parts.log.events();
  }

  sessions(): readonly SessionView[] {
    return this.#parts.views.snapshot();
  }

  reload(): void {
    const { tls, server, room, log } = this.#parts;
    try {
      const material = tls.reload();
      if (material === undefined) return;
      // First what may fail: tokens then name the key that is shown.
      room.shows(material.identity);
      server.show(material);
      log.emit({ type: "reloaded" });
    } catch (thrown) {
      const { code, message } = FanfoldError.from(thrown);
      log.emit({ type: "warning", code, message: `${message}; what was read before is used on` });
    }
  }

  async close(reason?: FanfoldError): Promise<void> {
    if (this.#closing) return await this.closed;
    this.#closing = true;
    const { signal, room, registry, views, history, notices, server, broker, store, log } = this.#parts;
    signal.removeEventListener("abort", this.#abort);
    try {
      await registry.close({
        code: "coordinator-lost",
        reason: `The coordinator stops: ${reason?.message ?? "it was closed"}`,
      });
      views[Symbol.dispose]();
      history[Symbol.dispose]();
      await notices[Symbol.asyncDispose]();
      await broker[Symbol.asyncDispose]();
      await server.close();
      room[Symbol.dispose]();
      store.close();
    } finally {
      log.end();
      this.#resolveClosed();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

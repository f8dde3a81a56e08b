import { type NatsConnection, NatsConnectionImpl } from "@nats-io/transport-node";
import type { Clock } from "../../lib/clock.ts";
import { LinkPulse, PULSE_LOOK_MS } from "./link-pulse.ts";

interface LinkGuardOptions {
  readonly connection: NatsConnection;
  readonly clock: Clock;
  /** The server hangs: called just before the link is cut. */
  readonly onDead: (silentMs: number) => void;
}

/** Gives up links whose server hangs, and asks quiet ones for an answer. The library reconnects. */
export class LinkGuard implements Disposable {
  readonly #options: LinkGuardOptions;
  readonly #pulse: LinkPulse;
  readonly #looking: Disposable;
  #isUp = true;

  constructor(options: LinkGuardOptions) {
    const { clock } = options;
    this.#options = options;
    this.#pulse = new LinkPulse(clock.nowMs());
    this.#looking = clock.every(PULSE_LOOK_MS, () => this.#look());
  }

  /** A message came. */
  heard(): void {
    this.#pulse.heard(this.#options.clock.nowMs());
  }

  /** A round trip to the server. Rejects when the link goes down meanwhile. */
  async flush(): Promise<void> {
    const { connection, clock } = this.#options;
    this.#pulse.ask(clock.nowMs());
    await connection.flush();
    this.#pulse.answered(clock.nowMs());
  }

  down(): void {
    this.#isUp = false;
  }

  up(): void {
    this.#isUp = true;
    this.#pulse.begin(this.#options.clock.nowMs());
  }

  /**
   * Ends the link at once. The library's own `reconnect` waits until its socket has taken what is buffered, and a server that
   * hangs takes nothing.
   */
  cut(): void {
    const { connection } = this.#options;
    if (connection instanceof NatsConnectionImpl) void connection.protocol.transport.close();
    else void connection.reconnect();
  }

  [Symbol.dispose](): void {
    this.#looking[Symbol.dispose]();
  }

  #look(): void {
    if (!this.#isUp) return;
    const { patienceMs } = this.#pulse;
    const state = this.#pulse.look(this.#options.clock.nowMs());
    if (state === "quiet") this.flush().catch(() => undefined);
    if (state !== "dead") return;
    this.#isUp = false;
    this.#options.onDead(patienceMs);
    this.cut();
  }
}

import { abortable, abortError, throwIfAborted } from "../lib/async/abort.ts";
import { FanfoldError } from "../lib/errors.ts";

interface PublishGateOptions {
  /** Bytes handed to the link and not known to have left it that are never exceeded, except by one larger payload. */
  readonly limitBytes: number;
}

interface Waiter {
  readonly bytes: number;
  readonly pass: () => void;
  readonly refuse: (error: unknown) => void;
}

interface WaitingPublisher {
  readonly check: () => boolean;
  readonly resolve: () => void;
}

/**
 * Holds publishers while the link to the broker is down or has its fill, and lets them pass in the order they came.
 * The client libraries buffer without bound, so every adapter counts here what it has handed to its library.
 *
 * Each link is a generation: what was under way when a link went down is forgotten with it.
 */
export class PublishGate {
  readonly #limitBytes: number;
  readonly #waiting = new Set<Waiter>();
  readonly #watches = new Set<WaitingPublisher>();
  #outstandingBytes = 0;
  #holds = 0;
  #generation = 0;
  #up = true;
  #closed: FanfoldError | undefined;

  constructor(options: PublishGateOptions) {
    this.#limitBytes = options.limitBytes;
  }

  /**
   * Waits until the bytes may be handed to the link, counts them, and calls `send` with the link's generation. What
   * `send` throws, the caller gets.
   *
   * @throws FanfoldError `closed`, `broker-lost` when the signal aborts while the link is down, else the signal's reason
   */
  async pass(bytes: number, signal: AbortSignal, send: (generation: number) => void): Promise<void> {
    if (this.#closed !== undefined) throw this.#closed;
    throwIfAborted(signal);
    if (this.#waiting.size === 0 && this.#fits(bytes)) {
      this.#outstandingBytes += bytes;
      send(this.#generation);
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const leaveQueue = (): void => {
        this.#waiting.delete(waiter);
        signal.removeEventListener("abort", abort);
      };
      const waiter: Waiter = {
        bytes,
        // Sends here rather than after the promise, so that a later call cannot overtake this one.
        pass: () => {
          leaveQueue();
          try {
            resolve(send(this.#generation));
          } catch (error) {
            reject(error);
          }
        },
        refuse: (error) => {
          leaveQueue();
          reject(error);
        },
      };
      const abort = (): void => {
        waiter.refuse(this.#up ? abortError(signal) : linkDown(signal.reason));
        // A large payload that gives up may have held smaller ones.
        this.#admit();
      };
      signal.addEventListener("abort", abort, { once: true });
      this.#waiting.add(waiter);
    });
  }

  /** Bytes have left the link; ignored when they belong to an earlier one. */
  leave(bytes: number, generation: number): void {
    if (generation !== this.#generation) return;
    this.#outstandingBytes -= bytes;
    this.#admit();
  }

  /** The link went down; publishers wait until `up`. */
  down(): void {
    this.#up = false;
  }

  /** A new link is there, and has taken nothing yet. */
  up(): void {
    this.#up = true;
    this.#generation += 1;
    this.#outstandingBytes = 0;
    this.#admit();
  }

  /** Nobody passes until the hold is released; holds of several callers add up. */
  hold(): Disposable {
    let held = true;
    this.#holds += 1;
    return {
      [Symbol.dispose]: () => {
        if (!held) return;
        held = false;
        this.#holds -= 1;
        this.#admit();
      },
    };
  }

  /** Resolves when no publisher waits any more. */
  async empty(signal: AbortSignal): Promise<void> {
    await this.#until(() => this.#waiting.size === 0, signal);
  }

  /** Resolves when, besides, all that passed has left the link. */
  async settled(signal: AbortSignal): Promise<void> {
    await this.#until(() => this.#waiting.size === 0 && this.#outstandingBytes === 0, signal);
  }

  /** Refuses everyone who waits, and everyone who comes. */
  close(error: FanfoldError): void {
    this.#closed ??= error;
    for (const waiter of [...this.#waiting]) waiter.refuse(this.#closed);
    this.#outstandingBytes = 0;
    this.#tell();
  }

  #fits(bytes: number): boolean {
    if (!this.#up || this.#holds > 0) return false;
    return this.#outstandingBytes === 0 || this.#outstandingBytes + bytes <= this.#limitBytes;
  }

  #admit(): void {
    for (const waiter of this.#waiting) {
      if (!this.#fits(waiter.bytes)) break;
      this.#outstandingBytes += waiter.bytes;
      waiter.pass();
    }
    this.#tell();
  }

  async #until(check: () => boolean, signal: AbortSignal): Promise<void> {
    if (check()) return;
    let watch: WaitingPublisher | undefined;
    const held = new Promise<void>((resolve) => {
      watch = { check, resolve };
      this.#watches.add(watch);
    });
    try {
      await abortable(held, signal);
    } finally {
      if (watch !== undefined) this.#watches.delete(watch);
    }
  }

  #tell(): void {
    for (const { check, resolve } of this.#watches) if (check()) resolve();
  }
}

function linkDown(cause: unknown): FanfoldError {
  return new FanfoldError(
    "broker-lost",
    "cannot publish: the link to the broker is down and did not come back in time",
    { cause },
  );
}

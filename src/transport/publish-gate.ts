import { abortable, abortError, throwIfAborted } from "../lib/abort.ts";
import { FanfoldError } from "../lib/errors.ts";

export interface PublishGateOptions {
  /** Bytes handed to the link and not known to have left it that are never exceeded, except by one larger payload. */
  readonly limitBytes: number;
}

interface Waiter {
  readonly bytes: number;
  readonly pass: () => void;
  readonly refuse: (error: unknown) => void;
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
  readonly #emptied = new Set<() => void>();
  #outstandingBytes = 0;
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

  /** Resolves when no publisher waits any more. */
  async empty(signal: AbortSignal): Promise<void> {
    if (this.#waiting.size === 0) return;
    const emptied = new Promise<void>((resolve) => this.#emptied.add(resolve));
    await abortable(emptied, signal);
  }

  /** Refuses everyone who waits, and everyone who comes. */
  close(error: FanfoldError): void {
    this.#closed ??= error;
    for (const waiter of [...this.#waiting]) waiter.refuse(this.#closed);
    this.#tellEmpty();
  }

  #fits(bytes: number): boolean {
    return this.#up && (this.#outstandingBytes === 0 || this.#outstandingBytes + bytes <= this.#limitBytes);
  }

  #admit(): void {
    for (const waiter of this.#waiting) {
      if (!this.#fits(waiter.bytes)) return;
      this.#outstandingBytes += waiter.bytes;
      waiter.pass();
    }
    this.#tellEmpty();
  }

  #tellEmpty(): void {
    for (const resolve of this.#emptied) resolve();
    this.#emptied.clear();
  }
}

function linkDown(cause: unknown): FanfoldError {
  return new FanfoldError(
    "broker-lost",
    "Publish: the link to the broker is down, and did not come back in the time allowed",
    { cause },
  );
}

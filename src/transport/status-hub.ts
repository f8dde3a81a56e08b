import type { TransportStatus } from "./transport.ts";

type Lost = Extract<TransportStatus, { type: "lost" }>;

/** Changes of the link that may wait for one reader. The oldest goes first, since the newest says how things are. */
const CHANGES_WAITING_MAX = 64;

/**
 * What a transport says about its link, handed to each reader. Readers never hold the transport: losses of one subject
 * that wait for a reader are added up to one, and other changes are bounded. Shared by all adapters.
 */
export class StatusHub {
  readonly #readers = new Set<StatusReader>();
  #closed = false;

  emit(status: TransportStatus): void {
    for (const reader of this.#readers) reader.push(status);
  }

  /** Everything from this call on; ends after `close`. */
  statuses(): AsyncIterable<TransportStatus> {
    const reader = new StatusReader((gone) => this.#readers.delete(gone));
    if (this.#closed) reader.end();
    else this.#readers.add(reader);
    return reader;
  }

  /** Emits `closed`, once, and ends every iteration. */
  close(reason?: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.emit(reason === undefined ? { type: "closed" } : { type: "closed", reason });
    for (const reader of this.#readers) reader.end();
    this.#readers.clear();
  }
}

class StatusReader implements AsyncIterable<TransportStatus> {
  readonly #forget: (reader: StatusReader) => void;
  readonly #lost = new Map<string, Lost>();
  readonly #changes: TransportStatus[] = [];
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(forget: (reader: StatusReader) => void) {
    this.#forget = forget;
  }

  push(status: TransportStatus): void {
    if (status.type === "lost") {
      const before = this.#lost.get(status.subject);
      const messages = status.messages + (before?.messages ?? 0);
      this.#lost.set(status.subject, { ...status, messages, bytes: status.bytes + (before?.bytes ?? 0) });
    } else {
      this.#changes.push(status);
      if (this.#changes.length > CHANGES_WAITING_MAX) this.#changes.shift();
    }
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TransportStatus, void, undefined> {
    try {
      for (;;) {
        yield* this.#take();
        if (this.#lost.size > 0 || this.#changes.length > 0) continue;
        if (this.#ended) return;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      this.#ended = true;
      this.#lost.clear();
      this.#changes.length = 0;
      this.#forget(this);
    }
  }

  /** Losses first, so that a reader has them all before it sees `closed`. */
  *#take(): Generator<TransportStatus, void, undefined> {
    for (const [subject, lost] of this.#lost) {
      this.#lost.delete(subject);
      yield lost;
    }
    for (let change = this.#changes.shift(); change !== undefined; change = this.#changes.shift()) yield change;
  }
}

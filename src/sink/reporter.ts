import type { Clock } from "../lib/clock.ts";
import type { FrameScope } from "../protocol/frame.ts";
import type { SinkReport, UpMessage } from "../protocol/report.ts";
import { encodeUp } from "../protocol/up.ts";
import type { Transport } from "../transport/transport.ts";

export interface ReporterOptions extends FrameScope {
  readonly transport: Transport;
  readonly subject: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Stored bytes after which a report goes at once: an eighth of the smallest window, so that it never runs dry. */
const REPORT_BYTES = 512 * 1024;
/** Otherwise a change is told within this time, and without a change the last report is repeated this often. */
const REPORT_SOON_MS = 20;
const REPORT_REPEAT_MS = 1_000;

/**
 * Sends what one sink says of itself, in order [P-10.1]; of reports that come faster than the link takes them, only the
 * last.
 */
export class Reporter implements Disposable {
  readonly #options: ReporterOptions;
  readonly #timers: Disposable[];
  #last: SinkReport | undefined;
  #changed = false;
  #sending = false;
  #bytesSince = 0;
  #sequence = 0;

  constructor(options: ReporterOptions) {
    this.#options = options;
    this.#timers = [
      options.clock.every(REPORT_SOON_MS, () => this.#flush()),
      options.clock.every(REPORT_REPEAT_MS, () => {
        this.#changed = this.#last !== undefined;
        this.#flush();
      }),
    ];
  }

  /** Tells the newest position; `storedBytes` is what was stored since the call before. */
  report(report: SinkReport, storedBytes = 0): void {
    this.#last = report;
    this.#changed = true;
    this.#bytesSince += storedBytes;
    if (this.#bytesSince >= REPORT_BYTES) this.#flush();
  }

  /** Sends one message now. */
  async send(message: UpMessage): Promise<void> {
    const { transport, subject, sessionId, epoch, signal } = this.#options;
    const payload = encodeUp({ sessionId, epoch, sequence: this.#sequence, message });
    this.#sequence += 1;
    await transport.publish(subject, payload, { signal });
  }

  /** Sends nothing more by itself. */
  [Symbol.dispose](): void {
    for (const timer of this.#timers) timer[Symbol.dispose]();
  }

  #flush(): void {
    if (!this.#changed || this.#sending || this.#last === undefined || this.#options.signal.aborted) return;
    this.#changed = false;
    this.#bytesSince = 0;
    this.#sending = true;
    this.send(this.#last)
      // The link's own trouble shows in the transport's status, and the next report says the same and more.
      .catch(() => undefined)
      .finally(() => {
        this.#sending = false;
      });
  }
}

import type { Runtime } from "../../lib/runtime.ts";
import type { StreamScope } from "../../protocol/frame/frame.ts";
import type { SinkReport, UpMessage } from "../../protocol/frame/report.ts";
import { encodeUp } from "../../protocol/frame/up.ts";
import { PAGES_UNANSWERED_MAX } from "../../protocol/limits.ts";
import type { SinkUp } from "./copy-parts.ts";

interface ReporterOptions {
  /** The stream that is reported on. */
  readonly scope: StreamScope;
  readonly up: SinkUp;
  readonly runtime: Runtime;
}

/** The proof of a copy, or the end of a dry run. */
type Conclusion = Extract<UpMessage, { type: "proof" | "outlook" }>;
type WantMessage = Extract<UpMessage, { type: "want" }>;

/** Stored bytes after which a report goes at once: an eighth of the smallest window, so that it never runs dry. */
const REPORT_BYTES = 512 * 1024;
/** Otherwise a change is told within this time, and without a change the last report is repeated this often. */
const REPORT_SOON_MS = 20;
const REPORT_REPEAT_MS = 1_000;
/** Wants that one repetition sends again: all that a source may wait for. */
const WANTS_REPEATED_MAX = PAGES_UNANSWERED_MAX;

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
  /** Pages whose want may not have arrived, and those of them that were sent since the last repetition. */
  readonly #wanted = new Map<number, WantMessage>();
  readonly #lately = new Set<number>();
  #conclusion: Conclusion | undefined;

  constructor(options: ReporterOptions) {
    const { clock } = options.runtime;
    this.#options = options;
    this.#timers = [
      clock.every(REPORT_SOON_MS, () => this.#flush()),
      clock.every(REPORT_REPEAT_MS, () => this.#repeat()),
    ];
  }

  /** Tells the newest position; `storedBytes` is what was stored since the call before. */
  report(report: SinkReport, storedBytes = 0): void {
    this.#last = report;
    this.#changed = true;
    this.#bytesSince += storedBytes;
    if (this.#bytesSince >= REPORT_BYTES) this.#flush();
  }

  /** Tells what is wanted of a page. Repeated until `answered` says that the source has acted on it. */
  want(want: WantMessage): void {
    this.#wanted.set(want.page, want);
    this.#lately.add(want.page);
    this.#later(want);
  }

  /** The trailers of all pages below this one have come: the source knows what was wanted of them. */
  answered(pages: number): void {
    for (const page of this.#wanted.keys()) if (page < pages) this.#wanted.delete(page);
  }

  /** Sends what this sink says last, and repeats it until the session ends: a lost one would leave both sides waiting. */
  async conclude(conclusion: Conclusion): Promise<void> {
    this.#conclusion = conclusion;
    await this.send(conclusion);
  }

  /** Sends one message now. */
  async send(message: UpMessage): Promise<void> {
    const { scope, up, runtime } = this.#options;
    const payload = encodeUp({ ...scope, sequence: this.#sequence, message });
    this.#sequence += 1;
    await up.transport.publish(up.subject, payload, { signal: runtime.signal });
  }

  /** Sends nothing more by itself. */
  [Symbol.dispose](): void {
    for (const timer of this.#timers) timer[Symbol.dispose]();
  }

  #repeat(): void {
    this.#changed = this.#last !== undefined;
    this.#flush();
    // The source reads pages in order, so the first ones are those it waits for.
    const late = [...this.#wanted.values()].filter(({ page }) => !this.#lately.has(page)).slice(0, WANTS_REPEATED_MAX);
    for (const want of late) this.#later(want);
    this.#lately.clear();
    if (this.#conclusion !== undefined) this.#later(this.#conclusion);
  }

  /** Sends without waiting: a message that does not get through is sent again by the next repetition. */
  #later(message: UpMessage): void {
    if (!this.#options.runtime.signal.aborted) this.send(message).catch(() => undefined);
  }

  #flush(): void {
    if (!this.#changed || this.#sending || this.#last === undefined || this.#options.runtime.signal.aborted) return;
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

import type { Runtime } from "../../lib/runtime.ts";
import type { AppliedLimit } from "../../protocol/bandwidth/applied-limit.ts";
import { type FrameSealer, STREAM_DATA, type StreamScope } from "../../protocol/frame/frame.ts";
import type { SinkReport, UpMessage } from "../../protocol/frame/report.ts";
import { encodeUp } from "../../protocol/frame/up.ts";
import { LANE_WINDOW_BYTES, PAGES_UNANSWERED_MAX } from "../../protocol/limits.ts";
import type { LacksMessage } from "../delta/open-recipes.ts";
import type { WantMessage } from "../wants/page-wants.ts";
import type { Conclusion, SinkUp } from "./copy-parts.ts";
import { LacksRepeater } from "./lacks-repeater.ts";

interface ReporterOptions {
  /** The stream that is reported on. */
  readonly scope: StreamScope;
  readonly up: SinkUp;
  readonly runtime: Runtime;
  /** To what this sink holds itself, as of now: part of each report. */
  readonly limit?: () => AppliedLimit | undefined;
  readonly concluded?: ((conclusion: Conclusion) => void) | undefined;
}

/**
 * A report goes at once when so much was stored since the last one. It is a quarter of all that was stored, between these
 * bounds: the window grows in the same way, and never runs dry. Each report costs the source and the coordinator about as
 * much as it costs the sink.
 */
const REPORT_BYTES_MIN = 512 * 1024;
const REPORT_BYTES_MAX = 4 * 1024 * 1024;
/** A quarter of a lane's window. */
const LANE_REPORT_BYTES_MAX = LANE_WINDOW_BYTES / 4;
const STORED_SHARE = 4;
/**
 * What is stored when the last report is this old is told at once, too. The source's ladder has to see that a quick sink
 * has everything and waits for a slow one: each frame of a slow one comes after such a pause.
 */
const REPORT_PAUSE_MS = 10;
/** Otherwise a change is told within this time, and without a change the last report is repeated this often. */
const REPORT_SOON_MS = 20;
/** While more of what came waits to be stored, nobody waits for this sink to have everything: its reports are this far apart. */
const REPORT_WORKING_MS = 100;
const REPORT_REPEAT_MS = 1_000;
/** Wants that one repetition sends again: all that a source may wait for. */
const WANTS_REPEATED_MAX = PAGES_UNANSWERED_MAX;
/** Behind so many versions that they list no more of them: a want with all of its page has 22 KiB. */
const OLDER_REPEATED_MAX = 1024;

/**
 * Sends what one sink says of itself, in order [P-10.1]. Of reports that come faster than the link takes them, only the
 * last.
 */
export class Reporter implements Disposable {
  readonly #options: ReporterOptions;
  readonly #timers: Disposable[];
  #last: SinkReport | undefined;
  #changed = false;
  #sending = false;
  #storedBytes = 0;
  #bytesSince = 0;
  #sentMs: number;
  #goesOn = false;
  #sequence = 0;
  readonly #sealer: FrameSealer | undefined;
  /** Pages whose want may not have arrived, and those of them that were sent since the last repetition. */
  readonly #wanted = new Map<number, WantMessage>();
  readonly #lately = new Set<number>();
  readonly #lacks = new LacksRepeater();
  #conclusion: Conclusion | undefined;

  constructor(options: ReporterOptions) {
    const { clock } = options.runtime;
    this.#options = options;
    this.#sealer = options.up.seal?.reports();
    this.#sentMs = clock.nowMs();
    this.#timers = [
      clock.every(REPORT_SOON_MS, () => this.#flushAfter(0)),
      clock.every(REPORT_REPEAT_MS, () => this.#repeat()),
    ];
  }

  /**
   * Tells the newest position; `storedBytes` is what was stored since the call before. `goesOn`: more of what came waits to
   * be stored, and nothing is missing.
   */
  report(report: SinkReport, storedBytes = 0, goesOn = false): void {
    this.#last = report;
    this.#changed = true;
    this.#goesOn = goesOn;
    this.#storedBytes += storedBytes;
    this.#bytesSince += storedBytes;
    if (this.#bytesSince >= this.#dueBytes) this.#flush();
    else if (storedBytes > 0) this.#flushAfter(REPORT_PAUSE_MS);
  }

  /** Tells what is wanted of a page. Repeated until `answered` says that the source has acted on it. */
  want(want: WantMessage): void {
    // Before the source sends anything for it, it knows how fast this sink takes it.
    if (this.#sequence === 0) this.#flush();
    this.#wanted.set(want.page, want);
    this.#lately.add(want.page);
    this.#later(want);
  }

  /** Tells what is lacked of a slice of a recipe. Repeated until `settled`. */
  lacks(answer: LacksMessage): void {
    this.#lacks.add(answer);
    this.#later(answer);
  }

  /** The source has acted on the answers to the recipe of this entry. */
  settled(entry: number): void {
    this.#lacks.settled(entry);
  }

  /** The trailers of all pages below this one have come: the source knows what was wanted of them. */
  answered(pages: number): void {
    for (const page of this.#wanted.keys()) if (page < pages) this.#wanted.delete(page);
  }

  /** Sends what this sink says last, and repeats it until the session ends: a lost one would leave both sides waiting. */
  async conclude(conclusion: Conclusion): Promise<void> {
    this.#conclusion = conclusion;
    this.#options.concluded?.(conclusion);
    await this.send(conclusion);
  }

  /** Sends one message now. */
  async send(message: UpMessage): Promise<void> {
    const { scope, up, runtime } = this.#options;
    const payload = encodeUp({ ...scope, sequence: this.#sequence, message }, this.#sealer);
    this.#sequence += 1;
    await up.transport.publish(up.subject, payload, { signal: runtime.signal });
  }

  get #dueBytes(): number {
    const maxBytes = this.#options.scope.stream === STREAM_DATA ? REPORT_BYTES_MAX : LANE_REPORT_BYTES_MAX;
    return Math.max(REPORT_BYTES_MIN, Math.min(this.#storedBytes / STORED_SHARE, maxBytes));
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
    for (const want of bounded(late)) this.#later(want);
    this.#lately.clear();
    for (const answer of this.#lacks.due()) this.#later(answer);
    if (this.#conclusion !== undefined) this.#later(this.#conclusion);
  }

  /** Sends without waiting: a message that does not get through is sent again by the next repetition. */
  #later(message: UpMessage): void {
    if (!this.#options.runtime.signal.aborted) this.send(message).catch(() => undefined);
  }

  /** Unless the last report is less than this old. */
  #flushAfter(pauseMs: number): void {
    const sinceMs = this.#options.runtime.clock.nowMs() - this.#sentMs;
    if (sinceMs >= (this.#goesOn ? REPORT_WORKING_MS : pauseMs)) this.#flush();
  }

  #flush(): void {
    if (!this.#changed || this.#sending || this.#last === undefined || this.#options.runtime.signal.aborted) return;
    this.#changed = false;
    this.#bytesSince = 0;
    this.#sentMs = this.#options.runtime.clock.nowMs();
    this.#sending = true;
    const limit = this.#options.limit?.();
    this.send(limit === undefined ? this.#last : { ...this.#last, limit })
      // The link's own trouble shows in the transport's status, and the next report says the same and more.
      .catch(() => undefined)
      .finally(() => {
        this.#sending = false;
      });
  }
}

/** The first of them, and of those behind it what a slow link takes as well. */
function* bounded(wants: readonly WantMessage[]): Generator<WantMessage, void, undefined> {
  let listed = 0;
  for (const want of wants) {
    yield want;
    listed += (want.older?.length ?? 0) + (want.same === undefined ? 0 : OLDER_REPEATED_MAX);
    if (listed >= OLDER_REPEATED_MAX) return;
  }
}

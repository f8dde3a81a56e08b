import { type Profiler, Session } from "node:inspector";

interface Script {
  readonly number: number;
  /** One for each character of the source that was ever run. */
  readonly run: Uint8Array;
}

const RANGE_CHARS_MAX = 2 ** 17;

/**
 * Which parts of the program run, by V8's own block coverage of this thread. What was run since the last call counts: first
 * as blocks that were never run before, then as loops that ran another power of two of times.
 */
export class Coverage implements Disposable {
  readonly #session = new Session();
  readonly #isWatched: (url: string) => boolean;
  readonly #scripts = new Map<string, Script>();
  readonly #features = new Set<number>();

  constructor(isWatched: (url: string) => boolean) {
    this.#isWatched = isWatched;
    this.#session.connect();
    this.#session.post("Profiler.enable");
    this.#session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  }

  /** Characters of the program that were run at least once. */
  get size(): number {
    let size = 0;
    for (const { run } of this.#scripts.values()) for (const each of run) size += each;
    return size;
  }

  /** Whether anything ran that never had; it still counts as new for `takeAll`. */
  hasNewBlocks(): boolean {
    return this.#take().some((script) => this.#blocks(script, false) > 0);
  }

  /** How much ran that never had, or never so often; from now on it is known. */
  takeAll(): number {
    let found = 0;
    for (const script of this.#take()) found += this.#blocks(script, true) + this.#counts(script);
    return found;
  }

  [Symbol.dispose](): void {
    this.#session.post("Profiler.stopPreciseCoverage");
    this.#session.disconnect();
  }

  #take(): Profiler.ScriptCoverage[] {
    let taken: Profiler.ScriptCoverage[] = [];
    // In the own thread the answer comes before the call returns.
    this.#session.post("Profiler.takePreciseCoverage", (error, answer) => {
      if (error !== null) throw error;
      taken = answer.result.filter(({ url }) => this.#isWatched(url));
    });
    return taken;
  }

  #scriptOf({ url, functions }: Profiler.ScriptCoverage): Script {
    const known = this.#scripts.get(url);
    if (known !== undefined) return known;
    const chars = Math.max(0, ...functions.flatMap(({ ranges }) => ranges.map(({ endOffset }) => endOffset)));
    const script = { number: this.#scripts.size, run: new Uint8Array(chars) };
    this.#scripts.set(url, script);
    return script;
  }

  #blocks(coverage: Profiler.ScriptCoverage, keep: boolean): number {
    const { run } = this.#scriptOf(coverage);
    const now = new Uint8Array(run.length);
    // Outer ranges come before inner ones, which say what was different in them.
    for (const { ranges } of coverage.functions)
      for (const { startOffset, endOffset, count } of ranges) now.fill(count > 0 ? 1 : 0, startOffset, endOffset);
    let found = 0;
    for (let at = 0; at < run.length; at += 1) {
      if (now[at] === 0 || run[at] === 1) continue;
      found += 1;
      if (keep) run[at] = 1;
    }
    return found;
  }

  #counts(coverage: Profiler.ScriptCoverage): number {
    const { number } = this.#scriptOf(coverage);
    const before = this.#features.size;
    for (const { ranges } of coverage.functions) {
      for (const { startOffset, endOffset, count } of ranges) {
        if (count === 0) continue;
        const place = (number * RANGE_CHARS_MAX + startOffset) * 32 + Math.min(31, Math.floor(Math.log2(count)));
        this.#features.add(place * 8 + (endOffset % 8));
      }
    }
    return this.#features.size - before;
  }
}

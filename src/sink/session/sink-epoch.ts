import { FanfoldError } from "../../lib/errors.ts";
import { type FrameScope, STREAM_DATA } from "../../protocol/frame/frame.ts";
import type { Conclusion, CopyTask, EngineFeed, SinkRuntime, SinkUp } from "./copy-parts.ts";
import { routeFrame } from "./frame-route.ts";
import { Reporter } from "./reporter.ts";
import { SinkStream } from "./sink-stream.ts";

interface SinkEpochOptions {
  readonly scope: FrameScope;
  readonly task: CopyTask;
  readonly feed: EngineFeed;
  readonly up: SinkUp;
  readonly runtime: SinkRuntime;
  /** Served on a lane of its own from the beginning [P-9.3]. */
  readonly late: boolean;
  /** A lane of this sink has begun: the data for all is nothing for it any more. */
  readonly onLane: () => void;
  /** Called once, with what this sink failed by. */
  readonly onFailure: (error: FanfoldError) => void;
}

interface RunningStream {
  readonly session: SinkStream;
  /** Resolves when nothing of it touches the disk any more. What is stored stays. */
  stop(): Promise<void>;
}

/**
 * The copy of one epoch [P-9.3]: one stream after another. Each has its own engine and begins with the data that is stored.
 */
export class SinkEpoch {
  readonly epoch: number;
  readonly #options: SinkEpochOptions;
  #stream = STREAM_DATA;
  #running: RunningStream | undefined;
  #switching: Promise<void> | undefined;
  #stopped = false;
  /** Streams that have not concluded, nor ended. */
  readonly #atWork = new Set<AbortSignal>();

  constructor(options: SinkEpochOptions) {
    this.epoch = options.scope.epoch;
    this.#options = options;
    if (!options.late) this.#running = this.#open(STREAM_DATA);
  }

  /** Whether something of it may still be written: it has not said its last. */
  get isAtWork(): boolean {
    return this.#atWork.size > 0;
  }

  take(payload: Uint8Array, isOwnSubject: boolean): void | Promise<void> {
    const { scope, up } = this.#options;
    const route = routeFrame(payload, { ...scope, stream: this.#stream }, isOwnSubject, up.seal);
    if (route.to === "engine") return this.#running?.session.take(payload);
    if (route.to === "nobody" || this.#stopped) return undefined;
    this.#switching = this.#next(route.stream);
    return this.#switching.then(() => this.#running?.session.take(payload));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#switching;
    await this.#running?.stop();
  }

  async #next(stream: number): Promise<void> {
    const before = this.#running;
    this.#running = undefined;
    this.#stream = stream;
    this.#options.onLane();
    await before?.stop();
    if (this.#stopped) return;
    this.#options.runtime.emit({ type: "lane" });
    this.#running = this.#open(stream);
  }

  #open(stream: number): RunningStream {
    const { task, feed, up, onFailure } = this.#options;
    const stop = new AbortController();
    const scope = { ...this.#options.scope, stream };
    const { clock, emit, signal } = this.#options.runtime;
    const runtime = { clock, emit, signal: AbortSignal.any([signal, stop.signal]) };
    this.#atWork.add(stop.signal);
    const concluded = (conclusion: Conclusion): void => {
      this.#atWork.delete(stop.signal);
      task.concluded?.(conclusion);
    };
    const reporter = new Reporter({ scope, up, runtime, limit: () => feed.bandwidth?.applied, concluded });
    const session = new SinkStream({ scope, seal: up.seal?.secretOf(stream), task, feed, reporter, runtime });
    const run = session.run().then(
      () => undefined,
      (thrown) => {
        this.#atWork.delete(stop.signal);
        if (!stop.signal.aborted) onFailure(FanfoldError.from(thrown));
      },
    );
    return {
      session,
      async stop() {
        stop.abort(new FanfoldError("closed", "This stream is over"));
        await run;
        reporter[Symbol.dispose]();
      },
    };
  }
}

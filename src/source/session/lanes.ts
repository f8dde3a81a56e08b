import type { FanfoldError } from "../../lib/errors.ts";
import type { Runtime } from "../../lib/runtime.ts";
import { buildFrame, type FrameScope, finishFrame } from "../../protocol/frame/frame.ts";
import { LANE_WINDOW_BYTES, LANES_MAX } from "../../protocol/limits.ts";
import { toSubject } from "../../protocol/subjects.ts";
import type { PublishedTree } from "../publish/published-tree.ts";
import { Publisher } from "../publish/publisher.ts";
import type { PublisherNotice } from "../publish/publisher-options.ts";
import type { TreeThreads } from "../tree-threads.ts";
import type { LaneShare } from "./lane-share.ts";
import { ProgressTally } from "./progress-tally.ts";
import type { SourceWire } from "./session-parts.ts";

interface LanesOptions {
  readonly scope: FrameScope;
  readonly tree: PublishedTree;
  readonly threads: TreeThreads;
  readonly wire: SourceWire;
  readonly runtime: Runtime;
  readonly share: LaneShare;
  readonly onNotice: (notice: PublisherNotice) => void;
  readonly onFailure: (error: FanfoldError) => void;
}

interface LanesSent {
  readonly allBytes: number;
  readonly mostBytes: number;
  readonly againBytes: number;
  readonly savedBytes: number;
}

interface Lane {
  readonly number: number;
  /** Undefined while it waits for its turn. */
  publisher: Publisher | undefined;
}

/**
 * The lanes of a session [P-9.3]. Each is a whole pass over the directory for one sink. It has its own walk, wants, data,
 * end and digest. LANES_MAX run at a time, in the order they were opened. Those that wait are kept alive by heartbeats.
 */
export class Lanes {
  readonly #options: LanesOptions;
  readonly #lanes = new Map<string, Lane>();
  readonly #stopping = new Set<Promise<void>>();
  #sentBytes = 0;
  #sentBytesMax = 0;
  #sentAgainBytes = 0;
  #savedBytes = 0;

  constructor(options: LanesOptions) {
    this.#options = options;
  }

  /** Whether lanes wait for another one to end. */
  get areWaiting(): boolean {
    return [...this.#lanes.values()].some((lane) => lane.publisher === undefined);
  }

  /** Content that all lanes published, the most of any one, what was sent again within them, and what compression saved. */
  get sent(): LanesSent {
    let [allBytes, mostBytes, againBytes] = [this.#sentBytes, this.#sentBytesMax, this.#sentAgainBytes];
    let savedBytes = this.#savedBytes;
    for (const { tally } of this.running) {
      allBytes += tally.bytesSent;
      mostBytes = Math.max(mostBytes, tally.bytesSent);
      againBytes += tally.bytesSentAgain;
      savedBytes += tally.bytesSaved;
    }
    return { allBytes, mostBytes, againBytes, savedBytes };
  }

  /** Opens a sink's lane, in place of the one it had. */
  open(sinkId: string, number: number): void {
    this.close(sinkId);
    const lane = { number, publisher: undefined };
    this.#lanes.set(sinkId, lane);
    // At once, so that the sink lets go of `data` before that goes faster without it. A lost one is followed by others.
    this.#greet(sinkId, lane).catch(() => undefined);
    this.#startNext();
  }

  close(sinkId: string): void {
    const lane = this.#lanes.get(sinkId);
    if (lane === undefined) return;
    this.#lanes.delete(sinkId);
    if (lane.publisher !== undefined) this.#stop(lane.publisher);
    this.#startNext();
  }

  /** The publisher of a sink's lane, if that is the lane's number and it runs. */
  find(sinkId: string, number: number): Publisher | undefined {
    const lane = this.#lanes.get(sinkId);
    return lane?.number === number ? lane.publisher : undefined;
  }

  publisherOf(sinkId: string): Publisher | undefined {
    return this.#lanes.get(sinkId)?.publisher;
  }

  get running(): readonly Publisher[] {
    return [...this.#lanes.values()].flatMap((lane) => lane.publisher ?? []);
  }

  /** The one that was opened first of those that run. */
  get first(): Publisher | undefined {
    return this.running[0];
  }

  async heartbeat(nowMs: number): Promise<void> {
    await Promise.all(
      [...this.#lanes].map(([sinkId, lane]) =>
        lane.publisher === undefined ? this.#greet(sinkId, lane) : lane.publisher.heartbeat(nowMs),
      ),
    );
  }

  /** Sends again what is due; returns the sinks that have asked for more than their share. */
  repair(nowMs: number): string[] {
    return this.running.flatMap((publisher) => publisher.repair(nowMs));
  }

  /** The share has changed. */
  poke(): void {
    for (const publisher of this.running) publisher.poke();
  }

  async stop(): Promise<void> {
    for (const { publisher } of this.#lanes.values()) if (publisher !== undefined) this.#stop(publisher);
    this.#lanes.clear();
    await Promise.all(this.#stopping);
  }

  #startNext(): void {
    for (const [sinkId, lane] of this.#lanes) {
      if (this.running.length >= LANES_MAX) return;
      if (lane.publisher !== undefined) continue;
      lane.publisher = this.#publisher(sinkId, lane.number);
      lane.publisher.start();
    }
  }

  #publisher(sinkId: string, stream: number): Publisher {
    const { scope, tree, threads, wire, runtime, share, onNotice, onFailure } = this.#options;
    const startMs = runtime.clock.nowMs();
    const subject = toSubject(wire.subjects, sinkId);
    return new Publisher({
      scope: { ...scope, stream },
      tree,
      threads,
      transport: wire.transport,
      subject,
      sealer: wire.seal?.lane(sinkId, stream),
      repairSubject: () => subject,
      sinkIds: [sinkId],
      tally: new ProgressTally(startMs),
      fileNotices: false,
      startMs,
      signal: runtime.signal,
      onNotice,
      onFailure,
      windowBytesMax: LANE_WINDOW_BYTES,
      allowedBytes: () => share.allowedBytes,
      onBuilt: (costBytes) => share.spend(costBytes),
    });
  }

  /** A heartbeat of a lane that has not begun: so its sink knows that it was not forgotten. */
  async #greet(sinkId: string, { number }: Lane): Promise<void> {
    const { scope, wire, runtime } = this.#options;
    const frame = buildFrame({ type: "heartbeat", ...scope, stream: number }, new Uint8Array(0));
    const greeting = finishFrame(frame, 0, wire.seal?.lane(sinkId, number));
    await wire.transport.publish(toSubject(wire.subjects, sinkId), greeting, { signal: runtime.signal });
  }

  #stop(publisher: Publisher): void {
    const { bytesSent, bytesSentAgain, bytesSaved } = publisher.tally;
    this.#savedBytes += bytesSaved;
    this.#sentBytes += bytesSent;
    this.#sentBytesMax = Math.max(this.#sentBytesMax, bytesSent);
    this.#sentAgainBytes += bytesSentAgain;
    const stopped = publisher.stop().finally(() => this.#stopping.delete(stopped));
    this.#stopping.add(stopped);
  }
}

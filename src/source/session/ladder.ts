import { LANES_MAX } from "../../protocol/limits.ts";
import type { Backpressure } from "../publish/publisher-options.ts";

/** What becomes of a sink that is much slower than the others (`--stragglers`). */
export const STRAGGLER_POLICIES = ["wait", "detach", "drop"] as const;
export type StragglerPolicy = (typeof STRAGGLER_POLICIES)[number];

/** How often the ladder looks. */
export const LADDER_LOOK_MS = 100;
/** A sink lags that held the others for more than half of the looks of this time. */
export const LAG_LOOKS_MS = 5_000;
/** A sink that said nothing for this long lags. It reports at least once a second. */
export const LAG_SILENCE_MS = 5_000;
/** A sink that lagged for this long is detached. */
export const DETACH_AFTER_MS = 15_000;
/** The same for one that looks up pieces in what it holds: on a lane it would have to read that once more. */
export const DETACH_LOOKING_UP_MS = 60_000;
/** A sink that said nothing for this long is away. */
export const AWAY_SILENCE_MS = 20_000;
/** The same for a sink that holds the others, unless `wait` was asked for. */
export const FROZEN_SILENCE_MS = 3_000;
/** Sinks that an outage silences fall silent within this time of one another. */
const SAME_OUTAGE_MS = 1_500;

const LOOKS = LAG_LOOKS_MS / LADDER_LOOK_MS;

/** A sink of the main stream at one moment. */
export interface LadderSink {
  readonly sinkId: string;
  readonly silentMs: number;
  /** It says that it hashes files it has (`--checksum`). */
  readonly hashing: boolean;
  readonly hold: Backpressure;
}

/** A sink's new rung. `detached`: it is to be taken out of the main stream. `away`: nothing is heard of it. */
interface LadderStep {
  readonly sinkId: string;
  readonly to: "live" | "lagging" | "detached" | "away";
}

interface Rung {
  at: "live" | "lagging";
  /** Of the last looks, whether it held the others; and how many of them say yes. */
  readonly looks: boolean[];
  held: number;
  slowSinceMs: number | undefined;
}

/**
 * The ladder of slow sinks (D8): live → lagging → detached, and away for those that are silent. Pure: it is told what is,
 * and says what follows.
 *
 * A sink *holds the others* while it has half of the window or more to store and another sink has stored everything that
 * was published. It also does when the reader waits for its answer to a page while another one owes none. A sink that is
 * only a little slower than the others always has the full window to store, too. But then the others are seldom without
 * work. So when more than half of the looks find it holding them, they could go about twice as fast.
 *
 * A sink that hashes what it has works, however long that takes: to be detached for it costs it nothing. But it is not
 * given up for it, so with `drop` its answers that are still to come hold nobody. One that hashes for a recipe would begin
 * that anew on its lane, so it is given more time.
 *
 * A sink that is silent while it holds the others is frozen: it is away after FROZEN_SILENCE_MS. When more are silent than lanes
 * run at a time it is a node of the broker or a network rather than a machine. Then all of them are given the usual time.
 */
export class Ladder {
  readonly #policy: StragglerPolicy;
  readonly #rungs = new Map<string, Rung>();

  constructor(policy: StragglerPolicy) {
    this.#policy = policy;
  }

  /** Looks at all sinks of the main stream; one that is not named has left it. To be called each LADDER_LOOK_MS. */
  look(nowMs: number, sinks: readonly LadderSink[]): LadderStep[] {
    const here = new Set(sinks.map(({ sinkId }) => sinkId));
    for (const sinkId of this.#rungs.keys()) if (!here.has(sinkId)) this.#rungs.delete(sinkId);
    return sinks.flatMap((sink) => this.#lookAt(nowMs, sink, sinks) ?? []);
  }

  #lookAt(nowMs: number, sink: LadderSink, sinks: readonly LadderSink[]): LadderStep | undefined {
    const { sinkId, silentMs } = sink;
    const rung = this.#rungs.get(sinkId) ?? { at: "live", looks: [], held: 0, slowSinceMs: undefined };
    this.#rungs.set(sinkId, rung);
    remember(
      rung,
      sinks.some((other) => other !== sink && this.#holds(sink, other)),
    );
    if (rung.held > LOOKS / 2) rung.slowSinceMs ??= nowMs;
    else if (rung.held <= LOOKS / 4) rung.slowSinceMs = undefined;
    if (silentMs >= AWAY_SILENCE_MS || this.#isFrozen(sink, sinks)) return { sinkId, to: "away" };
    const slow = rung.slowSinceMs !== undefined;
    const slowMs = nowMs - (rung.slowSinceMs ?? nowMs);
    if (this.#policy !== "wait" && rung.held > LOOKS / 2 && slowMs >= patienceMs(sink))
      return { sinkId, to: "detached" };
    const to = slow || silentMs >= LAG_SILENCE_MS ? "lagging" : "live";
    if (to === rung.at) return undefined;
    rung.at = to;
    return { sinkId, to };
  }

  #isFrozen(sink: LadderSink, sinks: readonly LadderSink[]): boolean {
    if (this.#policy === "wait" || sink.silentMs < FROZEN_SILENCE_MS) return false;
    const heard = sinks.filter(({ silentMs }) => silentMs < FROZEN_SILENCE_MS - SAME_OUTAGE_MS);
    return sinks.length - heard.length <= LANES_MAX && heard.some((other) => this.#holds(sink, other));
  }

  /** Whether a sink keeps another one from work that is not lagging by silence itself. */
  #holds({ hold, hashing }: LadderSink, other: LadderSink): boolean {
    if (other.silentMs >= LAG_SILENCE_MS) return false;
    const byData = hold.outstandingBytes * 2 >= hold.windowBytes && other.hold.outstandingBytes === 0;
    const isExcused = hashing && this.#policy === "drop";
    return byData || (hold.holdsReader && other.hold.unanswered === 0 && !isExcused);
  }
}

function patienceMs({ hashing, hold }: LadderSink): number {
  return hashing && hold.looksUp ? DETACH_LOOKING_UP_MS : DETACH_AFTER_MS;
}

function remember(rung: Rung, held: boolean): void {
  rung.looks.push(held);
  if (held) rung.held += 1;
  if (rung.looks.length > LOOKS && rung.looks.shift() === true) rung.held -= 1;
}

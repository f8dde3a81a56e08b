import { REPAIR_BYTES_MIN } from "../../protocol/limits.ts";

/** A frame to publish again. */
interface DueRepair {
  readonly sequence: number;
  /** The sinks that miss it. One gets it alone; for several it goes to all at once. */
  readonly sinks: readonly MissingSink[];
}

interface MissingSink {
  readonly sinkId: string;
  /** How often the frame has been sent again since this sink misses it, this time included. */
  readonly times: number;
}

interface Asked {
  /** Who misses it, and how often it has been sent again for that one. */
  readonly times: Map<string, number>;
  readonly sinceMs: number;
  sentMs: number;
  /** Sinks that ask for it after it was sent wait so long for others that will. */
  gatherMs: number;
}

/** Other sinks that miss the same frame have this long to say so before it is sent again. */
const HOLD_OFF_MS = 30;
/** A frame that was sent again has this long to arrive before it is sent once more to a sink which still misses it. */
const RESEND_MS = 250;
/**
 * What sinks miss after an outage of the broker they find out one after another, over seconds. Each time a frame was sent
 * again, the next requests for it are gathered for twice as long, up to this. So it is sent seldom, however many sinks ask.
 */
const GATHER_MAX_MS = 2_000;
/** Frames looked at for one report: what lies behind them is asked for again by the next one. */
const FRAMES_ASKED_MAX = 4_096;

/** Times that one frame is sent again while the same sink misses it: some 8 s of trying. */
export const REPAIRS_OF_FRAME_MAX = 32;

/**
 * Which frames are to be sent again, to whom, and when (D7). A sink's newest report replaces what it asked for before, so that
 * what has arrived in the meantime is not sent. What a sink asks for counts for that sink alone. Pure.
 */
export class RepairRequests {
  readonly #asked = new Map<number, Asked>();
  /** What each sink asked for last. */
  readonly #missing = new Map<string, ReadonlySet<number>>();
  readonly #spentBytes = new Map<string, number>();

  /**
   * A sink misses these frames, [from, to) each, and no others. The source keeps the frames from `kept` up to `exists`: what
   * lies outside was stored by all, or is not published yet.
   */
  ask(
    sinkId: string,
    ranges: readonly (readonly [number, number])[],
    at: { readonly nowMs: number; readonly kept: number; readonly exists: number },
  ): void {
    const before = this.#missing.get(sinkId);
    if (ranges.length === 0 && before === undefined) return;
    const missing = new Set<number>();
    for (const [from, to] of ranges) {
      for (let sequence = Math.max(from, at.kept); sequence < Math.min(to, at.exists); sequence += 1) {
        if (missing.size >= FRAMES_ASKED_MAX) break;
        missing.add(sequence);
      }
    }
    for (const sequence of before ?? []) if (!missing.has(sequence)) this.#asked.get(sequence)?.times.delete(sinkId);
    for (const sequence of missing) this.#miss(sinkId, sequence, at.nowMs);
    if (missing.size === 0) this.#missing.delete(sinkId);
    else this.#missing.set(sinkId, missing);
  }

  /** What is to be sent now. Counts it as sent, to all that ask for it. */
  due(nowMs: number): DueRepair[] {
    const due: DueRepair[] = [];
    for (const [sequence, asked] of this.#asked) {
      if (nowMs - asked.sentMs < RESEND_MS) continue;
      const isGathered = nowMs - asked.sentMs >= asked.gatherMs;
      if (asked.times.size === 0) {
        if (isGathered) this.#asked.delete(sequence);
        continue;
      }
      const isFirstDue = isGathered && nowMs - asked.sinceMs >= HOLD_OFF_MS;
      if (!isFirstDue && ![...asked.times.values()].some((times) => times > 0)) continue;
      asked.sentMs = nowMs;
      asked.gatherMs = Math.min(asked.gatherMs * 2, GATHER_MAX_MS);
      for (const [sinkId, times] of asked.times) asked.times.set(sinkId, times + 1);
      due.push({ sequence, sinks: [...asked.times].map(([sinkId, times]) => ({ sinkId, times })) });
    }
    return due.sort((left, right) => left.sequence - right.sequence);
  }

  /**
   * Counts what a sink costs in repairs. False once it is more than its share: as much as was published for everybody, and
   * never less than REPAIR_BYTES_MIN. A sink that asks for everything for ever is failed, not obeyed.
   */
  spend(sinkId: string, bytes: number, publishedBytes: number): boolean {
    const spent = (this.#spentBytes.get(sinkId) ?? 0) + bytes;
    this.#spentBytes.set(sinkId, spent);
    return spent <= Math.max(REPAIR_BYTES_MIN, publishedBytes);
  }

  /** Frees what a sink asked for: it has left. */
  forget(sinkId: string): void {
    for (const sequence of this.#missing.get(sinkId) ?? []) this.#asked.get(sequence)?.times.delete(sinkId);
    this.#missing.delete(sinkId);
  }

  #miss(sinkId: string, sequence: number, nowMs: number): void {
    const asked = this.#asked.get(sequence) ?? {
      times: new Map<string, number>(),
      sinceMs: nowMs,
      sentMs: Number.NEGATIVE_INFINITY,
      gatherMs: RESEND_MS,
    };
    if (!asked.times.has(sinkId)) asked.times.set(sinkId, 0);
    this.#asked.set(sequence, asked);
  }
}

import { REPAIR_BYTES_MIN } from "../../protocol/limits.ts";

/** A frame to publish again. */
interface Repair {
  readonly sequence: number;
  /** How often it has been sent again to sinks that still miss it, this time included. */
  readonly times: number;
  /** The one sink that misses it; undefined when several do, and it goes to all at once. */
  readonly sinkId: string | undefined;
}

interface Asked {
  readonly sinks: Set<string>;
  readonly sinceMs: number;
  sentMs: number;
  times: number;
}

/** Other sinks that miss the same frame have this long to say so before it is sent again. */
const HOLD_OFF_MS = 30;
/** A frame that was sent again has this long to arrive before it is sent once more. */
const RESEND_MS = 250;
/** Frames looked at for one report: what lies behind them is asked for again by the next one. */
const FRAMES_ASKED_MAX = 4_096;

/** Times in a row that one frame is sent again to a sink which still misses it: some 8 s of trying. */
export const REPAIRS_OF_FRAME_MAX = 32;

/**
 * Which frames are to be sent again, to whom, and when (D7). A sink's newest report replaces what it asked for before,
 * so that what has arrived in the meantime is not sent. Pure.
 */
export class RepairRequests {
  readonly #asked = new Map<number, Asked>();
  readonly #spentBytes = new Map<string, number>();

  /** A sink misses these frames, [from, to) each, and no others. `exists` is the sequence of the next frame. */
  ask(
    sinkId: string,
    ranges: readonly (readonly [number, number])[],
    at: { readonly nowMs: number; readonly exists: number },
  ): void {
    this.forget(sinkId);
    let frames = 0;
    for (const [from, to] of ranges) {
      for (let sequence = from; sequence < Math.min(to, at.exists) && frames < FRAMES_ASKED_MAX; sequence += 1) {
        frames += 1;
        const asked = this.#asked.get(sequence) ?? {
          sinks: new Set(),
          sinceMs: at.nowMs,
          sentMs: Number.NEGATIVE_INFINITY,
          times: 0,
        };
        asked.sinks.add(sinkId);
        this.#asked.set(sequence, asked);
      }
    }
    for (const [sequence, asked] of this.#asked) {
      if (asked.sinks.size === 0 && at.nowMs - asked.sentMs > RESEND_MS) this.#asked.delete(sequence);
    }
  }

  /** What is to be sent now. Counts it as sent. */
  due(nowMs: number): Repair[] {
    const due: Repair[] = [];
    for (const [sequence, asked] of this.#asked) {
      const [first, second] = asked.sinks;
      if (first === undefined || nowMs - asked.sinceMs < HOLD_OFF_MS || nowMs - asked.sentMs < RESEND_MS) continue;
      asked.sentMs = nowMs;
      asked.times += 1;
      due.push({ sequence, times: asked.times, sinkId: second === undefined ? first : undefined });
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

  /** Sinks that asked for this frame. */
  sinksOf(sequence: number): string[] {
    return [...(this.#asked.get(sequence)?.sinks ?? [])];
  }

  /** Frees what a sink asked for: it asks anew, has all, or has left. */
  forget(sinkId: string): void {
    for (const asked of this.#asked.values()) asked.sinks.delete(sinkId);
  }
}

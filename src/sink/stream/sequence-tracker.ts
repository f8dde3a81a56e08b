import { FanfoldError } from "../../lib/errors.ts";
import { escapeText } from "../../lib/escape-name.ts";
import type { StreamScope } from "../../protocol/frame/frame.ts";
import { MISSING_RANGES_MAX, SUBSCRIBER_QUEUE_BYTES } from "../../protocol/limits.ts";
import type { CheckedFrame } from "./checked-frame.ts";

/** A range of sequences, [from, to). */
export type SequenceRange = [from: number, to: number];

/** What may wait for a hole to be filled: more than the window and the pages without an answer, all that a source has out. */
const HELD_BYTES_MAX = SUBSCRIBER_QUEUE_BYTES;

/**
 * The stream sequence at a sink [P-3.4]. It hands frames on in order and without repeats. It holds those behind a hole
 * until the hole is filled [P-9]. Pure.
 */
export class SequenceTracker {
  readonly #scope: StreamScope;
  readonly #held = new Map<number, CheckedFrame>();
  #heldBytes = 0;
  #next = 0;
  /** Every frame below this is known to exist. */
  #known = 0;

  constructor(scope: StreamScope) {
    this.#scope = scope;
  }

  /** Every frame below this has arrived and was handed on. */
  get receivedUpTo(): number {
    return this.#next;
  }

  /**
   * Takes a frame. Returns the frames that are now next in order: often just this one, or none.
   *
   * @throws FanfoldError `damaged` for a frame that cannot be of this session
   */
  take(checked: CheckedFrame): readonly CheckedFrame[] {
    const { frame } = checked;
    if (!this.#belongs(checked)) return [];
    this.#known = Math.max(this.#known, frame.type === "heartbeat" ? frame.sequence : frame.sequence + 1);
    if (frame.type === "heartbeat" || frame.sequence < this.#next) return [];
    if (frame.sequence > this.#next) {
      this.#hold(checked);
      return [];
    }
    const ready: CheckedFrame[] = [];
    for (let next: CheckedFrame | undefined = checked; next !== undefined; next = this.#release(this.#next)) {
      ready.push(next);
      this.#next += 1;
    }
    return ready;
  }

  /** What to ask for again, the first ranges. */
  missing(): SequenceRange[] {
    if (this.#known <= this.#next) return [];
    const ranges: SequenceRange[] = [];
    let from = this.#next;
    for (const sequence of [...this.#held.keys()].sort((left, right) => left - right)) {
      if (sequence > from) ranges.push([from, sequence]);
      if (ranges.length === MISSING_RANGES_MAX) return ranges;
      from = sequence + 1;
    }
    if (this.#known > from) ranges.push([from, this.#known]);
    return ranges;
  }

  /**
   * Frames of another epoch or stream are dropped. Lower ones are left over. Higher ones mean that this copy is about to
   * begin again, which is decided elsewhere. The subject is this session's alone: another session on it is a fault.
   */
  #belongs({ frame }: CheckedFrame): boolean {
    const { sessionId, epoch, stream } = this.#scope;
    if (frame.sessionId === sessionId) return frame.epoch === epoch && frame.stream === stream;
    throw new FanfoldError(
      "damaged",
      `cannot receive the stream of session "${sessionId}": frame ${frame.sequence} is of session "${escapeText(frame.sessionId)}"`,
    );
  }

  #hold(checked: CheckedFrame): void {
    const { frame } = checked;
    const bytes = frame.content.length + frame.table.length;
    if (this.#held.has(frame.sequence) || this.#heldBytes + bytes > HELD_BYTES_MAX) return;
    this.#held.set(frame.sequence, checked);
    this.#heldBytes += bytes;
  }

  #release(sequence: number): CheckedFrame | undefined {
    const checked = this.#held.get(sequence);
    if (checked === undefined) return undefined;
    this.#held.delete(sequence);
    this.#heldBytes -= checked.frame.content.length + checked.frame.table.length;
    return checked;
  }
}

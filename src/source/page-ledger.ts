import { FanfoldError } from "../lib/errors.ts";
import type { SpillFile, SpillRecord } from "../lib/spill-file.ts";
import type { UpMessage } from "../protocol/report.ts";

type Want = Extract<UpMessage, { type: "want" }>["want"];

/** A page whose sinks have all said what they want. */
export interface AnsweredPage {
  readonly page: number;
  readonly body: Uint8Array;
  /** The union of what the sinks want, one bit an entry; undefined: all. */
  readonly wants: Uint8Array | undefined;
}

interface Waiting {
  readonly record: SpillRecord;
  readonly entries: number;
  readonly unanswered: Set<string>;
  union: Uint8Array | "all";
}

/**
 * Pages from their discovery to their reading: which sinks have not answered, and the union of their wants (D9)
 * [P-10.2]. Bodies rest in a temporary file, so that discovery may run far ahead of sending.
 */
export class PageLedger {
  readonly #spill: SpillFile;
  readonly #waiting = new Map<number, Waiting>();
  #nextToRead = 0;

  constructor(spill: SpillFile) {
    this.#spill = spill;
  }

  add(
    page: { readonly page: number; readonly entries: number; readonly body: Uint8Array },
    sinkIds: Iterable<string>,
  ): void {
    this.#waiting.set(page.page, {
      record: this.#spill.append(page.body),
      entries: page.entries,
      unanswered: new Set(sinkIds),
      union: new Uint8Array(Math.ceil(page.entries / 8)),
    });
  }

  /**
   * Takes a sink's answer; true when it was the last one that its page waited for. An answer that comes again, or for a page
   * that was read, changes nothing.
   *
   * @throws FanfoldError `damaged` when the bits do not fit the page
   */
  answer(sinkId: string, page: number, want: Want): boolean {
    const waiting = this.#waiting.get(page);
    if (waiting === undefined || !waiting.unanswered.has(sinkId)) return false;
    if (want === "all") waiting.union = "all";
    else if (want !== "none") merge(waiting, decodeBits(want.bits, waiting.entries));
    // Last, so that a sink whose bits are refused is still the one that `drop` finds here.
    waiting.unanswered.delete(sinkId);
    return waiting.unanswered.size === 0;
  }

  /** A sink that left is not waited for; returns the number of pages that only it had not answered. */
  drop(sinkId: string): number {
    let answered = 0;
    for (const page of this.#waiting.values())
      if (page.unanswered.delete(sinkId) && page.unanswered.size === 0) answered += 1;
    return answered;
  }

  /** The next page in order, if all its sinks have answered; it is then forgotten here. */
  take(): AnsweredPage | undefined {
    const waiting = this.#waiting.get(this.#nextToRead);
    if (waiting === undefined || waiting.unanswered.size > 0) return undefined;
    this.#waiting.delete(this.#nextToRead);
    const page = this.#nextToRead;
    this.#nextToRead += 1;
    return { page, body: this.#spill.read(waiting.record), wants: waiting.union === "all" ? undefined : waiting.union };
  }
}

function merge(waiting: Waiting, bits: Uint8Array): void {
  if (waiting.union === "all") return;
  for (const [index, byte] of bits.entries()) waiting.union[index] = (waiting.union[index] ?? 0) | byte;
}

function decodeBits(base64: string, entries: number): Uint8Array {
  const bits = Buffer.from(base64, "base64");
  if (bits.length !== Math.ceil(entries / 8)) {
    throw new FanfoldError(
      "damaged",
      `Read what a sink wants: found ${bits.length} bytes, expected ${Math.ceil(entries / 8)} for ${entries} entries`,
    );
  }
  return bits;
}

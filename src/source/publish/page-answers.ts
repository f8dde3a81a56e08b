import { hasBit } from "../../lib/bits.ts";
import type { SpillFile, SpillRecord } from "../../lib/disk/spill-file.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { type PageRows, readRows } from "../../protocol/frame/page-rows.ts";
import type { UpMessage } from "../../protocol/frame/report.ts";
import { PIECE_HASH_BYTES } from "../../protocol/limits.ts";
import { type Deltas, decodeOlder, deltasOf, NONE_OLDER, type OlderVersions } from "../delta/older-versions.ts";
import type { HeldEnd } from "../read/content-plan.ts";
import type { WalkedPage } from "../walk/page-maker.ts";

type SinkWant = Extract<UpMessage, { type: "want" }>;
type WantedFiles = SinkWant["want"];

/** By the index of a file in its page: what each sink that wants it holds of it. None of them holds nothing. */
export type Skips = readonly (readonly [index: number, ends: readonly HeldEnd[]])[];

/** A page whose sinks have all said what they want. */
interface AnsweredPage {
  readonly page: number;
  readonly body: Uint8Array;
  readonly traits: Uint8Array;
  /** The union of what the sinks want, one bit an entry; undefined: all. */
  readonly wants: Uint8Array | undefined;
  readonly skips: Skips;
  readonly deltas: Deltas;
}

interface SinkAnswer {
  readonly want: Uint8Array | "all" | "none";
  readonly held: ReadonlyMap<number, HeldEnd>;
  readonly older: OlderVersions;
}

interface UnansweredPage {
  readonly record: SpillRecord;
  readonly traits: SpillRecord;
  readonly entries: number;
  readonly unanswered: Set<string>;
  /** What has been answered; folded into one when the last answer is there. */
  readonly answers: Map<string, SinkAnswer>;
  folded: Pick<AnsweredPage, "wants" | "skips" | "deltas"> | undefined;
}

/**
 * Pages from their discovery to their reading: which sinks have not answered, and the union of their wants (D9)
 * [P-10.2]. Bodies rest in a temporary file, so that discovery may run far ahead of sending.
 */
export class PageAnswers {
  readonly #spill: SpillFile;
  readonly #waiting = new Map<number, UnansweredPage>();
  readonly #unansweredOf = new Map<string, number>();
  #nextToRead = 0;

  constructor(spill: SpillFile) {
    this.#spill = spill;
  }

  add(page: Pick<WalkedPage, "page" | "entries" | "body" | "traits">, sinkIds: Iterable<string>): void {
    const waiting: UnansweredPage = {
      record: this.#spill.append(page.body),
      traits: this.#spill.append(page.traits),
      entries: page.entries,
      unanswered: new Set(sinkIds),
      answers: new Map(),
      folded: undefined,
    };
    for (const sinkId of waiting.unanswered) this.#count(sinkId, 1);
    this.#waiting.set(page.page, waiting);
    this.#fold(waiting);
  }

  /** Pages this sink has not answered. */
  unansweredOf(sinkId: string): number {
    return this.#unansweredOf.get(sinkId) ?? 0;
  }

  /** Whether the page to be read next waits for this sink's answer. */
  isHeldBy(sinkId: string): boolean {
    return this.#waiting.get(this.#nextToRead)?.unanswered.has(sinkId) ?? false;
  }

  /**
   * Takes a sink's answer; true when it was the last one that its page waited for. An answer that comes again, or for a page
   * that was read, changes nothing.
   *
   * @throws FanfoldError `damaged` when the bits, or what it holds, do not fit the page
   */
  answer(
    sinkId: string,
    page: number,
    want: WantedFiles,
    { held = [], older = [], same }: Pick<SinkWant, "held" | "older" | "same"> = {},
  ): boolean {
    const waiting = this.#waiting.get(page);
    if (waiting === undefined || !waiting.unanswered.has(sinkId)) return false;
    const wanted = typeof want === "string" ? want : decodeBits(want.bits, waiting.entries);
    const ends = decodeHeld(held, waiting.entries);
    if (same !== undefined) addSame(ends, same, this.#rows(waiting));
    waiting.answers.set(sinkId, {
      want: wanted,
      held: ends,
      older:
        older.length === 0
          ? NONE_OLDER
          : decodeOlder(older, this.#rows(waiting), (index) => isWanted({ want: wanted }, index)),
    });
    // Last, so that a sink whose answer is refused is still the one that `drop` finds here.
    return this.#answered(sinkId, waiting);
  }

  /** A sink that left is not waited for, nor served; returns the number of pages that only it had not answered. */
  drop(sinkId: string): number {
    let answered = 0;
    for (const waiting of this.#waiting.values()) {
      waiting.answers.delete(sinkId);
      if (waiting.unanswered.has(sinkId) && this.#answered(sinkId, waiting)) answered += 1;
    }
    return answered;
  }

  /** The next page in order, if all its sinks have answered; it is then forgotten here. */
  take(): AnsweredPage | undefined {
    const waiting = this.#waiting.get(this.#nextToRead);
    if (waiting?.folded === undefined) return undefined;
    this.#waiting.delete(this.#nextToRead);
    const page = this.#nextToRead;
    this.#nextToRead += 1;
    const [body, traits] = [this.#spill.read(waiting.record), this.#spill.read(waiting.traits)];
    return { page, body, traits, ...waiting.folded };
  }

  #answered(sinkId: string, waiting: UnansweredPage): boolean {
    waiting.unanswered.delete(sinkId);
    this.#count(sinkId, -1);
    return this.#fold(waiting);
  }

  #count(sinkId: string, change: number): void {
    this.#unansweredOf.set(sinkId, this.unansweredOf(sinkId) + change);
  }

  /** Makes one of all answers, if they are all there. */
  #fold(waiting: UnansweredPage): boolean {
    if (waiting.unanswered.size > 0) return false;
    const answers = [...waiting.answers.values()].filter(({ want }) => want !== "none");
    const [wants, skips] = [unionOf(answers, waiting.entries), skipsOf(answers)];
    waiting.folded = { wants, skips, deltas: this.#deltas(waiting, answers) };
    waiting.answers.clear();
    return true;
  }

  #deltas(waiting: UnansweredPage, answers: readonly SinkAnswer[]): Deltas {
    if (answers.every(({ older }) => older === NONE_OLDER)) return [];
    const wanting = answers.map((answer) => ({
      older: answer.older,
      isWanted: (index: number) => isWanted(answer, index),
    }));
    return deltasOf(this.#rows(waiting), wanting);
  }

  #rows({ record }: UnansweredPage): PageRows {
    return readRows(this.#spill.read(record));
  }
}

function unionOf(answers: readonly SinkAnswer[], entries: number): Uint8Array | undefined {
  const union = new Uint8Array(Math.ceil(entries / 8));
  for (const { want } of answers) {
    if (want === "all") return undefined;
    if (want !== "none") for (const [index, byte] of want.entries()) union[index] = (union[index] ?? 0) | byte;
  }
  return union;
}

function skipsOf(answers: readonly SinkAnswer[]): Skips {
  const skips: [number, HeldEnd[]][] = [];
  const indexes = new Set(answers.flatMap(({ held }) => [...held.keys()]));
  for (const index of [...indexes].sort((one, other) => one - other)) {
    const wanting = answers.filter((answer) => isWanted(answer, index));
    const ends = wanting.flatMap(({ held }) => held.get(index) ?? []);
    if (ends.length > 0 && ends.length === wanting.length) skips.push([index, ends]);
  }
  return skips;
}

function isWanted({ want }: Pick<SinkAnswer, "want">, index: number): boolean {
  if (typeof want === "string") return want === "all";
  return hasBit(want, index);
}

/** @throws FanfoldError `damaged` when they do not fit a page of so many entries */
export function decodeBits(base64: string, entries: number): Uint8Array {
  const bits = Buffer.from(base64, "base64");
  if (bits.length !== Math.ceil(entries / 8)) {
    throw new FanfoldError(
      "damaged",
      `cannot read what a sink wants: found ${bits.length} bytes, expected ${Math.ceil(entries / 8)} for ${entries} entries`,
    );
  }
  return bits;
}

function decodeHeld(held: NonNullable<SinkWant["held"]>, entries: number): Map<number, HeldEnd> {
  const ends = new Map<number, HeldEnd>();
  for (const [index, bytes, hash] of held) {
    if (index >= entries)
      throw new FanfoldError("damaged", `cannot read what a sink holds: entry ${index} of a page of ${entries}`);
    if (bytes > 0) ends.set(index, { bytes, hash: Buffer.from(hash, "hex") });
  }
  return ends;
}

/** Whose whole content a sink may hold: it ends where the page says that the file does. @throws FanfoldError `damaged` */
function addSame(ends: Map<number, HeldEnd>, same: NonNullable<SinkWant["same"]>, rows: PageRows): void {
  const bits = decodeBits(same.bits, rows.count);
  const hashes = Buffer.from(same.hashes, "base64");
  let at = 0;
  for (let index = 0; index < rows.count; index += 1) {
    if (!hasBit(bits, index)) continue;
    const hash = hashes.subarray(at, at + PIECE_HASH_BYTES);
    if (!rows.isFile(index) || hash.length < PIECE_HASH_BYTES)
      throw new FanfoldError("damaged", `cannot read what a sink holds: entry ${index} is no file, or has no hash`);
    at += PIECE_HASH_BYTES;
    if (rows.size(index) > 0) ends.set(index, { bytes: rows.size(index), hash });
  }
  if (at < hashes.length)
    throw new FanfoldError("damaged", `cannot read what a sink holds: ${hashes.length - at} bytes of hashes are left`);
}

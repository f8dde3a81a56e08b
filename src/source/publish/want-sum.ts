import { hasBit } from "../../lib/bits.ts";
import { sumBytes } from "../../lib/memory/sum-bytes.ts";
import { entryDisplay, type FileEntry } from "../../protocol/frame/page.ts";
import { roomOf } from "../../protocol/frame/page-file.ts";
import { decodePage } from "../../protocol/frame/page-rows.ts";
import type { UpMessage } from "../../protocol/frame/report.ts";
import { decodeBits } from "./page-answers.ts";

type PageWant = Extract<UpMessage, { type: "want" }>["want"];

/** Files, and the sum of their sizes in bytes. */
export interface Amount {
  readonly files: number;
  readonly bytes: number;
}

export interface WantedAmount extends Amount {
  /** The bytes, less holes: what would be sent. */
  readonly roomBytes: number;
}

/** A file that at least one sink wants. */
interface WantedFile {
  readonly path: string;
  /** Less holes. */
  readonly bytes: number;
  /** How many of them. */
  readonly sinks: number;
}

interface UnsummedPage {
  readonly body: Uint8Array;
  readonly entries: number;
  readonly unanswered: Set<string>;
  readonly wants: Map<string, Uint8Array | "all" | "none">;
}

const NOTHING: WantedAmount = { files: 0, bytes: 0, roomBytes: 0 };

/** Sums up what the sinks want, page by page in order. It holds no more pages than are published without all answers. Pure. */
export class WantSum {
  readonly #waiting = new Map<number, UnsummedPage>();
  readonly #bySink = new Map<string, WantedAmount>();
  #once = NOTHING;
  #taken = 0;

  /** Pages that were summed up. */
  get pages(): number {
    return this.#taken;
  }

  /** What would be sent once, because at least one sink wants it. */
  get once(): WantedAmount {
    return this.#once;
  }

  of(sinkId: string): WantedAmount {
    return this.#bySink.get(sinkId) ?? NOTHING;
  }

  add(
    page: { readonly page: number; readonly entries: number; readonly body: Uint8Array },
    sinkIds: Iterable<string>,
  ): void {
    const { body, entries } = page;
    this.#waiting.set(page.page, { body, entries, unanswered: new Set(sinkIds), wants: new Map() });
  }

  /** Whether an answer of this sink is waited for. */
  waitsFor(sinkId: string): boolean {
    return [...this.#waiting.values()].some(({ unanswered }) => unanswered.has(sinkId));
  }

  /** Takes an answer; one that comes again changes nothing. @throws FanfoldError `damaged` when it does not fit the page */
  answer(sinkId: string, page: number, want: PageWant): void {
    const waiting = this.#waiting.get(page);
    if (waiting === undefined || !waiting.unanswered.has(sinkId)) return;
    waiting.wants.set(sinkId, typeof want === "string" ? want : decodeBits(want.bits, waiting.entries));
    waiting.unanswered.delete(sinkId);
  }

  /** A sink that is gone is not waited for any more. */
  drop(sinkId: string): void {
    for (const { unanswered, wants } of this.#waiting.values()) {
      unanswered.delete(sinkId);
      wants.delete(sinkId);
    }
  }

  /** The files of the next page, once all sinks have answered it: those that any of them wants. */
  take(): readonly WantedFile[] | undefined {
    const waiting = this.#waiting.get(this.#taken);
    if (waiting === undefined || waiting.unanswered.size > 0) return undefined;
    this.#waiting.delete(this.#taken);
    this.#taken += 1;
    const wanted: WantedFile[] = [];
    for (const [index, entry] of decodePage(waiting.body).entries.entries()) {
      if (entry.kind !== "file") continue;
      const sinkIds = [...waiting.wants].filter(([, want]) => isWanted(want, index)).map(([sinkId]) => sinkId);
      if (sinkIds.length === 0) continue;
      for (const sinkId of sinkIds) this.#bySink.set(sinkId, plus(this.of(sinkId), entry));
      this.#once = plus(this.#once, entry);
      wanted.push({ path: entryDisplay(entry), bytes: roomOf(entry), sinks: sinkIds.length });
    }
    return wanted;
  }
}

function plus({ files, bytes, roomBytes }: WantedAmount, more: FileEntry): WantedAmount {
  return {
    files: files + 1,
    bytes: sumBytes(bytes, more.size),
    roomBytes: sumBytes(roomBytes, roomOf(more)),
  };
}

function isWanted(want: Uint8Array | "all" | "none", index: number): boolean {
  if (typeof want === "string") return want === "all";
  return hasBit(want, index);
}

import { sumBytes } from "../../lib/memory/sum-bytes.ts";
import { NOT_CARRIED_EXAMPLES_MAX, PROBLEMS_LISTED_MAX } from "../../protocol/limits.ts";
import { fitPath, fitProblem } from "../../protocol/messages/fit-message.ts";
import type { CopyProgress, Problem } from "../../protocol/messages/progress.ts";
import type { WalkedPage } from "../walk/page-maker.ts";
import type { WalkOutput } from "../walk/walk-output.ts";

/** Content of one frame, as it is in the files, and what compression kept off the wire of it. */
interface SentContent {
  readonly contentBytes: number;
  readonly savedBytes: number;
}

/** And of its files, what sinks take from what they hold. */
interface FrameContent extends SentContent {
  readonly keptBytes: number;
}

/** What is done with a frame that is stored. */
interface DoneFrame {
  readonly doneBytes: number;
  readonly doneFiles: number;
  readonly keptBytes?: number;
}

/** Counts of a session, as the source knows them. Numbers never go down, and nothing done is above what was found. */
export class ProgressTally {
  readonly #startMs: number;
  readonly #notCarried = new Map<string, number>();
  readonly #notCarriedExamples = new Map<string, string[]>();
  readonly #problems: Problem[] = [];
  #problemCount = 0;
  #files = 0;
  #directories = 0;
  #symlinks = 0;
  #hardlinks = 0;
  #specials = 0;
  #bytesFound = 0;
  #filesDone = 0;
  #bytesDone = 0;
  #bytesSent = 0;
  #bytesSentAgain = 0;
  #bytesSaved = 0;
  #bytesKept = 0;
  #bytesKeptDone = 0;
  #bytesNotNeeded = 0;
  #filesGrew = 0;
  #current = "";
  discoveryEnded = false;

  constructor(nowMs: number) {
    this.#startMs = nowMs;
  }

  get problemCount(): number {
    return this.#problemCount;
  }

  get totals(): { readonly filesFound: number; readonly bytesFound: number } {
    return { filesFound: this.#files, bytesFound: this.#bytesFound };
  }

  found(page: WalkedPage): void {
    this.#files += page.files;
    this.#directories += page.directories;
    this.#symlinks += page.symlinks;
    this.#hardlinks += page.hardlinks;
    this.#specials += page.specials;
    this.#bytesFound = sumBytes(this.#bytesFound, page.bytes);
  }

  notCarried({ what, count = 1, path }: Extract<WalkOutput, { type: "not-carried" }>): void {
    this.#notCarried.set(what, (this.#notCarried.get(what) ?? 0) + count);
    const examples = this.#notCarriedExamples.get(what) ?? [];
    if (path === undefined || examples.length >= NOT_CARRIED_EXAMPLES_MAX) return;
    this.#notCarriedExamples.set(what, [...examples, fitPath(path)]);
  }

  /** A file grew while it was read, and was delivered up to its size before. */
  grew(): void {
    this.#filesGrew += 1;
  }

  problem(problem: Problem): void {
    this.#problemCount += 1;
    if (this.#problems.length < PROBLEMS_LISTED_MAX) this.#problems.push(fitProblem(problem));
  }

  sent({ contentBytes, savedBytes, keptBytes }: FrameContent, current: string): void {
    this.#bytesSent += contentBytes;
    this.#bytesKept = sumBytes(this.#bytesKept, keptBytes);
    this.#bytesSaved += savedBytes;
    if (current !== "") this.#current = fitPath(current);
  }

  sentAgain({ contentBytes, savedBytes }: SentContent): void {
    this.#bytesSentAgain += contentBytes;
    this.#bytesSaved += savedBytes;
  }

  elapsedMs(nowMs: number): number {
    return nowMs - this.#startMs;
  }

  /** Files that no sink wanted. */
  notNeeded(bytes: number): void {
    this.#bytesNotNeeded = sumBytes(this.#bytesNotNeeded, bytes);
  }

  get bytesSent(): number {
    return this.#bytesSent;
  }

  get bytesSentAgain(): number {
    return this.#bytesSentAgain;
  }

  /** Of what was sent, and sent again, what compression kept off the wire. */
  get bytesSaved(): number {
    return this.#bytesSaved;
  }

  /** Stored by every live sink, or given up: bytes as found, and files. */
  done({ doneBytes, doneFiles, keptBytes = 0 }: DoneFrame): void {
    this.#bytesDone = Math.min(this.#bytesDone + doneBytes, this.#bytesFound);
    this.#filesDone = Math.min(this.#filesDone + doneFiles, this.#files);
    this.#bytesKeptDone = Math.min(this.#bytesKeptDone + keptBytes, this.#bytesDone);
  }

  /** The counts at this time, of one stream: at what rate all of them send, and for whom, it does not know. */
  snapshot(nowMs: number): Omit<CopyProgress, "bytesCaughtUp" | "rateBytesPerSecond"> {
    return {
      filesFound: this.#files,
      filesDone: this.#filesDone,
      bytesFound: this.#bytesFound,
      bytesDone: this.#bytesDone,
      discoveryEnded: this.discoveryEnded,
      bytesUnchanged: Math.min(this.#bytesNotNeeded, this.#bytesDone),
      bytesKept: this.#bytesKeptDone,
      bytesSent: this.#bytesSent,
      bytesSentAgain: this.#bytesSentAgain,
      currentFile: this.#current,
      elapsedMs: nowMs - this.#startMs,
    };
  }

  summaryCounts(nowMs: number) {
    return {
      files: this.#files,
      directories: this.#directories,
      symlinks: this.#symlinks,
      hardlinks: this.#hardlinks,
      specials: this.#specials,
      notCarried: Object.fromEntries(this.#notCarried),
      notCarriedExamples: Object.fromEntries(this.#notCarriedExamples),
      bytes: this.#bytesFound,
      bytesSent: this.#bytesSent,
      bytesSentAgain: this.#bytesSentAgain,
      bytesSaved: this.#bytesSaved,
      bytesKept: this.#bytesKept,
      bytesNotNeeded: this.#bytesNotNeeded,
      filesGrew: this.#filesGrew,
      elapsedMs: nowMs - this.#startMs,
      problemCount: this.#problemCount,
      problems: this.#problems,
    };
  }
}

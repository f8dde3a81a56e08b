import { abortError } from "../../lib/async/abort.ts";
import { FanfoldError } from "../../lib/errors.ts";
import type { Link } from "./link.ts";

/** One publish on its way: the frame as the pieces it is written in. */
interface LineFrame {
  readonly subject: string;
  readonly pieces: readonly Uint8Array[];
  readonly bytes: number;
}

interface LineEntry {
  readonly frame: LineFrame;
  /** Lets the publisher go; without an error its frame was handed to the link. */
  settle(error?: FanfoldError): void;
  settled: boolean;
}

/** Bytes handed to the socket that the operating system has not taken. More would only move the queue. */
const UNSENT_BYTES_MAX = 4 * 1024 * 1024;

/**
 * Publishers in the order they came, held while the link is down or has its fill. A frame that was being written when the
 * link broke goes first on the next link. Its payload is still ours, because its publisher still waits.
 */
export class PublishLine {
  #waiting = new Set<LineEntry>();
  readonly #writing = new Set<LineEntry>();
  #unsentBytes = 0;
  #link: Link | undefined;
  #ended: FanfoldError | undefined;
  #idle: (() => void)[] = [];

  /**
   * Resolves when the operating system has the whole frame. After an abort, a frame that was being written is still
   * written: the link could not tell its rest from the next frame otherwise.
   *
   * @throws FanfoldError `broker-lost` when the signal aborts while there is no link, else the signal's reason; or
   *   whatever `end` or `refuse` was called with
   */
  publish(frame: LineFrame, signal: AbortSignal): Promise<void> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise<void>((resolve, reject) => {
      const abort = (): void => entry.settle(this.#link === undefined ? linkDown(signal) : abortError(signal));
      const entry: LineEntry = {
        frame,
        settled: false,
        settle: (error) => {
          if (entry.settled) return;
          entry.settled = true;
          signal.removeEventListener("abort", abort);
          this.#waiting.delete(entry);
          if (error === undefined) resolve();
          else reject(error);
          this.#tellIdle();
        },
      };
      signal.addEventListener("abort", abort, { once: true });
      this.#waiting.add(entry);
      this.#pump();
    });
  }

  /** A new link is there, and takes frames from now on. */
  up(link: Link): void {
    this.#link = link;
    this.#unsentBytes = 0;
    this.#pump();
  }

  /** The link broke: what it had not taken waits for the next one. */
  down(): void {
    this.#link = undefined;
    this.#waiting = new Set([...this.#writing, ...this.#waiting].filter((entry) => !entry.settled));
    this.#writing.clear();
  }

  /** Turns away those who wait to publish on a subject. */
  refuse(subject: string, error: FanfoldError): void {
    for (const entry of [...this.#waiting, ...this.#writing]) {
      if (entry.frame.subject === subject) entry.settle(error);
    }
  }

  /** Turns away everyone who waits, and everyone who comes. */
  end(error: FanfoldError): void {
    this.#ended ??= error;
    for (const entry of [...this.#waiting, ...this.#writing]) entry.settle(this.#ended);
  }

  /** Resolves when nobody waits. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle.push(resolve);
      this.#tellIdle();
    });
  }

  #pump(): void {
    const link = this.#link;
    if (link === undefined) return;
    for (const entry of this.#waiting) {
      const { bytes } = entry.frame;
      if (this.#unsentBytes > 0 && this.#unsentBytes + bytes > UNSENT_BYTES_MAX) return;
      this.#waiting.delete(entry);
      this.#writing.add(entry);
      this.#unsentBytes += bytes;
      link.write(entry.frame.pieces, (failed) => {
        // After `down` the entry waits again, or goes over the next link: this link has nothing to say about it.
        if (this.#link !== link || failed) return;
        this.#writing.delete(entry);
        this.#unsentBytes -= bytes;
        entry.settle();
        this.#pump();
      });
    }
  }

  #tellIdle(): void {
    if (this.#idle.length === 0 || this.#waiting.size > 0) return;
    for (const entry of this.#writing) if (!entry.settled) return;
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }
}

function linkDown(signal: AbortSignal): FanfoldError {
  const text = "cannot publish: the link to the relay is down and did not come back in time";
  return new FanfoldError("broker-lost", text, { cause: signal.reason });
}

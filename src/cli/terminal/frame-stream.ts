import { Writable } from "node:stream";
import type { Output } from "../process/program-io.ts";

/** Terminals that know these show what is between them at once; others ignore them. */
const BEGIN_FRAME = "\x1b[?2026h";
const END_FRAME = "\x1b[?2026l";

/**
 * Stands between a drawing library, which writes a frame in dozens of small pieces, and the terminal: the pieces of one
 * turn of the event loop become one write, and a frame that equals the one before is not written at all.
 */
export class FrameStream extends Writable {
  readonly isTTY = true;
  readonly #output: Output;
  #pending = "";
  #previous = "";

  constructor(output: Output) {
    super({ decodeStrings: false });
    this.#output = output;
  }

  get columns(): number {
    return this.#output.columns ?? 80;
  }

  get rows(): number {
    return this.#output.rows ?? 24;
  }

  override _write(chunk: unknown, _encoding: BufferEncoding, done: () => void): void {
    if (this.#pending === "") queueMicrotask(() => this.flush());
    this.#pending += String(chunk);
    done();
  }

  /** Writes what waits. */
  flush(): void {
    const frame = this.#pending;
    this.#pending = "";
    if (frame === "" || frame === this.#previous) return;
    this.#previous = frame;
    this.#output.write(BEGIN_FRAME + frame + END_FRAME);
  }

  /** Writes past the frames. */
  raw(text: string): void {
    this.#output.write(text);
  }

  /** The terminal shows something else by now: the next frame is written, whatever it is. */
  forget(): void {
    this.#previous = "";
  }
}

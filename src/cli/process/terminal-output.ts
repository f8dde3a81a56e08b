import type { WriteStream } from "node:tty";
import type { Output } from "./program-io.ts";

/** What waits for a terminal that does not read, in bytes; beyond it lines are not shown. */
const BACKLOG_BYTES_MAX = 1024 * 1024;

/** The part of Node.js's stream that says whether a write waits until the terminal has taken it. */
interface BlockingHandle {
  setBlocking?(blocking: boolean): unknown;
}

/**
 * A terminal that cannot stop the process. Node.js waits in each write until the terminal has taken it. A terminal that
 * does not read (Ctrl-S, a multiplexer that hangs) would stop the copy and the signals.
 */
export class TerminalOutput implements Output {
  readonly isTTY = true;
  readonly #stream: WriteStream;

  constructor(stream: WriteStream) {
    this.#stream = stream;
    const { _handle: handle } = stream as { readonly _handle?: BlockingHandle };
    handle?.setBlocking?.(false);
  }

  get columns(): number {
    return this.#stream.columns;
  }

  get rows(): number {
    return this.#stream.rows;
  }

  /** It has not read what was written before. */
  get isBehind(): boolean {
    return this.#stream.writableNeedDrain;
  }

  write(text: string): void {
    if (this.#stream.writableLength < BACKLOG_BYTES_MAX) this.#stream.write(text);
  }

  on(event: "resize", listener: () => void): void {
    this.#stream.on(event, listener);
  }

  off(event: "resize", listener: () => void): void {
    this.#stream.off(event, listener);
  }
}

import readline from "node:readline";
import { Writable } from "node:stream";
import { stringWidth } from "../../../src/cli/view/fit.ts";

/**
 * A terminal in memory: what is written is carried out on lines of cells, so that tests see what a person would. It
 * knows what our libraries use, and refuses everything else.
 */
export class TerminalScreen extends Writable {
  readonly isTTY = true;
  columns: number;
  rows: number;
  cursorVisible = true;
  wrapping = true;
  /** How often something was written that began a frame. */
  writes = 0;
  #lines: string[][] = [[]];
  #row = 0;
  #column = 0;

  constructor(columns = 80, rows = 24) {
    super({ decodeStrings: false });
    this.columns = columns;
    this.rows = rows;
  }

  /** Everything from the first line on, what scrolled away included. */
  get text(): string {
    return this.#lines
      .map((cells) => cells.join("").trimEnd())
      .join("\n")
      .trimEnd();
  }

  get lines(): string[] {
    return this.text.split("\n");
  }

  override _write(chunk: unknown, _encoding: BufferEncoding, done: () => void): void {
    this.writes += 1;
    this.#run(String(chunk));
    done();
  }

  // What `tty.WriteStream` has and ora uses.
  cursorTo(x: number, y?: number): boolean {
    return readline.cursorTo(this, x, y);
  }

  moveCursor(dx: number, dy: number): boolean {
    return readline.moveCursor(this, dx, dy);
  }

  clearLine(direction: -1 | 0 | 1): boolean {
    return readline.clearLine(this, direction);
  }

  #run(text: string): void {
    for (const [piece] of text.matchAll(/\x1b\[[?0-9;]*[A-Za-z]|\n|\r|[^\x1b\n\r]/gu)) {
      if (piece === "\n") this.#newline();
      else if (piece === "\r") this.#column = 0;
      else if (piece.startsWith("\x1b")) this.#control(piece.slice(2));
      else this.#put(piece);
    }
  }

  #control(code: string): void {
    const count = Math.max(1, Number.parseInt(code, 10) || 1);
    if (code === "?25l" || code === "?25h") this.cursorVisible = code.endsWith("h");
    else if (code === "?7l" || code === "?7h") this.wrapping = code.endsWith("h");
    else if (/^\d*A$/.test(code)) this.#row = Math.max(0, this.#row - count);
    else if (/^\d*B$/.test(code)) this.#row = Math.min(this.#lines.length - 1, this.#row + count);
    else if (/^\d*G$/.test(code)) this.#column = count - 1;
    else if (/^0?K$/.test(code)) this.#line().length = Math.min(this.#line().length, this.#column);
    else if (code === "2K") this.#line().length = 0;
    else if (/^0?J$/.test(code)) this.#clearDown();
    else if (!/^(\?2026[hl]|[\d;]*m)$/.test(code))
      throw new Error(`The terminal in memory does not know ESC [ ${code}`);
  }

  #put(character: string): void {
    const width = stringWidth(character);
    if (this.#column + width > this.columns) {
      if (!this.wrapping) this.#column = this.columns - width;
      else this.#newline();
    }
    const line = this.#line();
    while (line.length < this.#column) line.push(" ");
    line[this.#column] = character;
    if (width === 2) line[this.#column + 1] = "";
    this.#column += width;
  }

  #newline(): void {
    this.#row += 1;
    this.#column = 0;
    if (this.#row === this.#lines.length) this.#lines.push([]);
  }

  #clearDown(): void {
    this.#line().length = Math.min(this.#line().length, this.#column);
    this.#lines.length = this.#row + 1;
  }

  #line(): string[] {
    const line = this.#lines[this.#row];
    if (line === undefined) throw new Error("The cursor left the terminal in memory");
    return line;
  }
}

import { Writable } from "node:stream";
import { stringWidth } from "../../../src/cli/view/text/fit.ts";

/**
 * A terminal in memory: what is written is carried out on lines of cells, so that tests see what a person would. It
 * knows what our libraries use, and refuses everything else.
 */
export class TerminalScreen extends Writable {
  readonly isTTY = true;
  /** What it says of its size. */
  columns: number;
  rows: number;
  cursorVisible = true;
  wrapping = true;
  /** How often something was written that began a frame. */
  writes = 0;
  /** How wide it is. */
  #width: number;
  #lines: string[][] = [[]];
  #row = 0;
  #column = 0;

  constructor(columns = 80, rows = 24) {
    super({ decodeStrings: false });
    this.columns = columns;
    this.rows = rows;
    this.#width = columns > 0 ? columns : 80;
  }

  /** Becomes narrower, and wraps what is too wide by now. What it says of its size changes later, as in tmux. */
  narrow(width: number): void {
    const before = this.#lines;
    const row = this.#row;
    this.#width = width;
    this.#lines = [];
    before.forEach((cells, index) => {
      if (index === row) this.#row = this.#lines.length + Math.floor(this.#column / width);
      for (let at = 0; at === 0 || at < cells.length; at += width) this.#lines.push(cells.slice(at, at + width));
    });
    this.#column %= width;
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
    if (this.#column + width > this.#width) {
      if (!this.wrapping) this.#column = this.#width - width;
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

import ora, { type Ora } from "ora";
import type { Clock } from "../../lib/clock.ts";
import type { Output } from "../process/program-io.ts";
import { columnsOf, rowsOf } from "../process/terminal-size.ts";
import { asciiText } from "../view/text/ascii.ts";
import { fitEnd } from "../view/text/fit.ts";
import type { Screen, ScreenSize } from "../view/view.ts";
import { watchSuspension } from "./suspension.ts";

interface ScreenPainterOptions {
  /** A terminal. */
  readonly output: Output;
  readonly clock: Clock;
  readonly colour: boolean;
  /** False: it shows nothing but ASCII. */
  readonly unicode: boolean;
  /** Gives what is to be seen now; called at most ten times a second. */
  readonly draw: (size: ScreenSize) => Screen;
}

const FRAMES_PER_SECOND = 10;
/** Room that the spinner takes beside its text. */
const SPINNER_COLUMNS = 2;
/** Clearing the rest of a line that fills the terminal would clear its last character. */
const EDGE_COLUMNS = 1;
/** Terminals that know these show what is between them at once; others ignore them. */
const BEGIN_FRAME = "\x1b[?2026h";
const END_FRAME = "\x1b[?2026l";
const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";
const WRAP = "\x1b[?7h";
const NO_WRAP = "\x1b[?7l";
const CLEAR_DOWN = "\x1b[J";
const CLEAR_RIGHT = "\x1b[K";

/**
 * Draws a screen at the bottom of a terminal, ten times a second at most, whatever the pace of the events.
 *
 * Between two frames the hidden cursor stands at the beginning of the screen. So the painter need not remember the last
 * frame. A terminal that becomes narrower may wrap the lines, but it keeps the cursor at the first one. If that line has
 * scrolled away, tmux puts the cursor at the top of what is seen. What scrolled away is out of reach: it stays as it is.
 */
export class ScreenPainter {
  readonly #options: ScreenPainterOptions;
  /** Gives the frames of its spinner. Never started: it would write by itself, and stand in the way of all other output. */
  readonly #spinner: Ora;
  readonly #watches = new DisposableStack();
  /** The frame that the terminal shows, empty when something else stands there; undefined while there is no screen. */
  #shown: string | undefined;
  #closed = false;

  constructor(options: ScreenPainterOptions) {
    const { output, clock, colour, unicode } = options;
    this.#options = options;
    this.#spinner = ora({ isEnabled: false, color: colour ? "cyan" : false, spinner: unicode ? "dots" : "line" });
    const resized = (): void => this.#paintAnew();
    output.on?.("resize", resized);
    this.#watches.defer(() => output.off?.("resize", resized));
    // At any exit, also one that was not foreseen.
    const exiting = (): void => this.close();
    process.on("exit", exiting);
    this.#watches.defer(() => process.off("exit", exiting));
    this.#watches.use(watchSuspension({ suspended: () => this.#clear(), resumed: () => this.#paintAnew() }));
    this.#watches.use(clock.every(1000 / FRAMES_PER_SECOND, () => this.#paint()));
  }

  /** Prints lines that stay, above the screen. */
  print(text: string, target: Output): void {
    const { output } = this.#options;
    if (this.#shown === undefined) {
      target.write(`${text}\n`);
      return;
    }
    if (target.isTTY !== true) {
      // What is no terminal may be shown by the same one all the same (`ssh host fanfold … --progress bar`).
      if (output.isAssumed === true) this.#clear();
      target.write(`${text}\n`);
      if (output.isAssumed === true) this.#paint();
      return;
    }
    output.write(WRAP);
    target.write(`${text.replaceAll("\n", `${CLEAR_RIGHT}\n`)}${CLEAR_RIGHT}\n`);
    output.write(NO_WRAP);
    this.#paintAnew();
  }

  /** Takes the screen away; the cursor is where the next line goes. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#watches.dispose();
    this.#clear();
  }

  #paint(): void {
    const { output } = this.#options;
    const lines = this.#options.unicode ? this.#lines() : this.#lines()?.map(asciiText);
    if (lines === undefined) {
      this.#clear();
      return;
    }
    // It is cleared from the end of the last line. From the beginning of the first line, tmux would take it for a cleared
    // terminal and keep every frame in its history.
    const up = lines.length > 1 ? `\x1b[${lines.length - 1}A` : "";
    const frame = `${lines.join(`${CLEAR_RIGHT}\n`)}${CLEAR_DOWN}${up}\r`;
    // A terminal that has not read the frame before gets no other.
    if (frame === this.#shown || output.isBehind === true) return;
    const begin = this.#shown === undefined || this.#shown === "" ? HIDE_CURSOR + NO_WRAP : "";
    this.#shown = frame;
    output.write(BEGIN_FRAME + begin + frame + END_FRAME);
  }

  /** Something else stands where the screen was. */
  #paintAnew(): void {
    if (this.#shown !== undefined) this.#shown = "";
    this.#paint();
  }

  /** The lines to be seen now; undefined when there is nothing to show. */
  #lines(): readonly string[] | undefined {
    const { output, draw } = this.#options;
    const size = { columns: Math.max(1, columnsOf(output) - EDGE_COLUMNS), rows: Math.max(2, rowsOf(output)) };
    const screen = draw(size);
    if (screen.kind === "none") return undefined;
    if (screen.kind === "lines") return screen.lines.slice(0, size.rows - 1);
    const beside = draw({ ...size, columns: Math.max(1, size.columns - SPINNER_COLUMNS) });
    this.#spinner.text = beside.kind === "waiting" ? beside.text : "";
    const lines = this.#spinner.frame().split("\n");
    return lines.slice(0, size.rows - 1).map((line) => fitEnd(line, size.columns));
  }

  #clear(): void {
    if (this.#shown === undefined) return;
    this.#shown = undefined;
    this.#options.output.write(`\r${CLEAR_DOWN}${WRAP}${SHOW_CURSOR}`);
  }
}

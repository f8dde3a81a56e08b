import type { MultiBar } from "cli-progress";
import cliProgress from "cli-progress";
import ora, { type Ora } from "ora";
import type { Clock } from "../../lib/clock.ts";
import type { Output } from "../process/program-io.ts";
import { stringWidth } from "../view/fit.ts";
import type { Screen, ScreenSize } from "../view/view.ts";
import { FrameStream } from "./frame-stream.ts";

interface ScreenPainterOptions {
  /** A terminal. */
  readonly output: Output;
  readonly clock: Clock;
  readonly colour: boolean;
  /** Gives what is to be seen now; called at most ten times a second. */
  readonly draw: (size: ScreenSize) => Screen;
}

const FRAMES_PER_SECOND = 10;
/** Room that ora's spinner takes beside its text. */
const SPINNER_COLUMNS = 2;
/** Clearing the rest of a line that fills the terminal would clear its last character. */
const EDGE_COLUMNS = 1;
const SHOW_CURSOR = "\x1b[?25h";
const WRAP = "\x1b[?7h";
const NO_WRAP = "\x1b[?7l";
const CLEAR_DOWN = "\x1b[J";
const CLEAR_RIGHT = "\x1b[K";

/**
 * Draws a screen at the bottom of a terminal: a spinner of ora while there is something to wait for, else a MultiBar of
 * cli-progress with one bar for each line. It shows ten frames a second at most, whatever the pace of the events.
 */
export class ScreenPainter {
  readonly #options: ScreenPainterOptions;
  readonly #frame: FrameStream;
  readonly #tick: Disposable;
  readonly #restore = (): void => this.#giveBack();
  readonly #resized = (): void => this.#onResize();
  #spinner: Ora | undefined;
  #bars: MultiBar | undefined;
  #lines: readonly string[] = [];
  #barCount = 0;
  /** Lines on the terminal as they were painted last; the cursor stands in the last of them. */
  #painted: readonly string[] = [];
  #closed = false;

  constructor(options: ScreenPainterOptions) {
    this.#options = options;
    this.#frame = new FrameStream(options.output);
    this.#tick = options.clock.every(1000 / FRAMES_PER_SECOND, () => this.#update());
    options.output.on?.("resize", this.#resized);
    process.on("exit", this.#restore);
  }

  /** Prints lines that stay, above the screen. */
  print(text: string, target: Output): void {
    if (this.#bars === undefined || target.isTTY !== true) {
      // Nothing of ours is in the way, or it is ora's, which moves itself aside.
      target.write(`${text}\n`);
      return;
    }
    const below = Math.max(0, this.#painted.length - 1);
    this.#frame.flush();
    this.#frame.raw(`${below > 0 ? `\x1b[${below}A` : ""}\r${WRAP}`);
    target.write(`${text.replaceAll("\n", `${CLEAR_RIGHT}\n`)}${CLEAR_RIGHT}\n`);
    // The MultiBar goes up by what it painted last before it paints again, so the cursor has to stand that far down.
    this.#frame.raw(`${NO_WRAP}${"\n".repeat(below)}`);
    this.#frame.forget();
    this.#bars.update();
    this.#frame.flush();
  }

  /** Takes the screen away; the cursor is where the next line goes. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#tick[Symbol.dispose]();
    this.#options.output.off?.("resize", this.#resized);
    process.off("exit", this.#restore);
    this.#stopSpinner();
    this.#stopBars();
  }

  #size(): ScreenSize {
    return {
      columns: Math.max(1, (this.#options.output.columns ?? 80) - EDGE_COLUMNS),
      rows: Math.max(2, this.#options.output.rows ?? 24),
    };
  }

  #update(): void {
    const size = this.#size();
    const screen = this.#options.draw({ ...size, columns: Math.max(1, size.columns - SPINNER_COLUMNS) });
    if (screen.kind === "waiting") this.#showSpinner(screen.text);
    else this.#stopSpinner();
    if (screen.kind === "lines") this.#showBars();
    else this.#stopBars();
  }

  #showSpinner(text: string): void {
    this.#stopBars();
    if (this.#spinner !== undefined) {
      this.#spinner.text = text;
      return;
    }
    this.#spinner = ora({
      text,
      stream: this.#options.output as NodeJS.WriteStream,
      interval: 1000 / FRAMES_PER_SECOND,
      isEnabled: true,
      // It would put the terminal into raw mode, where Ctrl-C is no signal any more.
      discardStdin: false,
      color: this.#options.colour ? "cyan" : false,
    }).start();
  }

  #stopSpinner(): void {
    this.#spinner?.stop();
    this.#spinner = undefined;
  }

  #showBars(): void {
    if (this.#bars !== undefined) return;
    const bars = new cliProgress.MultiBar({
      stream: this.#frame,
      fps: FRAMES_PER_SECOND,
      hideCursor: true,
      linewrap: false,
      clearOnComplete: true,
      forceRedraw: true,
      gracefulExit: false,
      format: (_options, _params, payload: { index: number }) => this.#lines[payload.index] ?? "",
    });
    this.#bars = bars;
    this.#barCount = 0;
    this.#painted = [];
    bars.on("update-pre", () => this.#composeLines());
    bars.on("redraw-post", () => {
      // What stands below is left from a higher screen. It is cleared from the end of the last line and not from the
      // beginning of the first, because tmux takes that for a cleared terminal and keeps every frame in its history.
      this.#frame.write(CLEAR_DOWN);
      this.#painted = Array.from({ length: this.#barCount }, (_, index) => this.#lines[index] ?? "");
    });
    this.#composeLines();
    bars.update();
  }

  /** Makes as many bars as there are lines. A bar too many stays as an empty last line, which nobody sees. */
  #composeLines(): void {
    const size = this.#size();
    const screen = this.#options.draw(size);
    this.#lines = screen.kind === "lines" ? screen.lines.slice(0, size.rows - 1) : [];
    while (this.#bars !== undefined && this.#barCount < Math.max(1, this.#lines.length)) {
      this.#bars.create(1, 0, { index: this.#barCount });
      this.#barCount += 1;
    }
  }

  #stopBars(): void {
    this.#bars?.stop();
    this.#bars = undefined;
    this.#painted = [];
    this.#frame.flush();
  }

  /** A terminal that becomes narrower wraps the lines it shows: what stands there is then higher than what was painted. */
  #onResize(): void {
    if (this.#bars === undefined) return;
    const columns = this.#size().columns + EDGE_COLUMNS;
    const extra = this.#painted.reduce((sum, line) => sum + Math.max(0, Math.ceil(stringWidth(line) / columns) - 1), 0);
    this.#frame.flush();
    if (extra > 0) this.#frame.raw(`\x1b[${extra}A`);
    this.#frame.forget();
  }

  /** At any exit, also one that was not foreseen. */
  #giveBack(): void {
    this.close();
    this.#frame.raw(WRAP + SHOW_CURSOR);
  }
}

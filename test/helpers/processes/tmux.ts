import { execFileSync } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";

interface TmuxStart {
  /** Where its socket is made. */
  readonly folder: string;
  readonly columns: number;
  readonly rows: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** Each look starts a program. */
const LOOK_MS = 200;
const WAIT_MS = 120_000;

/** A real terminal of a given size, with one program on it. It ends with its test. */
export class Tmux implements Disposable {
  readonly #socket: string;
  /** Its own lines, what has scrolled away included. */
  columns: number;

  constructor(program: readonly string[], { folder, columns, rows, env = {} }: TmuxStart) {
    this.#socket = `${folder}/tmux`;
    this.columns = columns;
    const words = program.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
    const size = ["-x", String(columns), "-y", String(rows)];
    const { PATH = "" } = process.env;
    const surroundings = { PATH, TERM: "xterm-256color", HOME: folder, LANG: "C.UTF-8" };
    const options = ["set", "-g", "remain-on-exit", "on", ";", "set", "-g", "history-limit", "5000", ";"];
    const variables = Object.entries(env).flatMap(([name, value]) => ["-e", `${name}=${value}`]);
    execFileSync(
      "tmux",
      [...this.#at(), "start-server", ";", ...options, "new-session", "-d", ...size, ...variables, words],
      { env: surroundings },
    );
  }

  /** The lines of its screen now. */
  get screen(): readonly string[] {
    return this.#capture([]);
  }

  /** The same, behind all that has scrolled away. */
  get everything(): readonly string[] {
    return this.#capture(["-S", "-"]);
  }

  resize(columns: number, rows: number): void {
    this.columns = columns;
    this.#tell("resize-window", "-x", String(columns), "-y", String(rows));
  }

  /** Waits until its screen fits. */
  async shows(pattern: RegExp): Promise<readonly string[]> {
    const deadline = performance.now() + WAIT_MS;
    for (;;) {
      const { screen } = this;
      if (pattern.test(screen.join("\n"))) return screen;
      if (performance.now() > deadline) throw new Error(`Waited for ${pattern}; it shows:\n${screen.join("\n")}`);
      await delay(LOOK_MS);
    }
  }

  [Symbol.dispose](): void {
    this.#tell("kill-server");
  }

  #capture(from: readonly string[]): readonly string[] {
    return this.#tell("capture-pane", "-p", ...from)
      .trimEnd()
      .split("\n");
  }

  #tell(...words: readonly string[]): string {
    return execFileSync("tmux", [...this.#at(), ...words], { encoding: "utf8" });
  }

  #at(): readonly string[] {
    return ["-S", this.#socket, "-f", "/dev/null"];
  }
}

import type { ChildProcess } from "node:child_process";
import { constants } from "node:os";
import { createInterface } from "node:readline";
import { awaited } from "../open-waits.ts";

/** Long: a small machine may do several other things. A test that works never waits for it. */
const WAIT_MS = 150_000;
const SHOWN_LINES = 25;

/** The last line of a failed command with `--json`. */
export interface ErrorEvent {
  readonly type: "error";
  readonly code: string;
  readonly message: string;
}

/** With what each printed. */
const running = new Map<ChildProcess, () => string>();

/** For the end of the test process, however it ends. */
export function killRest(): void {
  for (const child of running.keys()) child.kill("SIGKILL");
}

/** Those that ended badly last: who waits in vain seldom is who failed. */
const failed: { shown(): string }[] = [];
const FAILED_MAX = 3;

function noteFailed(process: { shown(): string }): void {
  failed.push(process);
  if (failed.length > FAILED_MAX) failed.shift();
}

/** What the processes of this test process printed that still run, or ended badly: why a test came to no end. */
export function shownOfRunning(): string[] {
  return [...failed.map((process) => process.shown()), ...[...running.values()].map((shown) => shown())];
}

/** Signals by which only a fault of the program, or of Node.js, ends a process. */
const CRASHES: ReadonlySet<number> = new Set(
  (["SIGABRT", "SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGTRAP"] as const).map((name) => constants.signals[name]),
);

/** A `fanfold` at work: its events, what it prints, and how it ends. */
export class CliProcess<Event extends { readonly type: string }> {
  readonly title: string;
  readonly pid: number;
  /** Everything of standard output, parsed line by line; nothing for a process without `--json`. */
  readonly events: Event[] = [];
  stdout = "";
  stderr = "";
  /** 128 and the signal's number for one that a signal ended. */
  readonly ended: Promise<number>;
  readonly #child: ChildProcess;
  readonly #waiters = new Set<() => void>();
  #status: number | undefined;
  #unreadable: Error | undefined;

  constructor(child: ChildProcess, { title, json }: { readonly title: string; readonly json: boolean }) {
    this.title = title;
    this.#child = child;
    this.pid = child.pid ?? -1;
    running.set(child, () => this.shown());
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
      this.#wake();
    });
    if (json && child.stdout !== null)
      createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY }).on("line", (line) =>
        this.#take(line),
      );
    this.ended = new Promise((resolve) => {
      child.on("error", (error) => {
        this.stderr += String(error);
        resolve(-1);
      });
      // After both streams: everything it printed is here.
      child.on("close", (status, signal) => {
        running.delete(child);
        if (status !== 0) noteFailed(this);
        this.#status = status ?? 128 + (signal === null ? 0 : constants.signals[signal]);
        resolve(this.#status);
        this.#wake();
      });
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** The nth event of a type that fits; fails when it does not come, or the process ends without it. */
  async event<Type extends Event["type"]>(
    type: Type,
    options: { readonly where?: (event: Extract<Event, { type: Type }>) => boolean; readonly nth?: number } = {},
  ): Promise<Extract<Event, { type: Type }>> {
    const { where = () => true, nth = 1 } = options;
    const isIt = (event: Event): event is Extract<Event, { type: Type }> => event.type === type;
    return await this.#until(`event ${nth} of type "${type}"${options.where ? ` where ${options.where}` : ""}`, () => {
      return this.events.filter(isIt).filter(where)[nth - 1];
    });
  }

  /** What a failed command says on its last line of standard output. */
  async failure(): Promise<ErrorEvent> {
    const isFailure = (event: { readonly type: string }): event is ErrorEvent => event.type === "error";
    return await this.#until('event of type "error"', () => this.events.find((event) => isFailure(event)));
  }

  /** Waits until standard error holds a text that fits. */
  async says(pattern: RegExp): Promise<string> {
    return await this.#until(`standard error to fit ${pattern}`, () => pattern.exec(this.stderr)?.[0]);
  }

  /** Its exit status; fails when it does not end, or crashed. */
  async exit(): Promise<number> {
    const status = await this.#until("its end", () => this.#status);
    if (CRASHES.has(status - 128)) throw new Error(`It crashed\n${this.shown()}`);
    return status;
  }

  /** Resolves at the next line it prints, and at its end: for those who watch several processes at once. */
  changed(): Promise<void> {
    if (this.#status !== undefined) return Promise.resolve();
    return new Promise((resolve) => {
      const listener = (): void => {
        this.#waiters.delete(listener);
        resolve();
      };
      this.#waiters.add(listener);
    });
  }

  /** Its exit status, when it has ended. */
  get status(): number | undefined {
    return this.#status;
  }

  /** What it printed, for the message of a failed test. */
  shown(): string {
    return [
      `fanfold ${this.title}: ${this.#status === undefined ? "runs" : `ended with ${this.#status}`}`,
      `stdout: ${lastLines(this.stdout)}`,
      `stderr: ${lastLines(this.stderr)}`,
    ].join("\n");
  }

  #until<Found>(what: string, look: () => Found | undefined): Promise<Found> {
    return awaited(() => `${what} of fanfold ${this.title}`, this.#found(what, look));
  }

  async #found<Found>(what: string, look: () => Found | undefined): Promise<Found> {
    let wake = (): void => undefined;
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#wake();
    }, WAIT_MS);
    const listener = (): void => wake();
    this.#waiters.add(listener);
    try {
      for (;;) {
        if (this.#unreadable !== undefined) throw this.#unreadable;
        const found = look();
        if (found !== undefined) return found;
        if (late || this.#status !== undefined) {
          const why = late ? `${WAIT_MS / 1000} s` : "until it ended";
          throw new Error(`Waited ${why} for ${what}: it did not come\n${this.shown()}`);
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      clearTimeout(timer);
      this.#waiters.delete(listener);
    }
  }

  #take(line: string): void {
    try {
      this.events.push(JSON.parse(line) as Event);
    } catch (cause) {
      this.#unreadable = new Error(`Read standard output of fanfold ${this.title}: no JSON: ${line}`, { cause });
    }
    this.#wake();
  }

  #wake(): void {
    for (const waiter of [...this.#waiters]) waiter();
  }
}

function lastLines(text: string): string {
  const lines = text.trimEnd().split("\n");
  const shown = lines.slice(-SHOWN_LINES).map((line) => (line.length > 600 ? `${line.slice(0, 600)} …` : line));
  return (lines.length > SHOWN_LINES ? ["…", ...shown] : shown).join("\n  ");
}

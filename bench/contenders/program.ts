import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { abortable } from "../../src/lib/async/abort.ts";

/** To end in order, and to write a profile. */
const PATIENCE_MS = 10_000;

export interface ProgramOptions {
  /** For messages, where the command's name says little. */
  readonly name?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Gets each line of standard output, which then does not go to the log. */
  readonly onLine?: (line: string) => void;
}

/** A program that runs, and what it said when it failed. */
export class Program implements AsyncDisposable {
  readonly pid: number | undefined;
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #logPath: string;
  readonly #ended: Promise<number>;

  private constructor(name: string, child: ChildProcess, logPath: string) {
    this.pid = child.pid;
    this.#name = name;
    this.#child = child;
    this.#logPath = logPath;
    this.#ended = new Promise((resolve) => {
      child.on("error", () => resolve(127));
      child.on("exit", (status) => resolve(status ?? 128));
    });
    running.add(child);
    void this.#ended.then(() => running.delete(child));
  }

  /** What it prints goes to a file, which costs it least. */
  static start(command: string, args: readonly string[], logPath: string, options: ProgramOptions = {}): Program {
    const log = openSync(logPath, "w");
    const { name = command, env, onLine } = options;
    const child = spawn(command, args, {
      stdio: ["ignore", onLine === undefined ? log : "pipe", log],
      env: { ...process.env, ...env },
      detached: true,
    });
    closeSync(log);
    if (onLine !== undefined && child.stdout !== null) createInterface({ input: child.stdout }).on("line", onLine);
    return new Program(name, child, logPath);
  }

  /** @throws Error unless it ends well */
  async succeeded(signal: AbortSignal): Promise<void> {
    const status = await abortable(this.#ended, signal);
    if (status !== 0) throw this.#failure(status);
  }

  /** @throws Error when it ends, which it should not */
  async failed(): Promise<never> {
    throw this.#failure(await this.#ended);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    end(this.#child, "SIGTERM");
    const timer = setTimeout(() => end(this.#child, "SIGKILL"), PATIENCE_MS);
    await this.#ended;
    clearTimeout(timer);
  }

  #failure(status: number): Error {
    const said = readFileSync(this.#logPath, "utf8").trim().slice(-500);
    return new Error(`${this.#name} ended with exit status ${status}: ${said}`);
  }
}

/** The first number with dots, or date, that `NAME --version` prints; undefined when the program is not installed. */
export function versionOf(name: string, option: "--version" | "version" = "--version"): string | undefined {
  const { status, stdout, stderr } = spawnSync(name, [option], { encoding: "utf8" });
  return status === 0 ? (/\d+(\.\d+)+|\d{8}/.exec(`${stdout}${stderr}`)?.[0] ?? "of unknown version") : undefined;
}

/** It and all that it started: each program has a process group of its own, as a shell's pipe does not end with the shell. */
function end({ pid, exitCode, signalCode }: ChildProcess, signal: "SIGTERM" | "SIGKILL"): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It ended this moment.
  }
}

const running = new Set<ChildProcess>();
// Whatever ends the bench, nothing of it stays.
process.on("exit", () => {
  for (const child of running) end(child, "SIGKILL");
});

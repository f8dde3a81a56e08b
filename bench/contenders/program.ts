import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { abortable } from "../../src/lib/abort.ts";

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
  static start(name: string, args: readonly string[], logPath: string): Program {
    const log = openSync(logPath, "w");
    const child = spawn(name, args, { stdio: ["ignore", log, log] });
    closeSync(log);
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
    this.#child.kill("SIGTERM");
    await this.#ended;
  }

  #failure(status: number): Error {
    const said = readFileSync(this.#logPath, "utf8").trim().slice(-500);
    return new Error(`${this.#name} ended with exit status ${status}: ${said}`);
  }
}

/** The first number with dots that `NAME --version` prints; undefined when the program is not installed. */
export function versionOf(name: string): string | undefined {
  const { status, stdout } = spawnSync(name, ["--version"], { encoding: "utf8" });
  return status === 0 ? (/\d+(\.\d+)+/.exec(stdout)?.[0] ?? "of unknown version") : undefined;
}

const running = new Set<ChildProcess>();
// Whatever ends the bench, nothing of it stays.
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

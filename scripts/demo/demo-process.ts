import { type ChildProcess, spawn } from "node:child_process";
import { openSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const COMMAND = new URL("../../bin/fanfold.cjs", import.meta.url).pathname;

/** One of the demo's processes. */
export interface DemoProcess {
  readonly child: ChildProcess;
  /** Exit status; 128 and more for a signal, as shells show it. */
  readonly ended: Promise<number>;
  /** Standard output and standard error, for those that do not write to the terminal. */
  log(): string;
}

const running = new Set<ChildProcess>();
// Whatever ends the demo, nothing of it stays.
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Starts `fanfold` with the terminal as its own. */
export function startInTerminal(args: readonly string[]): DemoProcess {
  return watch(spawn(process.execPath, [COMMAND, ...args], { stdio: "inherit" }), () => "");
}

/** Starts `fanfold` apart from the terminal, so that Ctrl-C reaches it through the demo only, in order. */
export function startInBackground(args: readonly string[], logPath: string): DemoProcess {
  const log = openSync(logPath, "w");
  const child = spawn(process.execPath, [COMMAND, ...args], { stdio: ["ignore", log, log], detached: true });
  return watch(child, () => readFileSync(logPath, "utf8"));
}

/** The same for one that prints JSON lines; `take` gets each of its events. */
export function startWithEvents(
  args: readonly string[],
  logPath: string,
  take: (event: DemoEvent) => void,
): DemoProcess {
  const log = openSync(logPath, "w");
  const child = spawn(process.execPath, [COMMAND, ...args, "--json"], {
    stdio: ["ignore", "pipe", log],
    detached: true,
  });
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const event: unknown = JSON.parse(line);
      if (typeof event === "object" && event !== null && "type" in event) take(event as DemoEvent);
    });
  }
  return watch(child, () => readFileSync(logPath, "utf8"));
}

/** What the demo reads of a coordinator's events (docs/events.md). */
export interface DemoEvent {
  readonly type: string;
  readonly addresses?: readonly string[];
  readonly status?: string;
  readonly reason?: string;
  readonly role?: string;
  readonly name?: string;
  readonly message?: string;
  readonly summary?: {
    readonly files: number;
    readonly bytes: number;
    readonly elapsedMs: number;
    readonly digest?: string;
    readonly sinks: readonly { readonly name: string; readonly outcome: string }[];
  };
}

/** Asks it to end in order, and does not take no for an answer. */
export async function stop({ child, ended }: DemoProcess, patienceMs = 5000): Promise<void> {
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), patienceMs);
  await ended;
  clearTimeout(timer);
}

function watch(child: ChildProcess, log: () => string): DemoProcess {
  running.add(child);
  const { promise, resolve } = Promise.withResolvers<number>();
  child.on("error", () => resolve(1));
  child.on("exit", (status, signal) => {
    running.delete(child);
    resolve(status ?? (signal === "SIGINT" ? 130 : signal === "SIGTERM" ? 143 : 137));
  });
  return { child, ended: promise, log };
}

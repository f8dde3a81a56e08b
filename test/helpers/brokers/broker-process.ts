import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const READY_WITHIN_MS = 80_000;
const POLL_MS = 50;
/** Long: what is killed goes at once. */
const GONE_WITHIN_MS = 60_000;
/** Of `/proc/PID/stat`, counted from the state. */
const THREADS_FIELD = 17;

/**
 * Runs a program as the leader of its own process group, and kills the whole group when this process is gone, however
 * it went: the shell sees the end of its input. When the program ends, so does the shell.
 */
const WATCHED = `exec 3<&0
"$@" </dev/null 3<&- &
program=$!
(cat <&3 >/dev/null; kill -9 -$$) &
wait $program
kill -9 -$$`;

const running = new Set<ServerProcess>();

process.on("exit", () => {
  for (const server of running) server.signal("SIGKILL");
});

export interface ServerCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Where it is started. @default where the tests are */
  readonly cwd?: string;
  readonly logFile: string;
  /** Throws or rejects as long as the server does not answer. */
  readonly probe: () => Promise<void>;
}

/** A server program of one test file: it can be killed and started again with the same command. */
export class ServerProcess {
  readonly #command: ServerCommand;
  #child: ChildProcess | undefined;

  constructor(command: ServerCommand) {
    this.#command = command;
  }

  async start(): Promise<void> {
    const { program, args, env, cwd, logFile } = this.#command;
    const redirected = `exec >>"$0" 2>&1\n${WATCHED}`;
    const child = spawn("/bin/sh", ["-c", redirected, logFile, program, ...args], {
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
      ...(env === undefined ? {} : { env }),
      ...(cwd === undefined ? {} : { cwd }),
    });
    await once(child, "spawn");
    this.#child = child;
    running.add(this);
    await this.#ready(child);
  }

  /** Sends a signal to the server and all it started. */
  signal(signal: NodeJS.Signals): void {
    const pid = this.#child?.pid;
    if (pid === undefined || this.#child?.exitCode !== null || this.#child.signalCode !== null) return;
    process.kill(-pid, signal);
  }

  /** Kills it and waits for the end of all it started: the server may die after its shell, and holds its ports until then. */
  async end(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, "exit");
      this.signal("SIGKILL");
      await exited;
    }
    const deadline = performance.now() + GONE_WITHIN_MS;
    while (isGroupThere(child.pid) && performance.now() < deadline) await delay(POLL_MS);
    running.delete(this);
    this.#child = undefined;
  }

  /** A server that takes a connection, and says nothing, is not waited for beyond the deadline. */
  async #probed(deadline: number): Promise<void> {
    const answered = new AbortController();
    const late = delay(deadline - performance.now(), undefined, { signal: answered.signal }).then(() => {
      throw new Error("It said nothing");
    });
    try {
      await Promise.race([this.#command.probe(), late]);
    } finally {
      answered.abort();
      late.catch(() => undefined);
    }
  }

  async #ready(child: ChildProcess): Promise<void> {
    const deadline = performance.now() + READY_WITHIN_MS;
    for (;;) {
      try {
        return await this.#probed(deadline);
      } catch (cause) {
        if (performance.now() < deadline && child.exitCode === null && child.signalCode === null) {
          await delay(POLL_MS);
          continue;
        }
        const log = await readFile(this.#command.logFile, "utf8").catch(() => "");
        await this.end();
        throw new Error(`${this.#command.program} did not get ready:\n${log.slice(-4000)}`, { cause });
      }
    }
  }
}

function isGroupThere(pid: number | undefined): boolean {
  try {
    return pid !== undefined && process.kill(-pid, 0) && livesInGroup(pid);
  } catch {
    return false;
  }
}

/**
 * What has ended, and only waits for its parent to look, holds nothing any more. Some machines' first process looks
 * seldom. A process counts as ended with its first thread: the others may still hold its ports for a moment.
 */
function livesInGroup(group: number): boolean {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .some((name) => {
      const stat = statOf(name);
      const isEnded = (stat[0] === "Z" || stat[0] === "X") && Number(stat[THREADS_FIELD]) <= 1;
      return stat[2] === String(group) && !isEnded;
    });
}

/** State, parent and group of a process, and what follows in its `stat`; nothing when it is gone. */
function statOf(pid: string): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return [];
  }
}

export interface TempFolder {
  readonly path: string;
  remove(): Promise<void>;
}

export async function tempFolder(name: string): Promise<TempFolder> {
  const path = await mkdtemp(join(tmpdir(), `fanfold-${name}-`));
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) };
}

/** Resolves when the server at the port sends its first bytes; with `hello`, it is sent first. */
export async function answers(port: number, hello?: string | Uint8Array): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    if (hello !== undefined) socket.write(hello);
    await Promise.race([
      once(socket, "data"),
      once(socket, "close").then(() => {
        throw new Error(`Port ${port} closed without an answer`);
      }),
    ]);
  } finally {
    socket.on("error", () => undefined);
    socket.destroy();
  }
}

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { CoordinatorEvent, SinkEvent, SourceEvent } from "../../../src/protocol/messages/events.ts";
import { tempFolder } from "../brokers/broker-process.ts";
import { makeRemovable } from "../trees/tree.ts";
import { CliProcess, type ErrorEvent, killRest } from "./cli-process.ts";

export const COMMAND = new URL("../../../bin/fanfold.cjs", import.meta.url).pathname;
/** Root reads and writes everything; without these two it is held to permission bits as everybody is. */
const HELD_TO_PERMISSIONS = ["--inh-caps=-all", "--bounding-set=-dac_override,-dac_read_search"];

export interface StartOptions {
  /** Without `--json`: nothing is parsed. */
  readonly plain?: boolean;
  /** Held to permission bits, also when the tests run as root. */
  readonly unprivileged?: boolean;
  /** A program and its arguments that run the command. */
  readonly through?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

export interface CoordinatorStart extends StartOptions {
  readonly broker?: string;
  readonly port?: number;
  readonly args?: readonly string[];
}

export interface RunningCoordinator {
  readonly process: CliProcess<CoordinatorEvent | ErrorEvent>;
  /** What to type at `--coordinator`. */
  readonly address: string;
}

/** A folder and the processes of one test: nothing of them stays, and the user's own state is never touched. */
export class CliLab implements AsyncDisposable {
  readonly folder: string;
  readonly #remove: () => Promise<void>;
  readonly #processes: ChildProcess[] = [];

  private constructor(folder: string, remove: () => Promise<void>) {
    this.folder = folder;
    this.#remove = remove;
  }

  static async open(): Promise<CliLab> {
    const { path, remove } = await tempFolder("e2e");
    await mkdir(join(path, "home"));
    return new CliLab(path, remove);
  }

  path(...names: string[]): string {
    return join(this.folder, ...names);
  }

  /** Starts `fanfold` with these arguments. */
  start<Event extends { readonly type: string }>(
    args: readonly string[],
    options: StartOptions = {},
  ): CliProcess<Event | ErrorEvent> {
    const [command = "", ...rest] = args;
    const { through = [], unprivileged = false } = options;
    const [program = "", ...words] = [...through, ...this.#command(unprivileged)];
    return this.run(program, [...words, command, ...(options.plain === true ? [] : ["--json"]), ...rest], options);
  }

  /** Starts any program in the same surroundings. */
  run<Event extends { readonly type: string }>(
    program: string,
    args: readonly string[],
    options: StartOptions = {},
  ): CliProcess<Event | ErrorEvent> {
    const child = spawn(program, args, {
      cwd: this.folder,
      env: { PATH: process.env["PATH"], LANG: "C.UTF-8", ...this.#homes(), ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#processes.push(child);
    return new CliProcess(child, { title: args.slice(args.indexOf(COMMAND) + 1).join(" "), json: !options.plain });
  }

  /** Starts a coordinator and waits until it listens. */
  async coordinator(options: CoordinatorStart = {}): Promise<RunningCoordinator> {
    const { broker = "embedded", port = 0, args = [] } = options;
    const started = this.start<CoordinatorEvent>(
      ["coordinator", "--port", String(port), "--broker", broker, ...args],
      options,
    );
    const { addresses } = await started.event("listening");
    return { process: started, address: addresses[0] ?? "" };
  }

  source(address: string, folder: string, args: readonly string[] = [], options?: StartOptions) {
    return this.start<SourceEvent>(["source", "--coordinator", address, ...args, "--", folder], options);
  }

  sink(address: string, folder: string, args: readonly string[] = [], options?: StartOptions) {
    return this.start<SinkEvent>(["sink", "--coordinator", address, ...args, "--", folder], options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#processes.map(end));
    await makeRemovable(this.folder);
    await this.#remove();
  }

  #homes(): NodeJS.ProcessEnv {
    return { HOME: this.path("home"), XDG_STATE_HOME: this.path("home", "state") };
  }

  #command(unprivileged: boolean): readonly string[] {
    const own = [process.execPath, COMMAND];
    return unprivileged && process.getuid?.() === 0 ? ["setpriv", ...HELD_TO_PERMISSIONS, ...own] : own;
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

process.on("exit", killRest);

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Environment } from "../../../src/cli/process/program-io.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import type { CoordinatorEvent } from "../../../src/protocol/messages/coordinator-events.ts";
import type { SinkEvent, SourceEvent } from "../../../src/protocol/messages/events.ts";
import { memoryIo } from "../../cli/terminal/memory-io.ts";
import { tempFolder } from "../brokers/broker-process.ts";
import { freePort } from "../free-ports.ts";
import { makeRemovable } from "../trees/tree.ts";
import { CliProcess, type ErrorEvent, killRest } from "./cli-process.ts";
import { optionIn, Tokens } from "./tokens.ts";

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

/** How a command that was run in this process ended, and what it printed. */
export interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCoordinator {
  readonly process: CliProcess<CoordinatorEvent | ErrorEvent>;
  /** What to type at `--coordinator`. */
  readonly address: string;
}

/** How the coordinators of a lab let members in: with `guarded` over TLS and by tokens, which its members get. */
type LabAccess = "open" | "guarded";

/** All labs, where nothing else is said: `FANFOLD_TEST_ACCESS=guarded npm test` runs the same tests over TLS. */
const USUAL_ACCESS: LabAccess = process.env["FANFOLD_TEST_ACCESS"] === "guarded" ? "guarded" : "open";

/** A folder and the processes of one test: nothing of them stays, and the user's own state is never touched. */
export class CliLab implements AsyncDisposable {
  readonly folder: string;
  readonly #remove: () => Promise<void>;
  readonly #processes: ChildProcess[] = [];
  readonly #access: LabAccess;
  readonly #tokens = new Tokens();

  private constructor(folder: string, remove: () => Promise<void>, access: LabAccess) {
    this.folder = folder;
    this.#access = access;
    this.#remove = remove;
  }

  static async open(access = USUAL_ACCESS): Promise<CliLab> {
    const { path, remove } = await tempFolder("e2e");
    await mkdir(join(path, "home"));
    return new CliLab(path, remove, access);
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
    const all = [...words, command, ...(options.plain === true ? [] : ["--json"]), ...rest];
    return this.run(program, all, options);
  }

  /** Starts any program in the same surroundings. */
  run<Event extends { readonly type: string }>(
    program: string,
    args: readonly string[],
    options: StartOptions = {},
  ): CliProcess<Event | ErrorEvent> {
    const child = spawn(program, args, {
      cwd: this.folder,
      env: {
        PATH: process.env["PATH"],
        LANG: "C.UTF-8",
        NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
        ...this.#homes(),
        ...this.#tokens.environment(args),
        ...options.env,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#processes.push(child);
    return new CliProcess(child, { title: args.slice(args.indexOf(COMMAND) + 1).join(" "), json: !options.plain });
  }

  /** Runs a command to its end in this process: for what an operator does where no process is tested. */
  async command(args: readonly string[], env: Environment = {}): Promise<Ended> {
    const { main } = await import("../../../src/cli/main.ts");
    const homes = { XDG_CONFIG_HOME: this.path("home", "config"), XDG_STATE_HOME: this.path("home", "state") };
    const io = { ...memoryIo({ ...homes, ...env }), clock: systemClock };
    const status = await main(args, io);
    return { status, stdout: io.stdout.text, stderr: io.stderr.text };
  }

  /** Starts a coordinator and waits until it listens. */
  async coordinator(options: CoordinatorStart = {}): Promise<RunningCoordinator> {
    const { broker = "embedded", args = [] } = options;
    // None that any program may get while it is away: tests end it, and start it again there.
    const port = options.port ?? (await freePort());
    const isGuarded = this.#access === "guarded" && !args.includes("--insecure-open");
    const words = ["--port", String(port), "--broker", broker, ...(isGuarded ? ["--require-token"] : []), ...args];
    const started = this.start<CoordinatorEvent>(["coordinator", ...words], options);
    const { addresses } = await started.event("listening");
    const address = addresses[0] ?? "";
    if (isGuarded) await this.#tokens.learn(address, optionIn(args, "--state-dir") ?? this.#stateOf(address));
    return { process: started, address };
  }

  /** The first start of a guarded coordinator, before any member is started. */
  async makeTokens(stateDir: string): Promise<void> {
    const started = this.start<CoordinatorEvent>([
      "coordinator",
      "--port",
      "0",
      "--require-token",
      "--state-dir",
      stateDir,
    ]);
    const { addresses } = await started.event("listening");
    await this.#tokens.learn(addresses[0] ?? "", stateDir);
    started.signal("SIGTERM");
    await started.exit();
  }

  /**
   * Ends the limit of the source of a session. So a copy can be as slow as a test likes until all has been seen that comes in
   * its middle, on a machine as slow as it likes.
   */
  async unlimit(
    address: string,
    {
      session = "default",
      stateDir = this.#stateOf(address),
    }: { readonly session?: string; readonly stateDir?: string } = {},
  ): Promise<void> {
    const { status, stderr } = await this.command(["limit", "--state-dir", stateDir, session, "off"]);
    // One that is over already, or ends just now, has no limit.
    if (status !== 0 && !/cannot find the session|no source takes part/.test(stderr))
      throw new Error(`The limit of "${session}" stays: ${stderr}`);
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

  /** Of a coordinator, where it was not told. */
  #stateOf(address: string): string {
    return this.path("home", "state", "fanfold", "coordinator", address.replace(/^.*:/, ""));
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

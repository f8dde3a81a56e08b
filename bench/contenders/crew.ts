import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { WaitingRoom } from "../../scripts/demo/waiting-room.ts";
import { abortable } from "../../src/lib/async/abort.ts";
import type { Meter } from "../measure.ts";
import type { Broker } from "./broker.ts";
import type { Job } from "./contender.ts";
import { COMMAND, NodeProgram, type Start } from "./node-program.ts";
import type { Program } from "./program.ts";

/** The coordinator tells of the end of a session a moment after its members have ended. */
const SUMMARY_MS = 10_000;

type Role = "source" | "sink";

/** Programs that start ours, as in `ip netns exec NAME`; and where the coordinator listens. */
export interface Place {
  readonly host: string;
  readonly coordinator: readonly string[];
  readonly source: readonly string[];
  readonly sink: (index: number) => readonly string[];
}

export const HERE: Place = { host: "127.0.0.1", coordinator: [], source: [], sink: () => [] };

/** What the bench reads of a session's summary (docs/events.md). */
interface Summary {
  readonly bytesSent: number;
  readonly bytesSentAgain: number;
  readonly bytesCaughtUp: number;
}

export interface CrewOptions {
  readonly broker: Broker | undefined;
  readonly place?: Place;
  /** With tokens, and sealed, as beyond one machine. @default false */
  readonly isGuarded?: boolean;
  /** What is sent is encrypted from end to end, also inside of one machine. */
  readonly isSealed?: boolean;
  /** Of files that changed, whether all is sent or what the sinks lack. @default as fanfold has it */
  readonly delta?: "auto" | "on" | "off";
}

/** Coordinator and sinks of one session, each a process of its own, up and registered; and then its source. */
export class Crew implements AsyncDisposable {
  readonly sinks: NodeProgram[] = [];
  readonly #job: Job;
  readonly #broker: Broker | undefined;
  readonly #place: Place;
  readonly #isGuarded: boolean;
  readonly #isSealed: boolean;
  readonly #delta: CrewOptions["delta"];
  readonly #room = new WaitingRoom();
  readonly #running = new AsyncDisposableStack();
  readonly #summary = Promise.withResolvers<Summary>();
  #coordinator: NodeProgram | undefined;
  #address = "";
  #tokens: Readonly<Record<Role, string>> | undefined;

  private constructor(job: Job, { broker, place = HERE, isGuarded = false, isSealed = false, delta }: CrewOptions) {
    this.#job = job;
    this.#broker = broker;
    this.#place = place;
    this.#isGuarded = isGuarded;
    this.#isSealed = isSealed;
    this.#delta = delta;
  }

  static async open(job: Job, options: CrewOptions): Promise<Crew> {
    const crew = new Crew(job, options);
    try {
      await crew.#gather();
      return crew;
    } catch (thrown) {
      await crew[Symbol.asyncDispose]();
      throw thrown;
    }
  }

  watch(meter: Meter): void {
    meter.watch("coordinator", this.#coordinator?.program.pid);
    for (const { program } of this.sinks) meter.watch("sink", program.pid);
    if (this.#broker !== undefined) meter.watch("broker", this.#broker.pid, { external: true });
  }

  startSource(): NodeProgram {
    const { source, copies, scratch, deletes = false } = this.#job;
    const args = ["source", "--coordinator", this.#address, "--dest-count", String(copies.length)];
    if (deletes) args.push("--delete");
    if (this.#isSealed) args.push("--seal", "on");
    if (this.#delta !== undefined) args.push("--delta", this.#delta);
    const whole = [...args, "--state-dir", join(scratch, "source"), source];
    return this.#start("source", whole, { by: this.#place.source, env: this.#tokenFor("source") });
  }

  async summary(): Promise<Summary> {
    return await abortable(this.#summary.promise, AbortSignal.timeout(SUMMARY_MS));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running.disposeAsync();
  }

  async #gather(): Promise<void> {
    const { copies, scratch } = this.#job;
    const { host, coordinator, sink } = this.#place;
    const state = join(scratch, "coordinator");
    rmSync(state, { recursive: true, force: true });
    const broker = this.#broker?.url ?? "embedded";
    const args = ["coordinator", "--host", host, "--port", "0", "--broker", broker, "--state-dir", state, "--json"];
    if (this.#isGuarded) args.push("--require-token");
    const onLine = (line: string): void => this.#take(line);
    this.#coordinator = this.#start("coordinator", args, { by: coordinator, onLine });
    const heard = await this.#room.within(Promise.race([this.#room.address, failure(this.#coordinator.program)]));
    this.#address = `${host}:${heard.split(":").at(-1)}`;
    if (this.#isGuarded) this.#tokens = tokensOf(state, coordinator);
    for (const [index, copy] of copies.entries()) {
      const name = `sink-${index + 1}`;
      const sinkArgs = ["sink", "--coordinator", this.#address, "--name", name, copy];
      this.sinks.push(this.#start(name, sinkArgs, { by: sink(index), env: this.#tokenFor("sink") }));
    }
    const failures = this.sinks.map(({ program }) => failure(program));
    await this.#room.within(Promise.race([this.#room.registered(copies.length), ...failures]));
  }

  #tokenFor(role: Role): Readonly<Record<string, string>> {
    return this.#tokens === undefined ? {} : { FANFOLD_TOKEN: this.#tokens[role] };
  }

  #start(name: string, args: string[], how: Pick<Start, "by" | "env" | "onLine">): NodeProgram {
    const { scratch, profiles } = this.#job;
    const started = NodeProgram.fanfold(args, { name, scratch, profiles, ...how });
    this.#running.use(started.program);
    return started;
  }

  #take(line: string): void {
    const event: unknown = JSON.parse(line);
    if (typeof event !== "object" || event === null || !("type" in event)) return;
    this.#room.take({ ...event, type: String(event.type) });
    if (event.type === "finished" && "summary" in event) this.#summary.resolve(event.summary as Summary);
  }
}

/** Asked where the coordinator runs: elsewhere it may not be reached. */
function tokensOf(state: string, by: readonly string[]): Readonly<Record<Role, string>> {
  const [program = "", ...args] = [...by, process.execPath, COMMAND, "token", "show", "--json", "--state-dir", state];
  const lines = execFileSync(program, args, { encoding: "utf8" }).trim().split("\n");
  const shown = lines.map((line) => JSON.parse(line) as { readonly role: Role; readonly token: string });
  const tokenOf = (role: Role): string => shown.find((one) => one.role === role)?.token ?? "";
  return { source: tokenOf("source"), sink: tokenOf("sink") };
}

/** Whoever is not awaited any more may fail. */
function failure(program: Program): Promise<never> {
  const failed = program.failed();
  failed.catch(() => undefined);
  return failed;
}

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "vitest";
import { CliLab, type RunningCoordinator } from "../../helpers/processes/cli.ts";
import { SeededRandom } from "../../helpers/seeded-random.ts";
import { ChangingTree } from "../../helpers/trees/changing-tree.ts";
import { exactDifferences } from "../../helpers/trees/exact-differences.ts";
import { EVERYTHING, rsyncLines } from "../../helpers/trees/tree-differences.ts";
import { expectDocumentedEvents, type SinkProcess, type SourceProcess } from "../copying.ts";
import { expectOnlySnapshots, expectSharing, snapshotsIn } from "./snapshot-lab.ts";

const VICTIMS = ["sink", "source", "coordinator"] as const;
/** A session of a small tree is over in about this time. */
const BLOW_MS_MAX = 250;
const CHANGES = 20;

export interface HistoryOrder {
  readonly seed: number;
  /** For `--broker`. */
  readonly broker: string;
  /** Over TLS, with tokens, and sealed. */
  readonly isGuarded: boolean;
}

/** A tree that changes, a sink that stays and keeps each of its states, and what rsync kept of each at that time. */
export class HistoryLab implements AsyncDisposable {
  readonly lab: CliLab;
  readonly folder: string;
  readonly random: SeededRandom;
  /** Who was killed, in order. */
  readonly killed: string[] = [];
  readonly #order: HistoryOrder;
  readonly #from: string;
  /** Holds a copy of each state, by the name of its snapshot. */
  readonly #references: string;
  readonly #tree: ChangingTree;
  #coordinator: RunningCoordinator;
  #sink: SinkProcess;

  private constructor(lab: CliLab, order: HistoryOrder, coordinator: RunningCoordinator) {
    this.lab = lab;
    this.#order = order;
    this.#from = lab.path("source");
    this.folder = lab.path("sink");
    mkdirSync(this.folder);
    this.#references = lab.path("references");
    mkdirSync(this.#references);
    this.random = new SeededRandom(order.seed);
    this.#tree = new ChangingTree(this.#from, this.random);
    this.#coordinator = coordinator;
    this.#sink = this.#startSink();
  }

  static async open(order: HistoryOrder): Promise<HistoryLab> {
    const lab = await CliLab.open(order.isGuarded ? "guarded" : "open");
    return new HistoryLab(lab, order, await lab.coordinator({ broker: order.broker }));
  }

  /** Of the snapshots, the oldest first. */
  get names(): string[] {
    return snapshotsIn(this.folder);
  }

  /** What the tree was when a snapshot of it was made. */
  reference(name: string): string {
    return join(this.#references, name);
  }

  /** Copies the tree, compares all that is kept by now, and changes the tree. With `blow` somebody is killed meanwhile. */
  async session(blow: boolean): Promise<void> {
    const now = this.reference("now");
    execFileSync("rsync", ["-aHAX", "--", `${this.#from}/`, `${now}/`]);
    const before = this.names;
    let source = this.#startSource();
    if (blow) source = await this.#strike(source);
    const shown = () => `${source.shown()}\n${this.#sink.shown()}`;
    expect(await source.exit(), shown()).toBe(0);
    expectDocumentedEvents(source);
    if (this.#order.isGuarded) expect(await source.event("started")).toMatchObject({ sealed: true });
    const made = this.names.filter((name) => !before.includes(name));
    expect(made, shown()).toHaveLength(1);
    const [name = ""] = made;
    renameSync(now, this.reference(name));
    await this.#compare([...before, name]);
    this.#tree.change(CHANGES);
  }

  /** What rsync would change in a folder of copies of all snapshots to make them what their references are. */
  async differences(copies: string): Promise<string[]> {
    const references = this.names.map((name) => this.reference(name));
    return await rsyncLines([...EVERYTHING, "--", ...references, `${copies}/`]);
  }

  /** The same the other way round. */
  async differencesBack(copies: string): Promise<string[]> {
    const found = this.names.map((name) => join(copies, name));
    return await rsyncLines([...EVERYTHING, "--", ...found, `${this.#references}/`]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lab[Symbol.asyncDispose]();
  }

  async #compare(names: readonly string[]): Promise<void> {
    const [before, newest = ""] = [names.at(-2), names.at(-1)];
    expect(await this.differences(this.folder)).toEqual([]);
    expectOnlySnapshots(this.folder, names);
    const made = join(this.folder, newest);
    // rsync keeps no fractions of a second of directories, so the tree itself is the reference for these.
    expect(exactDifferences(this.#from, made, { but: ["other names", "room"] })).toEqual([]);
    if (before !== undefined) expectSharing(join(this.folder, before), made);
    expect(existsSync(join(this.folder, ".fanfold/next"))).toBe(false);
  }

  /** Kills somebody in the midst of it, and starts it again. Gives the source that then is at work. */
  async #strike(source: SourceProcess): Promise<SourceProcess> {
    const victim = this.random.pick(VICTIMS);
    const afterMs = this.random.between(0, BLOW_MS_MAX);
    await source.event("joined");
    await delay(afterMs);
    this.killed.push(victim);
    if (victim === "source") {
      source.signal("SIGKILL");
      // It may have ended just before.
      return (await source.exit()) === 0 ? source : this.#startSource();
    }
    if (victim === "sink") {
      this.#sink.signal("SIGKILL");
      await this.#sink.exit();
      this.#sink = this.#startSink();
      return source;
    }
    this.#coordinator.process.signal("SIGKILL");
    await this.#coordinator.process.exit();
    const port = Number(this.#coordinator.address.replace(/^.*:/, ""));
    this.#coordinator = await this.lab.coordinator({ broker: this.#order.broker, port });
    return source;
  }

  #startSource(): SourceProcess {
    return this.lab.source(this.#coordinator.address, this.#from);
  }

  #startSink(): SinkProcess {
    return this.lab.sink(this.#coordinator.address, this.folder, ["--snapshots", "--stay"]);
  }
}

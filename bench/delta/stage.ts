import { mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { findJudge } from "../../scripts/demo/tree-comparison.ts";
import type { Contender, Job } from "../contenders/contender.ts";
import { isInMemory } from "../machine.ts";
import { Meter, type Usage } from "../measure.ts";
import type { Network } from "../uplink/network.ts";
import { warmMemory } from "../warm-memory.ts";
import { FILE } from "./changes.ts";
import { remembering } from "./contenders.ts";
import { copyAll, differingLeaves, leavesBytes, run } from "./files.ts";
import type { PlannedCase } from "./options.ts";

const MINUTE_MS = 60_000;
/** How long a run may take beside what its link takes. */
const PATIENCE_MS = 15 * MINUTE_MS;
const BITS_OF_A_MBIT = 1_000_000;

/** Of copies that hold versions of their own, what a source has to send them by leaves. */
export interface Differences {
  /** Each leaf once that any of them lacks. */
  readonly unionBytes: number;
  /** Each leaf as often as one of them lacks it. */
  readonly sumBytes: number;
}

/** A file that changed, the older versions of it, and a place for a run. */
export class Stage implements Disposable {
  readonly #base: string;
  readonly #planned: PlannedCase;
  readonly #source: string;
  readonly #older: readonly string[];

  constructor(base: string, planned: PlannedCase) {
    const { change, sinks, bytes } = planned;
    this.#base = base;
    this.#planned = planned;
    this.#source = join(base, "source");
    const versions = change.hasVersions === true ? sinks : 1;
    this.#older = Array.from({ length: versions }, (_, index) => join(base, `older-${index + 1}`));
    this[Symbol.dispose]();
    for (const folder of [this.#source, ...this.#older]) mkdirSync(folder, { recursive: true });
    change.make({ source: this.#source, older: this.#older }, bytes);
  }

  differences(): Differences | undefined {
    if (this.#planned.change.hasVersions !== true) return undefined;
    const leaves = this.#older.map((folder) => differingLeaves(join(folder, FILE), join(this.#source, FILE)));
    const union = new Set(leaves.flatMap((each) => [...each]));
    const sum = leaves.reduce((total, { size }) => total + size, 0);
    return { unionBytes: leavesBytes(union.size), sumBytes: leavesBytes(sum) };
  }

  /** @throws Error when it failed, or a copy is not equal */
  async run(
    contender: Contender,
    { network, fills }: { network: Network | undefined; fills: boolean },
  ): Promise<Usage> {
    const root = join(this.#base, "run");
    rmSync(root, { recursive: true, force: true, maxRetries: 5 });
    const { copies, job } = this.#jobIn(root, contender.copiesMax);
    if (fills) await this.#remember(job);
    else for (const [index, copy] of copies.entries()) copyAll(`${this.#olderOf(index)}/.`, copy);
    this.#settle(copies.length);
    using meter = new Meter();
    const before = network?.sentBytes();
    const usage = await contender.run(job, meter);
    const sentBytes = network === undefined ? undefined : network.sentBytes() - (before ?? 0);
    this.#judge(contender, copies);
    return sentBytes === undefined ? usage : { ...usage, sentBytes };
  }

  [Symbol.dispose](): void {
    for (const name of readdirSync(this.#base)) rmSync(join(this.#base, name), { recursive: true, maxRetries: 5 });
  }

  #jobIn(root: string, copiesMax: number | undefined): { readonly copies: readonly string[]; readonly job: Job } {
    const { sinks, bytes, link } = this.#planned;
    const scratch = join(root, "scratch");
    const count = Math.min(sinks, copiesMax ?? sinks);
    const copies = Array.from({ length: count }, (_, index) => join(root, `copy-${index + 1}`));
    for (const folder of [...copies, scratch]) mkdirSync(folder, { recursive: true });
    const linkMs = typeof link === "number" ? (bytes * 8 * sinks * 1000) / (link * BITS_OF_A_MBIT) : 0;
    const signal = AbortSignal.timeout(Math.ceil(PATIENCE_MS + 2 * linkMs));
    return { copies, job: { source: this.#source, copies, scratch, again: false, deletes: true, signal } };
  }

  /** The copies are made from where the source will be: another folder would have another identity. */
  async #remember(job: Job): Promise<void> {
    const [source, aside] = [this.#source, `${this.#source}.aside`];
    const [older = ""] = this.#older;
    renameSync(source, aside);
    renameSync(older, source);
    try {
      using meter = new Meter();
      await remembering().run(job, meter);
    } finally {
      renameSync(source, older);
      renameSync(aside, source);
    }
  }

  #olderOf(index: number): string {
    return this.#older[index] ?? this.#older[0] ?? "";
  }

  /** New versions are written beside the older ones; what was made so far is not to be written to a disk meanwhile. */
  #settle(copies: number): void {
    const { bytes, change } = this.#planned;
    if (isInMemory(this.#base)) warmMemory(this.#base, bytes * copies * (change.filled ?? 1));
    else run("sync", ["--file-system", this.#base]);
  }

  #judge({ lacks }: Contender, copies: readonly string[]): void {
    const judge = findJudge(lacks);
    for (const copy of copies) {
      const { differences } = judge.compare(this.#source, copy);
      if (differences.length > 0) throw new Error(`${differences.length} differences, the first: ${differences[0]}`);
    }
  }
}

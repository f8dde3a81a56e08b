import { execFileSync } from "node:child_process";
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import type { CliLab } from "../helpers/processes/cli.ts";
import { programsAvailable } from "../helpers/processes/programs.ts";
import { SeededRandom } from "../helpers/seeded-random.ts";
import { ChangingTree } from "../helpers/trees/changing-tree.ts";
import { at, EVERYTHING, pathsIn, rsyncDifferences, treeDifferences } from "../helpers/trees/tree-differences.ts";
import { type Cast, summaryOf } from "./cast.ts";
import type { KeepPlan } from "./scenario.ts";

const CHANGES = 40;
const SHOWN_DIFFERENCES = 10;

/** What a tree was at each copy of a scenario, and what the sinks have kept of that. */
export class KeptStates {
  readonly #lab: CliLab;
  readonly #from: string;
  readonly #keep: KeepPlan;
  #tree: ChangingTree | undefined;
  #noted = 0;
  /** Copies of the states, by their digests; in order. */
  readonly #references = new Map<string, string>();

  constructor(lab: CliLab, from: string, keep: KeepPlan) {
    this.#lab = lab;
    this.#from = from;
    this.#keep = keep;
  }

  /** Makes another state of the tree; gives its bytes. */
  change(seed: number): number {
    this.#tree ??= new ChangingTree(join(this.#from, "changing"), new SeededRandom(seed));
    this.#tree.change(CHANGES);
    return bytesIn(this.#from);
  }

  /** Before each copy. */
  note(): void {
    this.#noted += 1;
    execFileSync("cp", ["-a", "--", this.#from, this.#reference()]);
  }

  /** What is not as it must be; empty when everything is. */
  async judge({ source, sinks, folders }: Cast): Promise<string[]> {
    const summary = summaryOf(source);
    if (summary?.digest === undefined) return ["The source told no digest"];
    this.#references.set(summary.digest, this.#reference());
    const problems: string[] = [];
    if (this.#keep.commit !== undefined && summary.commit !== "switched") problems.push(`Decision "${summary.commit}"`);
    for (const [index, folder] of folders.entries()) {
      if (sinks[index]?.lives.length === 0) continue;
      problems.push(...(await this.#judgeFolder(folder, summary.digest)).map((text) => `sink ${index}: ${text}`));
    }
    return problems;
  }

  #reference(): string {
    return this.#lab.path(`reference-${this.#noted}`);
  }

  async #judgeFolder(folder: string, digest: string): Promise<string[]> {
    const problems: string[] = [];
    if (this.#keep.keepLast !== undefined) {
      const { status, stderr } = await this.#lab.command(["prune", "--keep-last", String(this.#keep.keepLast), folder]);
      if (status !== 0) problems.push(`A prune ended with ${status}: ${stderr}`);
    }
    const names = readdirSync(folder).filter((name) => /^\d{4}-/.test(name));
    const digests = names.map((name) => digestIn(folder, name));
    const latest = digests[names.indexOf(readlinkSync(join(folder, "latest")))];
    if (latest !== digest) problems.push(`latest leads to ${latest}, and ${digest} is proven`);
    if (new Set(digests).size !== digests.length) problems.push(`A state was kept twice: ${digests}`);
    if (names.length > (this.#keep.keepLast ?? this.#noted)) problems.push(`Too many are kept: ${names}`);
    for (const [index, name] of names.entries()) {
      const reference = this.#references.get(digests[index] ?? "");
      if (reference === undefined) problems.push(`${name} is no state of the tree`);
      else problems.push(...(await differences(reference, join(folder, name))).map((text) => `${name}: ${text}`));
    }
    const { status, stdout, stderr } = await this.#lab.command(["verify", folder, "--snapshot", "all"]);
    if (status !== 0) problems.push(`A verify ended with ${status}: ${stdout}${stderr}`);
    return [...problems, ...leftIn(folder, names)];
  }
}

/** What nobody needs any more. */
function leftIn(folder: string, names: readonly string[]): string[] {
  const own = join(folder, ".fanfold");
  const left = ["next", "pending", "first", "moving.json"].filter((name) => existsSync(join(own, name)));
  const doomed = existsSync(join(own, "doomed")) ? readdirSync(join(own, "doomed")) : [];
  const facts = readdirSync(join(own, "snapshots")).filter((name) => !names.includes(name));
  return [...left, ...doomed, ...facts].map((name) => `left in .fanfold: ${name}`);
}

function digestIn(folder: string, name: string): string {
  const facts: unknown = JSON.parse(readFileSync(join(folder, ".fanfold/snapshots", name, "snapshot.json"), "utf8"));
  return String((facts as { readonly digest: string }).digest);
}

async function differences(reference: string, tree: string): Promise<string[]> {
  const found = programsAvailable("rsync")
    ? await rsyncDifferences(reference, tree, [], EVERYTHING)
    : treeDifferences(reference, tree);
  return found.slice(0, SHOWN_DIFFERENCES);
}

function bytesIn(tree: string): number {
  const sizes = new Map<number, number>();
  for (const path of pathsIn(tree, [])) {
    const stats = lstatSync(at(tree, path));
    if (stats.isFile()) sizes.set(stats.ino, stats.size);
  }
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}

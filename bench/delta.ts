/**
 * `npm run bench:delta`: what does a changed file cost? Copies hold older versions, and the source's link is scarce. In
 * network namespaces, as bench:uplink. Cases are in delta/cases.ts, goals in delta/goal-rows.ts.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findJudge } from "../scripts/demo/tree-comparison.ts";
import type { Contender } from "./contenders/contender.ts";
import { CASES } from "./delta/cases.ts";
import { entrantOf, isOfFanfold, isOverNetwork } from "./delta/contenders.ts";
import { deltaGoalRows } from "./delta/goal-rows.ts";
import { DELTA_USAGE, type DeltaOptions, type PlannedCase, plan, readDeltaOptions } from "./delta/options.ts";
import { Stage } from "./delta/stage.ts";
import { type CaseResult, caseTable, type DeltaScore } from "./delta/table.ts";
import { goalTable } from "./goals/table.ts";
import { describeMachine, isInMemory, type Machine, machineLines } from "./machine.ts";
import type { Usage } from "./measure.ts";
import { seconds } from "./report.ts";
import { checkRoom, reasonOf } from "./rounds.ts";
import { Network } from "./uplink/network.ts";

const MIB = 1024 * 1024;

interface Report {
  readonly machine: Machine;
  readonly results: readonly CaseResult[];
}

/** What runs at the moment: its end is also that of the folder and of the network. */
class Scene implements Disposable {
  readonly base: string;
  readonly network: Network | undefined;

  constructor({ folder, bytes, change, sinks, link }: PlannedCase) {
    this.base = mkdtempSync(join(folder, "fanfold-bench-"));
    process.on("exit", this.#end);
    try {
      const versions = change.hasVersions === true ? sinks : 1;
      checkRoom(this.base, bytes * (change.filled ?? 1), versions + 2 * sinks);
      this.network = link === "loopback" ? undefined : Network.open(sinks, link === "none" ? undefined : link);
    } catch (thrown) {
      this[Symbol.dispose]();
      throw thrown;
    }
  }

  [Symbol.dispose](): void {
    process.off("exit", this.#end);
    this.#end();
  }

  readonly #end = (): void => {
    this.network?.[Symbol.dispose]();
    rmSync(this.base, { recursive: true, force: true, maxRetries: 5 });
  };
}

interface Tally extends DeltaScore {
  readonly contender: Contender;
  readonly runs: Usage[];
  readonly failures: string[];
}

async function resultOf(planned: PlannedCase, absent: Map<string, string>): Promise<CaseResult> {
  const { name, change, bytes, link, sinks } = planned;
  using scene = new Scene(planned);
  const tallies: Tally[] = [];
  for (const key of planned.contenders) {
    const entrant = entrantOf(key, scene.network);
    if ("missing" in entrant) absent.set(entrant.name, entrant.missing);
    else tallies.push({ key, name: entrant.contender.name, contender: entrant.contender, runs: [], failures: [] });
  }
  note(`${name}: making ${(bytes / MIB).toFixed(0)} MiB, ${change.title}`);
  using stage = new Stage(scene.base, planned);
  const differences = stage.differences();
  for (let round = 1; round <= planned.runs; round += 1)
    for (const tally of tallies) await runOnce(tally, { stage, scene, title: `${name}, run ${round}`, change });
  const scores = tallies.map(({ contender: _, ...score }) => score);
  const inMemory = isInMemory(scene.base);
  return { workload: name, title: change.title, bytes, link, sinks, inMemory, differences, scores };
}

interface Round {
  readonly stage: Stage;
  readonly scene: Scene;
  readonly title: string;
  readonly change: PlannedCase["change"];
}

async function runOnce(
  { key, contender, runs, failures }: Tally,
  { stage, scene, title, change }: Round,
): Promise<void> {
  const fills = change.isRemembered === true && isOfFanfold(key);
  try {
    const usage = await stage.run(contender, { network: isOverNetwork(key) ? scene.network : undefined, fills });
    runs.push(usage);
    note(`${title}, ${contender.name}: ${seconds(usage.wallMs)} s, ${((usage.sentBytes ?? 0) / MIB).toFixed(2)} MiB`);
  } catch (thrown) {
    failures.push(reasonOf(thrown));
    note(`${title}, ${contender.name}: FAILED: ${failures.at(-1)}`);
  }
}

/** What ran and, for the goals, what an earlier report has beside it. */
function textOf(machine: Machine, results: readonly CaseResult[], { earlier, absent }: Beside): string {
  const rest = earlier.filter(({ workload }) => !results.some((one) => one.workload === workload));
  const lines = ["# Changed files", "", ...machineLines(machine), `- Command: \`${commandLine()}\``];
  lines.push(`- Each copy was compared with the source: \`${findJudge().name}\``);
  for (const [name, reason] of absent) lines.push(`- ${name} is missing: ${reason}`);
  if (rest.length > 0) lines.push(`- Of an earlier report: ${rest.map(({ workload }) => workload).join(", ")}`);
  const tables = [...results, ...rest].map((result) => caseTable(result));
  const rows = deltaGoalRows([...results, ...rest]);
  return [lines.join("\n"), ...tables, `## Against the goals\n\n${goalTable(rows)}`].join("\n\n");
}

interface Beside {
  readonly earlier: readonly CaseResult[];
  readonly absent: ReadonlyMap<string, string>;
}

function commandLine(): string {
  return ["npm run bench:delta --", ...process.argv.slice(2)].join(" ");
}

/** A case that cannot be made is told as such, and the others go on. */
async function resultOrFailure(planned: PlannedCase, absent: Map<string, string>): Promise<CaseResult> {
  try {
    return await resultOf(planned, absent);
  } catch (thrown) {
    const failure = reasonOf(thrown);
    note(`${planned.name}: FAILED: ${failure}`);
    const { name, change, bytes, link, sinks, folder } = planned;
    const inMemory = isInMemory(folder);
    return { workload: name, title: change.title, bytes, link, sinks, inMemory, failure, scores: [] };
  }
}

async function measure(options: DeltaOptions): Promise<boolean> {
  const cases = CASES.filter(({ name }) => options.only.includes(name)).map((one) => plan(one, options));
  const machine = describeMachine(cases[0]?.folder ?? ".");
  const earlier = options.from === undefined ? [] : (JSON.parse(readFileSync(options.from, "utf8")) as Report).results;
  const absent = new Map<string, string>();
  const results: CaseResult[] = [];
  // Before each case and at the end: what was measured stays, whatever happens to the rest.
  const write = (): string => {
    const text = textOf(machine, results, { earlier, absent });
    const json = JSON.stringify({ machine, results } satisfies Report, undefined, 2);
    for (const out of options.outs) writeFileSync(out, `${out.endsWith(".md") ? text : json}\n`);
    return text;
  };
  for (const planned of cases) {
    write();
    results.push(await resultOrFailure(planned, absent));
  }
  print(write());
  return results.every(
    ({ failure, scores }) => failure === undefined && scores.every(({ failures }) => failures.length === 0),
  );
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function main(): Promise<number> {
  const options = readDeltaOptions(process.argv.slice(2));
  if (options === "help") {
    print(DELTA_USAGE);
    return 0;
  }
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(130));
  return (await measure(options)) ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (thrown) {
  note(`bench:delta: ${reasonOf(thrown)}; try "npm run bench:delta -- --help"`);
  process.exitCode = 2;
}

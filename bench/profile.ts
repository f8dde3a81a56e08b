/**
 * `npm run bench:profile -- DIR`: CPU profiles as text. One table for each thread that a bench with `--profile DIR` left a
 * profile of: the functions in which it was found most often, by the time spent in them alone.
 */
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { parseArgs } from "node:util";
import { wholeNumber } from "./options.ts";
import { markdownTable } from "./report.ts";

const USAGE = `npm run bench:profile -- [options] DIR
  --top N       functions of each thread (default: 15)`;
const ROOT = new URL("..", import.meta.url).href;
const MAIN_THREAD = "0";
/** Not a function: nothing was running. */
const IDLE = "(idle)";

/** What we read of V8's format. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
}

/** Milliseconds in each function alone, the longest first. */
function selfTimes({ nodes, samples, timeDeltas }: CpuProfile): (readonly [name: string, ms: number])[] {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const times = new Map<string, number>();
  for (const [index, id] of samples.entries()) {
    const name = names.get(id) ?? "(unknown)";
    times.set(name, (times.get(name) ?? 0) + (timeDeltas[index + 1] ?? 0) / 1000);
  }
  return [...times].sort(([, one], [, other]) => other - one);
}

function nameOf({ functionName, url, lineNumber }: CpuProfile["nodes"][number]["callFrame"]): string {
  const name = functionName === "" ? "(anonymous)" : functionName;
  return url === "" ? name : `${name} ${url.replace(ROOT, "").replace(/^.*node_modules\//, "")}:${lineNumber + 1}`;
}

function tableOf(path: string, top: number): string {
  const times = selfTimes(JSON.parse(readFileSync(path, "utf8")));
  const wholeMs = times.reduce((sum, [, ms]) => sum + ms, 0);
  const busy = times.filter(([name]) => name !== IDLE);
  const busyMs = busy.reduce((sum, [, ms]) => sum + ms, 0);
  const rows = busy
    .slice(0, top)
    .map(([name, ms]) => [ms.toFixed(0), `${((100 * ms) / busyMs).toFixed(1)} %`, name.replaceAll("|", "/")]);
  return `busy ${busyMs.toFixed(0)} of ${wholeMs.toFixed(0)} ms\n\n${markdownTable(["self, ms", "of busy", "function"], rows)}`;
}

/** CPU.<day>.<time>.<process>.<thread>.<count>.cpuprofile, in a folder named for its process. */
function titleOf(folder: string, path: string): string {
  const thread = basename(path).split(".")[4] ?? "?";
  return `${relative(folder, dirname(path))}, ${thread === MAIN_THREAD ? "main thread" : `thread ${thread}`}`;
}

function main(): number {
  const { values, positionals } = parseArgs({
    options: { top: { type: "string", default: "15" }, help: { type: "boolean", default: false } },
    allowPositionals: true,
  });
  const [folder] = positionals;
  if (values.help || folder === undefined) {
    process.stdout.write(`${USAGE}\n`);
    return values.help ? 0 : 2;
  }
  const top = wholeNumber("--top", values.top, 1000);
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".cpuprofile"))
    .map((name) => join(folder, name))
    .sort((one, other) => (titleOf(folder, one) < titleOf(folder, other) ? -1 : 1));
  for (const path of paths) process.stdout.write(`## ${titleOf(folder, path)}: ${tableOf(path, top)}\n\n`);
  if (paths.length > 0) return 0;
  process.stderr.write(`bench:profile: found no profiles in "${folder}"\n`);
  return 1;
}

process.exitCode = main();

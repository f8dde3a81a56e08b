import { spawnSync } from "node:child_process";
import { readFileSync, statfsSync } from "node:fs";
import { availableParallelism, cpus, loadavg, release, totalmem, type } from "node:os";

/** What figures mean nothing without. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly fileSystem: string;
  /** Processes that wanted to run in the minute before the start. */
  readonly loadAverage: number;
  readonly node: string;
  readonly fanfold: string;
}

const TMPFS_MAGIC = 0x01021994;
const ROOT = new URL("..", import.meta.url).pathname;

/** Above this load, somebody else is using the machine. */
export const LOAD_AVERAGE_MAX = 0.3;

export function describeMachine(folder: string): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    kernel: `${type()} ${release()}`,
    fileSystem: isInMemory(folder) ? "tmpfs (memory)" : "a disk, or unknown",
    loadAverage: loadavg()[0] ?? 0,
    node: process.versions.node,
    fanfold: fanfoldVersion(),
  };
}

/** Whether what is in this folder takes memory, and no disk. */
export function isInMemory(folder: string): boolean {
  return statfsSync(folder).type === TMPFS_MAGIC;
}

function fanfoldVersion(): string {
  const described: unknown = JSON.parse(readFileSync(`${ROOT}package.json`, "utf8"));
  const named = typeof described === "object" && described !== null && "version" in described;
  const version = named ? String(described.version) : "of unknown version";
  const { status, stdout } = spawnSync("git", ["describe", "--always", "--dirty"], { cwd: ROOT, encoding: "utf8" });
  return status === 0 ? `${version} (${stdout.trim()})` : version;
}

/** The head of a report, one line for each fact. */
export function machineLines(machine: Machine): string[] {
  const busy = machine.loadAverage > LOAD_AVERAGE_MAX ? "; **the machine was busy: do not use these figures**" : "";
  return [
    `- Machine: ${machine.cpu}, ${machine.cores} cores, ${(machine.memoryBytes / 2 ** 30).toFixed(1)} GiB of memory, ${machine.kernel}`,
    `- File system: ${machine.fileSystem}`,
    `- Load average before the start: ${machine.loadAverage.toFixed(2)}${busy}`,
    `- Node.js ${machine.node}, fanfold ${machine.fanfold}`,
  ];
}

import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/** What one run took. */
export interface Usage {
  readonly wallMs: number;
  /** User and system time of all watched processes together, and of everything they started. */
  readonly cpuMs: number;
  /** Largest resident memory of one process, by role. */
  readonly peakBytes: Readonly<Record<string, number>>;
  /** The same of CPU time: of a process that ended up to its last sample, unless it told more exactly itself. */
  readonly cpuMsByRole: Readonly<Record<string, number>>;
  /** What the source wrote to its connections, with all that goes beside content. */
  readonly sentBytes?: number;
  /** Content that the source sent, once for all or again. */
  readonly contentBytes?: number;
}

interface Watched {
  readonly role: string;
  readonly pid: number;
  readonly external: boolean;
  /** Of it and all that it started: when the clock started, and at the last sample. */
  beforeTicks: number;
  ticks: number;
}

const SAMPLE_MS = 50;
/** A server's forks end a moment after the clients they served. */
const FORKS_END_MS = 1000;
/** USER_HZ, the unit of /proc/PID/stat: 100 on every Linux that Node.js runs on. */
const TICK_MS = 1000 / 100;

/**
 * Measures a run from outside, by /proc. The CPU time of a process moves to its parent when it has ended: so the sum
 * over our ended children and all that are watched and alive misses nothing, however short a process lived. Resident
 * memory is looked at 20 times a second: the kernel keeps the peak itself, only the last moment of a process is not seen.
 */
export class Meter implements Disposable {
  readonly #watched: Watched[] = [];
  readonly #peakBytes: Record<string, number> = {};
  #timer: NodeJS.Timeout | undefined;
  #startMs = 0;
  #cpuBeforeMs = 0;

  /**
   * Adds one of our own processes, or an external one that lives on: of that the kernel's peak says nothing about this
   * run, so its samples count.
   */
  watch(role: string, pid: number | undefined, options: { readonly external?: boolean } = {}): void {
    if (pid === undefined) return;
    this.#watched.push({ role, pid, external: options.external ?? false, beforeTicks: 0, ticks: 0 });
    this.#timer ??= setInterval(() => this.#sample(), SAMPLE_MS);
    this.#sample();
  }

  /** Starts the clock: what is watched so far has used nothing yet. */
  start(): void {
    for (const watched of this.#watched) watched.beforeTicks = ticksOfTree(watched.pid);
    this.#cpuBeforeMs = this.#cpuMs();
    this.#startMs = performance.now();
  }

  /** Stops the clock at once, and gives the figures when the forks of servers have ended. */
  async stop(): Promise<Usage> {
    const wallMs = performance.now() - this.#startMs;
    this.#sample();
    const own = this.#watched.filter(({ external }) => !external);
    const deadlineMs = performance.now() + FORKS_END_MS;
    while (own.some(({ pid }) => childrenOf(pid).length > 0) && performance.now() < deadlineMs) await delay(2);
    this.#sample();
    const cpuMs = this.#cpuMs() - this.#cpuBeforeMs;
    return { wallMs, cpuMs, peakBytes: { ...this.#peakBytes }, cpuMsByRole: this.#cpuMsByRole() };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #cpuMs(): number {
    const ended = ticksOf(process.pid)?.ofChildren ?? 0;
    const alive = this.#watched.map(({ pid }) => ticksOfTree(pid));
    return (ended + alive.reduce((sum, ticks) => sum + ticks, 0)) * TICK_MS;
  }

  #cpuMsByRole(): Record<string, number> {
    const roles: Record<string, number> = {};
    for (const { role, beforeTicks, ticks } of this.#watched)
      roles[role] = (roles[role] ?? 0) + Math.max(0, ticks - beforeTicks) * TICK_MS;
    return roles;
  }

  #sample(): void {
    for (const watched of this.#watched) {
      const { role, pid, external } = watched;
      watched.ticks = Math.max(watched.ticks, ticksOfTree(pid));
      const field = external ? "VmRSS" : "VmHWM";
      const bytes = external ? memoryOf(pid, field) : Math.max(...treeOf(pid).map((one) => memoryOf(one, field)));
      this.#peakBytes[role] = Math.max(this.#peakBytes[role] ?? 0, bytes);
    }
  }
}

/** A process before its children: one that ends in between is then missed and not counted twice. */
function ticksOfTree(pid: number): number {
  return treeOf(pid).reduce((sum, one) => {
    const ticks = ticksOf(one);
    return ticks === undefined ? sum : sum + ticks.own + ticks.ofChildren;
  }, 0);
}

function treeOf(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(treeOf)];
}

function childrenOf(pid: number): number[] {
  return read(`/proc/${pid}/task/${pid}/children`).split(" ").filter(Boolean).map(Number);
}

/** The fields behind the name, which may itself hold spaces and brackets; the first of them is field 3 of proc(5). */
function ticksOf(pid: number): { readonly own: number; readonly ofChildren: number } | undefined {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === "") return undefined;
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const field = (number: number): number => Number(fields[number - 3]);
  return { own: field(14) + field(15), ofChildren: field(16) + field(17) };
}

function memoryOf(pid: number, field: "VmHWM" | "VmRSS"): number {
  const kib = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(read(`/proc/${pid}/status`))?.[1];
  return Number(kib ?? 0) * 1024;
}

/** Empty when the process has ended. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

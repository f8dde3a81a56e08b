import { readFileSync } from "node:fs";

const SAMPLE_MS = 50;

/** Peak resident memory of running processes, in bytes by name; Linux only. */
export class MemoryWatch implements Disposable {
  readonly peakBytes = new Map<string, number>();
  readonly #pids: ReadonlyMap<string, number>;
  readonly #timer: NodeJS.Timeout;

  constructor(pids: ReadonlyMap<string, number>) {
    this.#pids = pids;
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS);
    this.#sample();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  /** The kernel keeps the peak itself; only the last moment before a process ends is not seen. */
  #sample(): void {
    for (const [name, pid] of this.#pids) {
      const kib = /^VmHWM:\s+(\d+) kB$/m.exec(statusOf(pid))?.[1];
      if (kib !== undefined) this.peakBytes.set(name, Number(kib) * 1024);
    }
  }
}

function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    return "";
  }
}

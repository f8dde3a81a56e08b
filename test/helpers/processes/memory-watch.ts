import { ProcessWatch } from "./process-watch.ts";

const SAMPLE_MS = 50;

/**
 * Peak resident memory of running processes, in bytes by name; Linux only. The kernel keeps the peak itself; only the last
 * moment before a process ends is not seen.
 */
export class MemoryWatch extends ProcessWatch<number> {
  constructor(pids: ReadonlyMap<string, number>) {
    super(pids, { file: "status", everyMs: SAMPLE_MS, parse });
  }

  get peakBytes(): ReadonlyMap<string, number> {
    return this.seen;
  }
}

function parse(status: string): number | undefined {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  return kib === undefined ? undefined : Number(kib) * 1024;
}

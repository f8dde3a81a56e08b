import { readFileSync, readlinkSync } from "node:fs";

/** The number that the system has for the thread that calls this; undefined where it tells none. */
export function systemThread(): number | undefined {
  try {
    return Number(readlinkSync("/proc/thread-self").split("/").at(-1));
  } catch {
    return undefined;
  }
}

/**
 * Processor time that a thread has used or waited for, in milliseconds: on a busy machine waiting for a processor is no
 * waiting for a disk. Where the system does not tell it, what the whole process has used.
 */
export function processorMs(thread: number | undefined): number {
  const times = thread === undefined ? undefined : threadTimes(thread);
  if (times !== undefined) return times;
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** From the nanoseconds that it ran and that it waited for a processor. */
function threadTimes(thread: number): number | undefined {
  try {
    const [ran = Number.NaN, waited = Number.NaN] = readFileSync(`/proc/self/task/${thread}/schedstat`, "latin1")
      .split(" ")
      .map(Number);
    return Number.isNaN(ran + waited) ? undefined : (ran + waited) / 1e6;
  } catch {
    return undefined;
  }
}

import { readFileSync } from "node:fs";

/** Names this boot of the machine, the same for all processes on it. Undefined where the system does not tell. */
export function readBootId(): string | undefined {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
  } catch {
    return undefined;
  }
}

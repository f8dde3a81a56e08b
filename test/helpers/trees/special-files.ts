import { execFileSync } from "node:child_process";

/** Node cannot make a FIFO; a hang on one shows as a test that runs out of time. */
export function makeFifo(path: string): void {
  execFileSync("mkfifo", [path]);
}

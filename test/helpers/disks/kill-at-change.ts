/**
 * Loaded into a program before its own code (`--import`): it is killed before a change of the disk, the number of which is in
 * `FANFOLD_TEST_KILLED_AT`.
 */
import { watchChanges } from "./dying-disk.ts";

const killedAt = Number(process.env["FANFOLD_TEST_KILLED_AT"]);

if (killedAt > 0)
  watchChanges((change) => {
    if (change === killedAt) process.kill(process.pid, "SIGKILL");
  });

/** The environment of such a program. */
export function killAtChange(change: number): NodeJS.ProcessEnv {
  return { NODE_OPTIONS: `--import=${import.meta.url}`, FANFOLD_TEST_KILLED_AT: String(change) };
}

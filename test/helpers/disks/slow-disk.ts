/**
 * Loaded into a program before its own code (`--import`): reads or writes of large pieces of files take as long as on a slow
 * disk. `FANFOLD_TEST_SLOW_DISK` says which of the two.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

/** Each call; with pieces of 1 MiB about 5 MiB/s: far below what else a busy machine may hold a copy to. */
const CALL_MS = 200;
const LARGE_BYTES = 128 * 1024;

const never = new Int32Array(new SharedArrayBuffer(4));

function slowed<Arguments extends readonly unknown[]>(call: (...values: Arguments) => number) {
  return (...values: Arguments): number => {
    const done = call(...values);
    if (done >= LARGE_BYTES) Atomics.wait(never, 0, 0, CALL_MS);
    return done;
  };
}

const which = process.env["FANFOLD_TEST_SLOW_DISK"];
if (which === "read") fs.readSync = slowed(fs.readSync) as typeof fs.readSync;
if (which === "write") fs.writeSync = slowed(fs.writeSync) as typeof fs.writeSync;
syncBuiltinESMExports();

/** The environment of such a program. */
export function slowDisk(calls: "read" | "write"): NodeJS.ProcessEnv {
  return {
    NODE_OPTIONS: `--import=${import.meta.url}`,
    FANFOLD_TEST_SLOW_DISK: calls,
    // All goes through node:fs.
    FANFOLD_NATIVE: "0",
  };
}

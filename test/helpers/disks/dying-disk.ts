import fs, { constants } from "node:fs";
import { syncBuiltinESMExports } from "node:module";

/** Calls by which something on a disk changes, or is forced to it. Those of native code are not among them. */
const CHANGES = [
  ...["chmodSync", "chownSync", "fchmodSync", "fchownSync", "ftruncateSync", "futimesSync", "lchownSync"],
  ...["linkSync", "mkdirSync", "renameSync", "rmSync", "rmdirSync", "symlinkSync", "unlinkSync", "utimesSync"],
  ...["writeSync", "writeFileSync", "fsyncSync", "fdatasyncSync", "copyFileSync"],
] as const;

/** With these flags a file is made, or emptied. */
const MAKES = constants.O_CREAT | constants.O_TRUNC;

type Call = (...values: unknown[]) => unknown;
/** All of them are functions of that kind. */
const calls = fs as unknown as Record<string, Call>;

/** Has `before` called before each change, with the number of it from 1 on. Gives what undoes that. */
export function watchChanges(before: (change: number, name: string) => void): () => void {
  const real = new Map(CHANGES.map((name) => [name, calls[name]]));
  let change = 0;
  const count = (name: string): void => {
    change += 1;
    before(change, name);
  };
  for (const [name, call] of real)
    calls[name] = (...values) => {
      count(name);
      return call?.(...values);
    };
  const { openSync } = fs;
  fs.openSync = (path, flags, mode) => {
    if (typeof flags === "number" && (flags & MAKES) !== 0) count("openSync");
    return openSync(path, flags, mode);
  };
  syncBuiltinESMExports();
  return () => {
    fs.openSync = openSync;
    for (const [name, call] of real) if (call !== undefined) calls[name] = call;
    syncBuiltinESMExports();
  };
}

class Died extends Error {
  override readonly name = "Died";
}

/**
 * Does work of which the disk takes only so many changes, and nothing after them, as when the process is killed then. Gives
 * the name of the call before which it was; undefined when the work was done by then.
 */
export function diesAfter(changes: number, work: () => void): string | undefined {
  let last: string | undefined;
  const undo = watchChanges((change, name) => {
    if (change <= changes) return;
    last ??= name;
    throw new Died(`before change ${change}`);
  });
  try {
    work();
  } catch (thrown) {
    if (last === undefined) throw thrown;
  } finally {
    undo();
  }
  return last;
}

import { renameSync, rmdirSync } from "node:fs";
import { systemCode } from "../lib/errors.ts";

/**
 * Gives what was made under another name its final one, in the place of a file, a link or an empty directory. A directory
 * that holds something is an error. Both paths are pinned (directories.ts).
 */
export function replaceName(from: Buffer, to: Buffer): void {
  try {
    renameSync(from, to);
  } catch (thrown) {
    const code = systemCode(thrown);
    if (code !== "EISDIR" && code !== "EEXIST" && code !== "ENOTEMPTY") throw thrown;
    rmdirSync(to);
    renameSync(from, to);
  }
}

import { renameSync, rmdirSync } from "node:fs";
import { type Directory, joined } from "../../lib/disk/directories.ts";
import type { Native } from "../../lib/disk/native-calls.ts";
import { systemCode } from "../../lib/errors.ts";

interface NameIn {
  readonly directory: Directory;
  readonly name: Uint8Array;
}

/**
 * Gives what was made under another name its final one, in the place of a file, a link or an empty directory. A directory
 * that holds something is an error.
 */
export function replaceName(from: NameIn, to: NameIn, native: Native | undefined): void {
  try {
    rename(from, to, native);
  } catch (thrown) {
    const code = systemCode(thrown);
    if (code !== "EISDIR" && code !== "EEXIST" && code !== "ENOTEMPTY") throw thrown;
    rmdirSync(joined(to.directory, to.name));
    rename(from, to, native);
  }
}

function rename(from: NameIn, to: NameIn, native: Native | undefined): void {
  if (native === undefined || !from.directory.isPinned || !to.directory.isPinned)
    renameSync(joined(from.directory, from.name), joined(to.directory, to.name));
  else
    native.renameName({ directory: from.directory.fd, name: from.name }, { directory: to.directory.fd, name: to.name });
}

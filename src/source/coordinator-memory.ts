import { FanfoldError, reasonOf } from "../lib/errors.ts";
import { type FilePath, pathBytes, pathIn, shownPath } from "../lib/folder/file-path.ts";
import { makeDirectories } from "../lib/folder/make-directories.ts";
import { readPrivateFile, writePrivateFile } from "../lib/folder/private-file.ts";
import type { Random } from "../lib/random.ts";
import {
  COORDINATORS_BYTES_MAX,
  COORDINATORS_FILE,
  type CoordinatorMemory,
} from "../member/remembered-coordinators.ts";

/** What the sources of a state directory remember of coordinators, all in one file. */
export function sourceMemory(stateDir: FilePath, random: Random): CoordinatorMemory {
  const path = pathIn(stateDir, COORDINATORS_FILE);
  const failure = (verb: string, cause: unknown): FanfoldError =>
    new FanfoldError(
      "folder-denied",
      `cannot ${verb} "${shownPath(path)}", which says how coordinators are known: ${reasonOf(cause)}; name another folder with --state-dir`,
      { cause },
    );
  return {
    read() {
      try {
        return readPrivateFile(path, COORDINATORS_BYTES_MAX);
      } catch (thrown) {
        throw failure("read", thrown);
      }
    },
    write(text) {
      try {
        makeDirectories(pathBytes(stateDir), 0o700);
        writePrivateFile(path, text, random);
      } catch (thrown) {
        throw failure("write", thrown);
      }
    },
  };
}

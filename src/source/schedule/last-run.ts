import { createHash } from "node:crypto";
import { FanfoldError, reasonOf } from "../../lib/errors.ts";
import { type FilePath, pathBytes, pathIn, shownPath } from "../../lib/folder/file-path.ts";
import { makeDirectories } from "../../lib/folder/make-directories.ts";
import { readPrivateFile, writePrivateFile } from "../../lib/folder/private-file.ts";
import type { Random } from "../../lib/random.ts";

const FOLDER = "runs";
const TEXT_BYTES_MAX = 64;

interface ScheduledTree {
  readonly stateDir: FilePath;
  /** Canonical path of its directory. */
  readonly root: Buffer;
  readonly session: string;
  readonly random: Random;
}

/** When the last run of a source began, by its directory and session: kept in its state, so that one that was missed is made up. */
export class LastRun {
  readonly #path: Buffer;
  readonly #random: Random;

  constructor({ stateDir, root, session, random }: ScheduledTree) {
    const name = createHash("sha256").update(root).update(`\0${session}`).digest("hex");
    this.#path = pathIn(pathIn(stateDir, FOLDER), name);
    this.#random = random;
    makeDirectories(pathBytes(pathIn(stateDir, FOLDER)), 0o700);
  }

  /** In milliseconds since 1970. A file that says something else says nothing. */
  read(): number | undefined {
    const text = this.#do("read", () => readPrivateFile(this.#path, TEXT_BYTES_MAX));
    const ms = text === undefined ? Number.NaN : Date.parse(text.trim());
    return Number.isNaN(ms) ? undefined : ms;
  }

  write(at: Date): void {
    this.#do("write", () => writePrivateFile(this.#path, `${at.toISOString()}\n`, this.#random));
  }

  #do<T>(verb: string, work: () => T): T {
    try {
      return work();
    } catch (cause) {
      throw new FanfoldError(
        "folder-denied",
        `cannot ${verb} "${shownPath(this.#path)}", which says when the source ran last: ${reasonOf(cause)}; name another folder with --state-dir`,
        { cause },
      );
    }
  }
}

import { VERIFY_PROBLEMS_MAX } from "../../protocol/limits.ts";
import type { VerifyProblem, VerifyProgress, VerifyReport } from "../../protocol/messages/verification.ts";
import type { VerifyEvent } from "../../protocol/messages/verify-events.ts";
import type { CheckedSnapshot } from "../snapshots/checked-snapshot.ts";

const NOTHING: VerifyProgress = { filesFound: 0, filesDone: 0, bytesFound: 0, bytesDone: 0 };

/** How a check ended that did not read all. */
export interface CheckFailure {
  readonly result: "stopped" | "failed";
  readonly code: string;
  readonly message: string;
}

interface CheckFrame {
  readonly by: VerifyReport["by"];
  readonly startedAt: Date;
  readonly endedAt: Date;
}

/** Sums up what is found in the trees of a folder, one after another. Pure. */
export class CheckTally {
  readonly #problems: VerifyProblem[] = [];
  #before = NOTHING;
  #tree = NOTHING;
  #trees = 0;
  #differing = 0;
  #missing = 0;
  #older = 0;
  #wanted: VerifyReport["wanted"] = 0;

  get progress(): VerifyProgress {
    return sum(this.#before, this.#tree);
  }

  take(event: VerifyEvent, snapshot: CheckedSnapshot | undefined): void {
    if (event.type === "progress") {
      const { filesFound, filesDone, bytesFound, bytesDone } = event.progress;
      this.#tree = { filesFound, filesDone, bytesFound, bytesDone };
    } else if (event.type === "difference") {
      const { path, kinds } = event.difference;
      if (kinds.includes("missing")) this.#missing += 1;
      else this.#differing += 1;
      if (snapshot?.isNewest === false) this.#older += 1;
      const where = snapshot === undefined ? {} : { snapshot: snapshot.name };
      if (this.#problems.length < VERIFY_PROBLEMS_MAX) this.#problems.push({ ...where, path, kinds: [...kinds] });
    } else if (event.type === "finished") {
      const { files, bytes } = event.counts;
      this.#before = sum(this.#before, { filesFound: files, filesDone: files, bytesFound: bytes, bytesDone: bytes });
      this.#tree = NOTHING;
      this.#trees += 1;
      // Only of the newest tree is anything remembered.
      if (event.wanted !== 0) this.#wanted = event.wanted;
    }
  }

  report({ by, startedAt, endedAt }: CheckFrame, failure?: CheckFailure): VerifyReport {
    const { filesDone: files, bytesDone: bytes } = this.progress;
    const differs = this.#differing + this.#missing > 0;
    return {
      by,
      ...(failure ?? { result: differs ? "differs" : "equal" }),
      trees: this.#trees,
      files,
      bytes,
      differing: this.#differing,
      missing: this.#missing,
      ...(this.#older === 0 ? {} : { older: this.#older }),
      wanted: this.#wanted,
      problems: this.#problems,
      startedAt: startedAt.toISOString(),
      endedAt: endedAt.toISOString(),
    };
  }
}

function sum(one: VerifyProgress, other: VerifyProgress): VerifyProgress {
  return {
    filesFound: one.filesFound + other.filesFound,
    filesDone: one.filesDone + other.filesDone,
    bytesFound: one.bytesFound + other.bytesFound,
    bytesDone: one.bytesDone + other.bytesDone,
  };
}

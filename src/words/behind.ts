import type { CopyProgress } from "../protocol/messages/progress.ts";
import type { SinkLine } from "../protocol/messages/sink-line.ts";
import { isDone } from "./copy-done.ts";
import { sortedNames } from "./sink-order.ts";

/** Sinks for which a copy goes on when it is done for all others. */
export interface Behind {
  /** The copy as the last of them has it. */
  readonly progress: CopyProgress;
  readonly names: readonly string[];
  /** They are away: nothing is done but to wait. */
  readonly away: boolean;
}

/** Whom the copy goes on for; undefined while it goes on for all, and when none lacks anything. */
export function behindOf(progress: CopyProgress, sinks: readonly SinkLine[]): Behind | undefined {
  if (!isDone(progress)) return undefined;
  const lacking = sinks.filter(
    ({ progress: { bytesDone, filesDone } }) => !isDone({ ...progress, bytesDone, filesDone }),
  );
  const detached = lacking.filter(({ state }) => state === "detached");
  const behind = detached.length > 0 ? detached : lacking.filter(({ state }) => state === "away");
  const [last] = [...behind].sort((one, other) => one.progress.bytesDone - other.progress.bytesDone);
  if (last === undefined) return undefined;
  const { bytesDone, filesDone } = last.progress;
  return {
    progress: { ...progress, bytesDone, filesDone, currentFile: "" },
    names: sortedNames(behind.map(({ name }) => name)),
    away: detached.length === 0,
  };
}

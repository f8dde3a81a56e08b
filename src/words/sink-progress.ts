import type { CopyProgress } from "../protocol/messages/progress.ts";
import type { SessionView } from "../protocol/messages/session-view.ts";
import type { SinkLine } from "../protocol/messages/sink-line.ts";
import { fractionDone, isDone } from "./copy-done.ts";

const ENDED_WELL: ReadonlySet<SinkLine["state"]> = new Set<SinkLine["state"]>([
  ...(["proven", "complete", "incomplete", "dry-run"] as const),
]);

/** Nothing more comes for it, and it has not failed. */
export function isSinkDone({ state }: Pick<SinkLine, "state">): boolean {
  return ENDED_WELL.has(state);
}

/** What nothing comes to while its source is away. What a sink does by itself goes on. */
const FED: ReadonlySet<SinkLine["state"]> = new Set<SinkLine["state"]>([
  ...(["receiving", "comparing", "lagging", "detached"] as const),
]);

/** It would get more, and waits for its source to come back. */
export function isSinkPaused({ state }: Pick<SinkLine, "state">, session: SessionView["state"] | undefined): boolean {
  return session === "paused" && FED.has(state);
}

/** Counted as the whole copy is, so that both are done at the same moment. Undefined while nobody knows how much there is. */
export function sinkFraction(sink: SinkLine, progress: CopyProgress): number | undefined {
  if (isSinkDone(sink)) return 1;
  if (!progress.discoveryEnded) return undefined;
  // What was given up for all never comes: it has all that there is to get.
  if (sink.state === "verifying" && isDone(progress)) return 1;
  const { filesDone, bytesDone } = sink.progress;
  return fractionDone({ ...progress, filesDone, bytesDone });
}

import type { CopyProgress, SinkProgress } from "../../protocol/messages/progress.ts";
import type { EngineCounts } from "../engine/engine-counts.ts";

/** How far a copy is at one sink, which sends nothing. */
export function copyProgressOf(
  { filesFound, bytesFound, bytesUnchanged, bytesKept, discoveryEnded }: EngineCounts,
  { filesDone, bytesDone, currentFile }: SinkProgress,
  elapsedMs: number,
): CopyProgress {
  const receivedBytes = Math.max(0, bytesDone - bytesUnchanged - bytesKept);
  return {
    ...{ filesFound, filesDone, bytesFound, bytesDone, discoveryEnded, bytesUnchanged, bytesKept },
    ...{ bytesSent: 0, bytesSentAgain: 0, bytesCaughtUp: 0 },
    currentFile,
    rateBytesPerSecond: elapsedMs > 0 ? (receivedBytes * 1000) / elapsedMs : 0,
    elapsedMs,
  };
}

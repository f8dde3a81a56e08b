import type { CopyProgress } from "../protocol/messages/progress.ts";

/** Everything that was found is done, and nothing more is looked for. */
export function isDone({ bytesDone, bytesFound, filesDone, filesFound, discoveryEnded }: CopyProgress): boolean {
  return discoveryEnded && bytesDone >= bytesFound && filesDone >= filesFound;
}

/** By bytes, or by files where there are no bytes; 1 only when both are done. 0 while the total is not known. */
export function fractionDone(progress: CopyProgress): number {
  const { bytesDone, bytesFound, filesDone, filesFound, discoveryEnded } = progress;
  if (!discoveryEnded) return 0;
  if (isDone(progress)) return 1;
  const fraction = bytesFound > 0 ? bytesDone / bytesFound : filesDone / filesFound;
  return Math.min(fraction, 0.999);
}

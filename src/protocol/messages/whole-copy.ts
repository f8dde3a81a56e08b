import type { SinkOutcome } from "./progress.ts";

/** Whether all of the source is there, and no entry is missing. Apart from the schemas, which take time to load. */
export function isWhole({ outcome }: Pick<SinkOutcome, "outcome">): boolean {
  return outcome === "proven" || outcome === "complete";
}

/** What a proof comes to. */
export function outcomeOfProof({
  problemCount,
  takenAsUnchanged,
}: Pick<SinkOutcome, "problemCount" | "takenAsUnchanged">): "proven" | "complete" | "incomplete" {
  if (problemCount > 0) return "incomplete";
  return takenAsUnchanged === undefined ? "proven" : "complete";
}

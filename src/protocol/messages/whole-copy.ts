import type { SinkOutcome } from "./progress.ts";

/** Whether all of the source is there, and no entry is missing. Apart from the schemas, which take time to load. */
export function isWhole({ outcome }: Pick<SinkOutcome, "outcome">): boolean {
  return outcome === "proven" || outcome === "complete";
}

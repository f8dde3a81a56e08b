import { FanfoldError, isErrorCode } from "../../lib/errors.ts";
import type { Ended, Start } from "../../member/inbox.ts";
import type { SinkOutcome } from "../../protocol/messages/progress.ts";
import { outcomeOfProof } from "../../protocol/messages/whole-copy.ts";
import type { Conclusion } from "./copy-parts.ts";

/**
 * The outcome of this sink as the source took it. It passes through the coordinator, so it counts only as far as this sink has
 * said the same of its copy.
 *
 * @throws FanfoldError when it is no success
 */
export function outcomeOf(
  ended: Ended,
  concluded: Conclusion | undefined,
  start: Pick<Start, "seal"> | undefined,
): SinkOutcome {
  const { mine } = ended;
  if (mine === undefined) throw endedError(ended);
  if (mine.outcome !== "failed" && !isSaidHere(mine, concluded))
    throw new FanfoldError(
      "damaged",
      `cannot end the session: it ended as "${mine.outcome}", which this sink has not said of its copy; copy again, and see who runs the coordinator`,
    );
  if (mine.outcome !== "failed") return start?.seal?.by === "recipients" ? withOwnNames(mine, concluded) : mine;
  throw new FanfoldError(
    mine.code !== undefined && isErrorCode(mine.code) ? mine.code : "sinks-lost",
    mine.message ?? "The source gave up on this sink",
  );
}

function isSaidHere({ outcome, digest }: SinkOutcome, concluded: Conclusion | undefined): boolean {
  if (concluded === undefined) return false;
  // A dry run must not end as a copy, nor a copy as a dry run.
  if (concluded.type === "outlook") return outcome === "dry-run";
  return outcome === outcomeOfProof(concluded) && digest === concluded.digest;
}

function endedError({ code, reason = "the session ended before the copy was proven" }: Ended): FanfoldError {
  if (code === "coordinator-lost") return new FanfoldError(code, reason);
  if (code === "cancelled") return new FanfoldError(code, `The source ended the session for all sinks: ${reason}`);
  return new FanfoldError("source-lost", `The source left: ${reason}`);
}

/** An outcome that came through a coordinator which may not read names, with those that this sink has itself. */
function withOwnNames(outcome: SinkOutcome, concluded: Conclusion | undefined): SinkOutcome {
  if (concluded === undefined) return outcome;
  const deletion = concluded.deletion === undefined ? {} : { deletion: concluded.deletion };
  if (concluded.type === "outlook") return { ...outcome, ...deletion };
  const { problems, fidelity } = concluded;
  return { ...outcome, problems, ...(fidelity === undefined ? {} : { fidelity }), ...deletion };
}

import { type Command, Option } from "commander";
import { SINKS_PER_SESSION_MAX } from "../../protocol/limits.ts";
import { STRAGGLER_POLICIES } from "../../source/session/ladder.ts";
import { SOURCE_DEFAULTS } from "../../source/source-defaults.ts";
import { parseDuration } from "./parse-duration.ts";
import { parseWholeNumber } from "./parse-number.ts";

/** Options of a source about sinks that are away or slow, or fail. */
export function addSinkPolicy(command: Command): Command {
  return command
    .addOption(
      new Option("--sink-timeout <duration>", "how long to wait for a sink that goes away during the copy")
        .default(SOURCE_DEFAULTS.sinkTimeoutMs, "10m")
        .argParser((value) => parseDuration(value, "--sink-timeout")),
    )
    .addOption(
      new Option(
        "--stragglers <policy>",
        "what to do with a sink much slower than the others: wait for it, detach it and send to it separately, or drop it",
      )
        .default(SOURCE_DEFAULTS.stragglers)
        .choices(STRAGGLER_POLICIES),
    )
    .addOption(
      new Option(
        "--min-success <count>",
        "end with 0 if at least this many sinks have a whole copy, even if others failed",
      ).argParser((value) => parseWholeNumber(value, { option: "--min-success", min: 1, max: SINKS_PER_SESSION_MAX })),
    )
    .addOption(new Option("--error-on-no-transfer", "end with 13 if every sink already had everything"));
}

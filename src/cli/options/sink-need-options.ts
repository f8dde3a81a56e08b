import { type Command, Option } from "commander";
import { parseDestCount, parseExpect } from "./parse-dest-count.ts";
import { parseDuration } from "./parse-duration.ts";

/** Options of a source about the sinks with which it starts. */
export function addSinkNeed(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--dest-count <count>",
        "start when this many sinks are registered; LEAST..MOST starts with LEAST after --wait (default: 1, or all of --expect)",
      ).argParser(parseDestCount),
    )
    .addOption(
      new Option(
        "--wait <duration>",
        "after this time the LEAST of --dest-count is enough; with fewer sinks give up, at once or at --wait-timeout",
      ).argParser((value) => parseDuration(value, "--wait")),
    )
    .addOption(
      new Option(
        "--expect <names>",
        "names of sinks, with commas (repeatable): only these count for --dest-count, and missing ones are named",
      ).argParser(parseExpect),
    )
    .addOption(
      new Option(
        "--wait-timeout <duration>",
        "give up if too few sinks are registered after this time, such as 30s, 5m or 2h",
      ).argParser((value) => parseDuration(value, "--wait-timeout")),
    );
}

import { Option } from "commander";
import { readLimit } from "../../protocol/bandwidth/limit-plan.ts";

/** `--bwlimit` of a command. `does` says what is limited. */
export function bandwidthOption(does: string, name = "--bwlimit"): Option {
  return new Option(
    `${name} <limit>`,
    `${does} at most this much a second: 500K, 20M, or a timetable in local time: "08:00,2M 19:00,off" (docs/bandwidth.md)`,
  ).argParser((value) => parseLimit(value, name));
}

/**
 * Reads a rate such as `20M`, or a timetable; gives the text back.
 *
 * @throws FanfoldError `usage`
 */
function parseLimit(value: string, option: string): string {
  readLimit(value, option);
  return value;
}

import { type Command, Option } from "commander";
import type { FilterOption } from "../source/filter-options.ts";
import { parsePath } from "./parse-name.ts";
import { parseRate } from "./parse-rate.ts";

/**
 * Adds the options of a source that say what of its directory is carried, and how fast. Returns the list of those that leave
 * entries out, which the parser fills in the order in which they are given.
 */
export function addTreeOptions(command: Command): readonly FilterOption[] {
  const filters: FilterOption[] = [];
  // Commander keeps a list for each option; which of them came first shows only when all go to the same one.
  const add = (flags: string, description: string, read: (value: string) => FilterOption): void => {
    command.addOption(
      new Option(flags, `${description} (repeatable)`).argParser((value) => void filters.push(read(value))),
    );
  };
  add("--exclude <pattern>", "leave out what matches", (exclude) => ({ exclude }));
  add("--include <pattern>", "do not leave out what matches, whatever is excluded behind it", (include) => ({
    include,
  }));
  add("--exclude-from <file>", "leave out what the patterns in a file say, one a line", (file) => ({
    excludeFrom: parsePath(file, "--exclude-from"),
  }));
  command
    .addOption(new Option("--checksum", "compare files by content, not by size and time: reads all of them first"))
    .addOption(
      new Option("--bwlimit <rate>", "publish no more a second than this: 500K, 20M; KiB without a unit").argParser(
        (value) => parseRate(value, "--bwlimit"),
      ),
    );
  return filters;
}

import { type Command, Option } from "commander";
import { COMPRESSION_MODES } from "../../protocol/compression-mode.ts";
import { SOURCE_DEFAULTS } from "../../source/source-defaults.ts";
import type { FilterOption } from "../../source/walk/filter-options.ts";
import { LINK_POLICIES } from "../../source/walk/link-policy.ts";
import { argumentBytes } from "../process/arguments.ts";
import { parseMaxDelete } from "./parse-max-delete.ts";
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
  add("--exclude <pattern>", "leave out what matches", (exclude) => ({ exclude: argumentBytes(exclude) }));
  add("--include <pattern>", "do not leave out what matches, whatever is excluded behind it", (include) => ({
    include: argumentBytes(include),
  }));
  add("--exclude-from <file>", "leave out what the patterns in a file say, one a line", (file) => ({
    excludeFrom: parsePath(file, "--exclude-from"),
  }));
  command
    .addOption(new Option("--delete", "let the sinks delete, at the end, what DIR has not; not what filters name"))
    .addOption(
      new Option(
        "--max-delete <limit>",
        "delete nothing at a sink where more than this would go: entries, or 0% to 100% of them (default: 25% and 10 entries)",
      ).argParser(parseMaxDelete),
    )
    .addOption(new Option("-x, --one-file-system", "do not look into directories on other file systems"))
    .addOption(
      new Option(
        "--links <policy>",
        "symbolic links: keep all, only safe ones that do not lead out of DIR, or skip all",
      )
        .default(SOURCE_DEFAULTS.links)
        .choices(LINK_POLICIES),
    )
    .addOption(new Option("--no-owner", "do not carry owners and groups"))
    .addOption(new Option("--no-perms", "do not carry permission bits: new entries get them less the sink's umask"))
    .addOption(new Option("--no-times", "do not carry modification times; compares by content"))
    .addOption(new Option("--checksum", "compare files by content, not by size and time: reads all of them first"))
    .addOption(
      new Option("--bwlimit <rate>", "publish no more a second than this: 500K, 20M; KiB without a unit").argParser(
        (value) => parseRate(value, "--bwlimit"),
      ),
    )
    .addOption(
      new Option(
        "--compress <when>",
        "compress file content that shrinks: auto where the path to the sinks holds the source back, on, or off",
      )
        .default(SOURCE_DEFAULTS.compression)
        .choices(COMPRESSION_MODES),
    );
  return filters;
}

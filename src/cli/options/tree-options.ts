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
  add("--exclude <pattern>", "leave out entries that match", (exclude) => ({ exclude: argumentBytes(exclude) }));
  add("--include <pattern>", "keep entries that match, whatever a later option excludes", (include) => ({
    include: argumentBytes(include),
  }));
  add("--exclude-from <file>", "leave out entries that match the patterns in a file, one a line", (file) => ({
    excludeFrom: parsePath(file, "--exclude-from"),
  }));
  command
    .addOption(
      new Option(
        "--delete",
        "at the end, let the sinks delete entries that DIR does not have; entries that filters leave out stay",
      ),
    )
    .addOption(
      new Option(
        "--max-delete <limit>",
        "delete nothing at a sink if it would be more than this: a number of entries, or 0% to 100% (default: 25% and 10 entries)",
      ).argParser(parseMaxDelete),
    )
    .addOption(new Option("-x, --one-file-system", "do not enter directories on other file systems"))
    .addOption(
      new Option("--links <policy>", "symbolic links: keep all, only the safe ones that stay inside DIR, or skip all")
        .default(SOURCE_DEFAULTS.links)
        .choices(LINK_POLICIES),
    )
    .addOption(new Option("--no-owner", "do not carry owners and groups"))
    .addOption(
      new Option("--no-perms", "do not set permission bits exactly: the sink's umask limits those of new entries"),
    )
    .addOption(new Option("--no-times", "do not carry modification times; files are compared by content"))
    .addOption(
      new Option("--checksum", "compare files by content, not by size and time; the source reads all of them first"),
    )
    .addOption(
      new Option(
        "--bwlimit <rate>",
        "publish at most this much a second: 500K, 20M; a number without a unit is in KiB",
      ).argParser((value) => parseRate(value, "--bwlimit")),
    )
    .addOption(
      new Option(
        "--compress <when>",
        "compress file content that shrinks: auto (only while the network is the bottleneck), on, or off",
      )
        .default(SOURCE_DEFAULTS.compression)
        .choices(COMPRESSION_MODES),
    );
  return filters;
}

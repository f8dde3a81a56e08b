import { type Command, Option } from "commander";
import { COMPRESSION_MODES } from "../../protocol/compression-mode.ts";
import { DELTA_MODES } from "../../protocol/delta-mode.ts";
import { SEAL_MODES } from "../../protocol/seal/seal-mode.ts";
import { SOURCE_DEFAULTS } from "../../source/source-defaults.ts";
import type { FilterOption } from "../../source/walk/filter-options.ts";
import { LINK_POLICIES } from "../../source/walk/link-policy.ts";
import { KEY_OR_FILE } from "../configuration/option-keys.ts";
import { argumentBytes } from "../process/arguments.ts";
import { bandwidthOption } from "./bandwidth-option.ts";
import { parseMaxDelete } from "./parse-max-delete.ts";
import { parsePath } from "./parse-name.ts";

/** Options that leave entries out have one list: which of them came first decides. */
class ListedFilter extends Option {
  override attributeName(): string {
    return "filters";
  }
}

/** Adds the options of a source that say what of its directory is carried, and how fast. */
export function addTreeOptions(command: Command): Command {
  addFilters(command)
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
    );
  return addReach(command)
    .addOption(new Option("--no-owner", "do not carry owners and groups"))
    .addOption(
      new Option("--no-perms", "do not set permission bits exactly: the sink's umask limits those of new entries"),
    )
    .addOption(new Option("--no-times", "do not carry modification times; files are compared by content"))
    .addOption(
      new Option("--checksum", "compare files by content, not by size and time; the source reads all of them first"),
    )
    .addOption(bandwidthOption("publish"))
    .addOption(
      new Option(
        "--compress <when>",
        "compress file content that shrinks: auto (only while the network is the bottleneck), on, or off",
      )
        .default(SOURCE_DEFAULTS.compression)
        .choices(COMPRESSION_MODES),
    )
    .addOption(
      new Option(
        "--delta <when>",
        "send of large files that changed only what sinks lack: auto (only while the network is the bottleneck), on, or off",
      )
        .default(SOURCE_DEFAULTS.delta)
        .choices(DELTA_MODES),
    )
    .addOption(
      new Option("--seal <when>", "encrypt what is sent: auto (when it may leave the machine), on, or off")
        .default(SOURCE_DEFAULTS.seal)
        .choices(SEAL_MODES),
    )
    .addOption(
      new Option(
        `--recipient <${KEY_OR_FILE}>`,
        "encrypt for this age key, so that not even the coordinator can read: age1…, or a file of such keys (repeatable)",
      ).argParser((value, before: readonly string[] | undefined) => [...(before ?? []), value]),
    );
}

/** Adds those that say what of a directory its digest is of: the same as a source's. */
export function addDigestOptions(command: Command): Command {
  return addReach(addFilters(command))
    .addOption(new Option("--no-owner", "leave out owners and groups, as a source with --no-owner does"))
    .addOption(
      new Option("--no-perms", "leave out permission bits and access control lists, as a source with --no-perms does"),
    )
    .addOption(new Option("--no-times", "leave out modification times, as a source with --no-times does"));
}

/** Adds the options that leave out entries by their names. */
function addFilters(command: Command): Command {
  const add = (flags: string, description: string, read: (value: string) => FilterOption): void => {
    command.addOption(
      new ListedFilter(flags, `${description} (repeatable)`).argParser(
        (value, before: readonly FilterOption[] | undefined) => [...(before ?? []), read(value)],
      ),
    );
  };
  add("--exclude <pattern>", "leave out entries that match", (exclude) => ({ exclude: argumentBytes(exclude) }));
  add("--include <pattern>", "keep entries that match, whatever a later option excludes", (include) => ({
    include: argumentBytes(include),
  }));
  add("--exclude-from <file>", "leave out entries that match the patterns in a file, one a line", (file) => ({
    excludeFrom: parsePath(file, "--exclude-from"),
  }));
  return command;
}

/** Adds the options that leave out what is elsewhere. */
function addReach(command: Command): Command {
  return command
    .addOption(new Option("-x, --one-file-system", "do not enter directories on other file systems"))
    .addOption(
      new Option("--links <policy>", "symbolic links: keep all, only the safe ones that stay inside DIR, or skip all")
        .default(SOURCE_DEFAULTS.links)
        .choices(LINK_POLICIES),
    );
}

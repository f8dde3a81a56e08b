import { type Command, Option } from "commander";
import { SOURCE_DEFAULTS } from "../../source/source-defaults.ts";
import { parseDuration } from "../options/parse-duration.ts";
import { parsePath } from "../options/parse-name.ts";
import {
  addShared,
  coordinatorOption,
  type Finish,
  labelOption,
  sessionOption,
  sourceStateOption,
} from "../options/shared-options.ts";
import { addSinkNeed } from "../options/sink-need-options.ts";
import { addSinkPolicy } from "../options/sink-policy-options.ts";
import { addTreeOptions } from "../options/tree-options.ts";
import type { ProgramIo } from "../process/program-io.ts";
import type { SourceCommandOptions } from "./source-command.ts";

/** `fanfold source`, with its options and help. */
export function addSource(program: Command, io: ProgramIo, finish: Finish): void {
  const command = program
    .command("source")
    .summary("copy a directory to the sinks of a session")
    .description("Waits for sinks, copies DIR to all of them at once, and ends with 0 when every copy is complete.")
    .argument("<dir>", "the directory to copy")
    .addOption(coordinatorOption())
    .addOption(sessionOption());
  addSinkNeed(command)
    .addOption(labelOption())
    .addOption(
      new Option(
        "--connect-timeout <duration>",
        "give up when the coordinator does not let us in by then; in the middle of a session it gets 10m at least",
      )
        .default(SOURCE_DEFAULTS.connectTimeoutMs, "30s")
        .argParser((value) => parseDuration(value, "--connect-timeout")),
    )
    .addOption(
      new Option(
        "-n, --dry-run",
        "only say what would be sent to each sink, and change nothing; with --verbose name the files",
      ).conflicts("cancel"),
    )
    .addOption(new Option("--cancel", "end the session of DIR for all, and copy nothing"))
    .addOption(sourceStateOption())
    .addOption(
      new Option(
        "--identity <file>",
        "be the source whose identity is in this file, and not the one that is kept for DIR (docs/identity.md)",
      ).argParser((value) => parsePath(value, "--identity")),
    );
  const filters = addTreeOptions(command);
  addShared(addSinkPolicy(command))
    .addHelpText("after", SOURCE_HELP)
    .action(async (folder: string, options: Omit<SourceCommandOptions, "filters">) => {
      const { sourceCommand } = await import("./source-command.ts");
      finish(await sourceCommand(folder, { ...options, filters }, io));
    });
}

const SOURCE_HELP = `
Examples:
  fanfold source ~/photos
  fanfold source --coordinator backup:7337 --session photos ~/photos
  fanfold source --dest-count 3 --wait-timeout 10m --json /srv > events.jsonl
  fanfold source --expect attic,cellar,office --dest-count 2..3 --wait 10m /srv
  fanfold source --dry-run --verbose ~/photos
  fanfold source --exclude '*.tmp' --exclude /build/ ~/project

Ctrl-C stops the source, and its sinks wait: the same command goes on.
A second Ctrl-C ends the session for all.

Patterns are those of .gitignore. "*.tmp" and "cache/" match at any depth,
"/build" and "docs/*.md" from DIR on. "/" at the end means directories, "**" any
number of them. Of --exclude, --include and --exclude-from the first that
matches an entry decides. In a file the last line does, and "!" in front
includes again. More: docs/filters.md.

The exit status says how it ended: docs/exit-status.md.
`;

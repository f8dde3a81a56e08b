import { Argument, type Command, Option } from "commander";
import { SOURCE_DEFAULTS } from "../../../source/source-defaults.ts";
import { fromFile, typedOnly } from "../../configuration/option-keys.ts";
import { addCommit } from "../../options/commit-options.ts";
import { addBrokerCertificate, addContact } from "../../options/contact-options.ts";
import { parseDuration } from "../../options/parse-duration.ts";
import { parsePath } from "../../options/parse-name.ts";
import { addSchedule } from "../../options/schedule-options.ts";
import { addShared, type Finish, labelOption, sessionOption, sourceStateOption } from "../../options/shared-options.ts";
import { addSinkNeed } from "../../options/sink-need-options.ts";
import { addSinkPolicy } from "../../options/sink-policy-options.ts";
import { addTreeOptions } from "../../options/tree-options.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import type { SourceCommandOptions } from "./source-command.ts";

/** `fanfold source`, with its options and help. */
export function addSource(program: Command, io: ProgramIo, finish: Finish): void {
  const command = program
    .command("source")
    .summary("copy a directory to the sinks of a session")
    .description(
      "Waits for sinks and copies DIR to all of them at once. The exit status is 0 when every copy is complete.",
    )
    .addArgument(fromFile(new Argument("<dir>", "the directory to copy"), "directory"));
  addContact(command).addOption(sessionOption());
  addBrokerCertificate(addSinkNeed(command))
    .addOption(labelOption())
    .addOption(
      new Option(
        "--connect-timeout <duration>",
        "give up if the coordinator does not let the source in within this time; during a session it has at least 10m",
      )
        .default(SOURCE_DEFAULTS.connectTimeoutMs, "30s")
        .argParser((value) => parseDuration(value, "--connect-timeout")),
    )
    .addOption(
      new Option(
        "-n, --dry-run",
        "say what would be sent to each sink, and change nothing; --verbose names the files",
      ).conflicts("cancel"),
    )
    .addOption(
      typedOnly(new Option("--cancel", "end the session of DIR for the source and all sinks, and copy nothing")),
    )
    .addOption(
      new Option("--receipt <file>", "keep what each sink signed in this file (fanfold receipt verify)").argParser(
        (value) => parsePath(value, "--receipt"),
      ),
    )
    .addOption(sourceStateOption())
    .addOption(
      new Option(
        "--identity <file>",
        "use the identity in this file, not the one that is kept for DIR (docs/identity.md)",
      ).argParser((value) => parsePath(value, "--identity")),
    );
  addShared(addSchedule(addCommit(addSinkPolicy(addTreeOptions(command)))))
    .addHelpText("after", SOURCE_HELP)
    .action(async (folder: string, given: SourceCommandOptions, called: Command) => {
      const options = withoutIdleLimit(given, called);
      const { sourceCommand } = await import("./source-command.ts");
      finish(await sourceCommand(folder, options, io));
    });
}

/** A `--max-delete` that was not typed is for the runs that delete. */
function withoutIdleLimit({ maxDelete, ...options }: SourceCommandOptions, called: Command): SourceCommandOptions {
  const isIdle = options.delete !== true && called.getOptionValueSource("maxDelete") !== "cli";
  return isIdle || maxDelete === undefined ? options : { ...options, maxDelete };
}

const SOURCE_HELP = `
Examples:
  fanfold source ~/photos
  fanfold source --coordinator backup:7337 --session photos ~/photos
  fanfold source --dest-count 3 --wait-timeout 10m --json /srv > events.jsonl
  fanfold source --expect attic,cellar,office --dest-count 2..3 --wait 10m /srv
  fanfold source --dry-run --verbose ~/photos
  fanfold source --at "daily 02:30" --expect attic,cellar ~/photos
  fanfold source --exclude '*.tmp' --exclude /build/ ~/project
  fanfold source --recipient age1… --recipient sinks.txt /srv

Ctrl-C stops the source, and its sinks wait. The same command goes on with the
copy. A second Ctrl-C ends the session for the sinks, too.

Patterns are those of .gitignore:
  *.tmp  cache/      match at any depth
  /build  docs/*.md  match from DIR on
  a "/" at the end   matches directories only
  **                 matches any number of directories
The first of --exclude, --include and --exclude-from that matches an entry
decides. In a file the last line that matches decides. A "!" at the beginning of
a line includes again. More: docs/filters.md.

docs/exit-status.md explains the exit status.
`;

import { Argument, type Command, Option } from "commander";
import type { Durability } from "../../../sink/disk/entry-sync.ts";
import { fromFile } from "../../configuration/option-keys.ts";
import { bandwidthOption } from "../../options/bandwidth-option.ts";
import { fileOption } from "../../options/broker-options.ts";
import { addBrokerCertificate, addContact } from "../../options/contact-options.ts";
import { addRetention } from "../../options/keep-options.ts";
import { parseDuration, parseVerifyEvery } from "../../options/parse-duration.ts";
import { parseMaxDelete } from "../../options/parse-max-delete.ts";
import { parsePath, parsePublicKey } from "../../options/parse-name.ts";
import { addShared, type Finish, labelOption, sessionOption } from "../../options/shared-options.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import type { SinkCommandOptions } from "./sink-command.ts";

/** `fanfold sink`, with its options and help. */
export function addSink(program: Command, io: ProgramIo, finish: Finish): void {
  const command = program
    .command("sink")
    .summary("receive a copy into a folder")
    .description(
      "Registers, waits for a source, however long it takes, and copies its directory into FOLDER. Other entries of FOLDER stay as they are, unless the source has --delete.",
    )
    .addArgument(fromFile(new Argument("<folder>", "the folder to fill; it is created if it is missing"), "folder"));
  addBrokerCertificate(addContact(command).addOption(sessionOption()))
    .addOption(labelOption())
    .addOption(new Option("--stay", "after each session, wait for the next one of this name"))
    .addOption(new Option("--accept-new-source", "accept a source other than the one whose copy the folder holds"))
    .addOption(
      new Option(
        "--trust-source <key>",
        "accept only the source with this public key, if the folder holds no copy yet (fanfold identity show)",
      ).argParser((value) => parsePublicKey(value, "--trust-source")),
    )
    .addOption(
      new Option(
        "--age-key <file>",
        "take only what the source has encrypted for a key in this file (fanfold keygen); the coordinator cannot read it",
      ).argParser((value) => parsePath(value, "--age-key")),
    )
    .addOption(new Option("--no-delete", "delete nothing here, even if the source has --delete"))
    .addOption(
      new Option(
        "--max-delete <limit>",
        "delete nothing if it would be more than this, even if the source allows it: a number of entries, or 0% to 100%",
      ).argParser(parseMaxDelete),
    )
    .addOption(new Option("--numeric-ids", "as root: set owners by the source's numbers (default: by their names)"))
    .addOption(new Option("--specials", "as root: also make devices"))
    .addOption(
      new Option(
        "--durability <when>",
        "when to force data to the disk: once before the copy is done, also each file before it gets its name, or never",
      )
        .choices(["session", "file", "none"] satisfies Durability[])
        .default("session"),
    )
    .addOption(bandwidthOption("take in"))
    .addOption(
      new Option(
        "--verify-every <duration>",
        "with --stay: read the copy again so long after the last time, while nothing is copied: 12h, 30d",
      ).argParser(parseVerifyEvery),
    )
    .addOption(bandwidthOption("read the copy again (default: 50M)", "--verify-bwlimit"))
    .addOption(
      new Option(
        "--connect-timeout <duration>",
        "give up if the coordinator does not let the sink in within this time (default: keep trying)",
      ).argParser((value) => parseDuration(value, "--connect-timeout")),
    );
  addSnapshotChoice(command);
  addShared(addRetention(command))
    .addHelpText("after", SINK_HELP)
    .action(async (folder: string, options: SinkCommandOptions) => {
      const { sinkCommand } = await import("./sink-command.ts");
      finish(await sinkCommand(folder, options, io));
    });
}

/** How what was there before is kept. */
function addSnapshotChoice(command: Command): void {
  command
    .addOption(
      new Option("--snapshots", "keep each proven state as a folder of its own in FOLDER, beside those before it"),
    )
    .addOption(
      fileOption(
        "--snapshot-command <program>",
        "run this program when a copy is proven that changed something: it makes a snapshot of FOLDER as a whole",
      ),
    );
}

const SINK_HELP = `
Examples:
  fanfold sink /backup/photos
  fanfold sink --coordinator backup:7337 --session photos --name attic /backup
  fanfold sink --stay /backup/photos
  fanfold sink --age-key ~/attic.key /backup/photos

With --stay, each line begins with the time in UTC if the output is not a
terminal.
docs/exit-status.md explains the exit status.
`;

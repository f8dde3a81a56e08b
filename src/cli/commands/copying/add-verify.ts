import { Argument, type Command, Option } from "commander";
import { FanfoldError } from "../../../lib/errors.ts";
import { fromFile, typedOnly } from "../../configuration/option-keys.ts";
import { bandwidthOption } from "../../options/bandwidth-option.ts";
import { addDeskPlace, namesCoordinator } from "../../options/desk-options.ts";
import { parseSessionName } from "../../options/parse-name.ts";
import { addShared, type Finish } from "../../options/shared-options.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import type { VerifyFleetOptions } from "./verify-fleet-command.ts";

/** As commander reads them. */
type GivenVerify = Omit<VerifyFleetOptions, "fleet"> & { readonly fleet?: string };

/** `fanfold verify`, with its options and help. */
export function addVerify(program: Command, io: ProgramIo, finish: Finish): void {
  const command = program
    .command("verify")
    .summary("compare a sink's folder with what was copied into it")
    .description(
      "Reads FOLDER, without a network, and names what differs from the last completed copy. With --fleet, the sinks that wait for a session do so, each with its own copy. Nothing in a copy is changed. Each folder remembers which files are damaged, and the next copy gets them again.",
    )
    .addArgument(fromFile(new Argument("[folder]", "the folder of a sink"), "folder"))
    .addOption(
      typedOnly(
        new Option("--fleet <session>", "ask the sinks of this session that wait, at their coordinator").argParser(
          parseSessionName,
        ),
      ),
    )
    .addOption(
      typedOnly(
        new Option(
          "--snapshot <time>",
          "check this snapshot, or all of them (default: that of latest, and the newest one)",
        ),
      ),
    )
    .addOption(
      typedOnly(
        new Option(
          "--repair",
          "with --fleet: if something is damaged, have the next run now, of a source that repeats",
        ),
      ),
    )
    .addOption(new Option("--strict", "also fail if FOLDER has entries that are not in the copy"))
    .addOption(bandwidthOption("read"));
  addShared(addDeskPlace(command))
    .addHelpText("after", VERIFY_HELP)
    .action(async (folder: string | undefined, { fleet, ...options }: GivenVerify, asked: Command) => {
      const [typed] = asked.args;
      if (fleet !== undefined && typed === undefined) {
        const { verifyFleetCommand } = await import("./verify-fleet-command.ts");
        const choice = { options: { ...options, fleet }, namesCoordinator: namesCoordinator(asked) };
        finish(await verifyFleetCommand(choice, io));
        return;
      }
      if (options.repair === true)
        throw new FanfoldError(
          "usage",
          "cannot use --repair without --fleet: a folder alone has no source that could run",
        );
      if (fleet !== undefined || folder === undefined)
        throw new FanfoldError(
          "usage",
          "cannot tell what to verify: want the folder of a sink, or --fleet with a session",
        );
      const { verifyCommand } = await import("./verify-command.ts");
      finish(await verifyCommand(folder, options, io));
    });
}

const VERIFY_HELP = `
Examples:
  fanfold verify /backup/photos
  fanfold verify --strict --json /backup/photos
  fanfold verify --snapshot yesterday /backup/photos
  fanfold verify --snapshot all --bwlimit 20M /backup/photos
  fanfold verify --fleet photos                  each sink reads its newest copy
  fanfold verify --fleet photos --snapshot all --bwlimit 20M
  fanfold verify --fleet photos --repair

The exit status is 0 when all is as it was copied. It is 12 when something
differs or is missing. With --fleet it is 4 when nothing differs, but a sink
did not read all, and 11 when --repair found no source. docs/verify.md tells
more about it.
docs/exit-status.md explains the others.
`;

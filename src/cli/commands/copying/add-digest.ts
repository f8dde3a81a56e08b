import { Argument, type Command } from "commander";
import { fromFile } from "../../configuration/option-keys.ts";
import { addShared, type Finish } from "../../options/shared-options.ts";
import { addDigestOptions } from "../../options/tree-options.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import type { DigestCommandOptions } from "./digest-command.ts";

/** `fanfold digest`, with its options and help. */
export function addDigest(program: Command, io: ProgramIo, finish: Finish): void {
  const command = program
    .command("digest")
    .summary("print the digest of a directory")
    .description(
      "Reads DIR, without a network, and prints its digest: the same for the same tree, wherever it lies. It changes nothing.",
    )
    .addArgument(fromFile(new Argument("<dir>", "the directory to read"), "directory"));
  addShared(addDigestOptions(command))
    .addHelpText("after", DIGEST_HELP)
    .action(async (folder: string, options: DigestCommandOptions) => {
      const { digestCommand } = await import("./digest-command.ts");
      finish(await digestCommand(folder, options, io));
    });
}

const DIGEST_HELP = `
Examples:
  fanfold digest ~/photos
  fanfold digest --no-owner --json /restored/photos

The digest covers paths, kinds, modes, times, owners, attributes, link targets
and content. With --no-owner it is the same on machines with other users.
The exit status is 3 when an entry cannot be read. docs/exit-status.md explains
the others.
`;

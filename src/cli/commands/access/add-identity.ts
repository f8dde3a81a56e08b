import { Argument, type Command, Option } from "commander";
import { fromFile, typedOnly } from "../../configuration/option-keys.ts";
import { type Finish, sourceStateOption } from "../../options/shared-options.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import type { IdentityOptions, ImportOptions, ShowIdentityOptions } from "./identity-command.ts";

/** `fanfold identity`, with the commands below it. */
export function addIdentity(program: Command, io: ProgramIo, finish: Finish): void {
  const identity = program
    .command("identity")
    .summary("show, export or import the identity of a source")
    .description(
      "Sinks recognise a source by its identity. Each user has one for each path of DIR on each machine: docs/identity.md.",
    )
    .helpOption("-h, --help", "show this help");
  below(identity, "show", "print the fingerprint of DIR's identity and the path of its file")
    .addOption(typedOnly(new Option("--create", "make the identity where there is none yet")))
    .addHelpText("after", SHOW_HELP)
    .action(async (folder: string, options: ShowIdentityOptions) => {
      const { showIdentity } = await import("./identity-command.ts");
      finish(await showIdentity(folder, options, io));
    });
  below(
    identity,
    "export",
    "write DIR's identity into a new file that only you can read; whoever has the file can act as this source",
  )
    .argument("<file>", 'the new file, or "-" for standard output')
    .addHelpText("after", EXPORT_HELP)
    .action(async (folder: string, file: string, options: IdentityOptions) => {
      const { exportIdentity } = await import("./identity-command.ts");
      finish(await exportIdentity({ folder, file }, options, io));
    });
  below(identity, "import", "give DIR the identity that is in a file")
    .argument("<file>", 'a file that "fanfold identity export" wrote, or "-" for standard input')
    .addOption(typedOnly(new Option("--replace", "replace the identity that DIR has; the old one is lost")))
    .addHelpText("after", IMPORT_HELP)
    .action(async (folder: string, file: string, options: ImportOptions) => {
      const { importIdentity } = await import("./identity-command.ts");
      finish(await importIdentity({ folder, file }, options, io));
    });
}

function below(identity: Command, name: string, what: string): Command {
  return identity
    .command(name)
    .summary(what)
    .description(`${what[0]?.toUpperCase()}${what.slice(1)}.`)
    .addArgument(fromFile(new Argument("<dir>", "the directory of the source"), "directory"))
    .addOption(sourceStateOption())
    .helpOption("-h, --help", "show this help");
}

const SHOW_HELP = `
Examples:
  fanfold identity show ~/photos
  fanfold identity show --create ~/photos      (its key before the first copy)
`;

const EXPORT_HELP = `
Examples:
  fanfold identity export ~/photos photos.identity
  fanfold identity export ~/photos - | ssh new fanfold identity import /home/ann/photos -
`;

const IMPORT_HELP = `
Examples:
  fanfold identity import ~/photos photos.identity
`;

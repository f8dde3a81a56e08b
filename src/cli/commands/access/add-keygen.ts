import { type Command, Option } from "commander";
import { typedOnly } from "../../configuration/option-keys.ts";
import { parsePath } from "../../options/parse-name.ts";
import type { Finish } from "../../options/shared-options.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import type { KeygenOptions } from "./keygen-command.ts";

/** `fanfold keygen` */
export function addKeygen(program: Command, io: ProgramIo, finish: Finish): void {
  program
    .command("keygen")
    .summary("make an age key, for copies that only some sinks can read")
    .description(
      "Makes an age key for a sink (--age-key), and prints its public part, which a source takes with --recipient. age-keygen makes the same.",
    )
    .addOption(
      typedOnly(
        new Option("-o, --output <file>", "write the key into this new file that only you can read").argParser(
          (value) => parsePath(value, "--output"),
        ),
      ),
    )
    .addOption(
      typedOnly(
        new Option("-y, --public <file>", "print the public parts of the keys in this file, and make none")
          .argParser((value) => parsePath(value, "--public"))
          .conflicts("output"),
      ),
    )
    .helpOption("-h, --help", "show this help")
    .addHelpText("after", KEYGEN_HELP)
    .action(async (options: KeygenOptions) => {
      const { keygenCommand } = await import("./keygen-command.ts");
      finish(await keygenCommand(options, io));
    });
}

const KEYGEN_HELP = `
Examples:
  fanfold keygen -o attic.key
  fanfold keygen -y attic.key
  fanfold sink --age-key attic.key /backup
  fanfold source --recipient age1… ~/photos

docs/security.md says who can then read what.
`;

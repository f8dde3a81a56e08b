import { type Command, Option } from "commander";
import { typedOnly } from "../../configuration/option-keys.ts";
import { addBrokerFiles, fileOption } from "../../options/broker-options.ts";
import { addContact } from "../../options/contact-options.ts";
import type { Finish } from "../../options/shared-options.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import type { DoctorCommandOptions } from "./doctor-command.ts";

/** `fanfold doctor`, with its options and help. */
export function addDoctor(program: Command, io: ProgramIo, finish: Finish): void {
  const command = program
    .command("doctor")
    .summary("find out what is wrong on this machine, and what to do about it")
    .description(
      "Looks at Node.js, the way to the coordinator, the token, the clock, the broker, and the folders that are named. It says of each thing what it found, what it wanted and what to do. It changes nothing: docs/doctor.md.",
    );
  addContact(command)
    .addOption(typedOnly(fileOption("--source <dir>", "look whether this directory can be read")))
    .addOption(
      typedOnly(fileOption("--sink <folder>", "look whether this folder can be filled, and what its disk can do")),
    )
    .addOption(new Option("--broker <broker>", "look at this broker, as the coordinator on this machine would use it"));
  addBrokerFiles(command)
    .addOption(new Option("--json", "print the result as one line of JSON"))
    .helpOption("-h, --help", "show this help")
    .addHelpText("after", DOCTOR_HELP)
    .action(async (options: DoctorCommandOptions, self: Command) => {
      const { doctorCommand } = await import("./doctor-command.ts");
      const namesCoordinator = self.getOptionValueSource("coordinator") !== "default";
      finish(await doctorCommand(options, { namesCoordinator, io }));
    });
}

const DOCTOR_HELP = `
Examples:
  fanfold doctor --coordinator nas --token-file token --sink /backup/photos
  fanfold doctor --coordinator nas --source ~/photos --json
  fanfold doctor --broker nats://localhost:4222

Status 0 says that there is no error, 36 that there is one. Warnings do not count.
`;

import type { Command } from "commander";
import type { GivenDesk } from "../../operator/at-desk.ts";
import { addDesk, namesCoordinator } from "../../options/desk-options.ts";
import { parseLabel } from "../../options/parse-name.ts";
import type { Finish } from "../../options/shared-options.ts";
import type { ProgramIo } from "../../process/program-io.ts";

const WHO = "its name, or at least six digits of its key";

/** `fanfold members`, with the commands below it. */
export function addMembers(program: Command, io: ProgramIo, finish: Finish): void {
  const members = program
    .command("members")
    .summary("list, remove and rename who was let in")
    .description(
      "The sources and sinks that a token let in. Each is known by its key, also when its token has expired or was revoked: docs/access.md.",
    )
    .helpOption("-h, --help", "show this help");
  addDesk(below(members, "list", "list who was let in"))
    .addHelpText("after", LIST_HELP)
    .action(async (options: GivenDesk, command: Command) => {
      const { listMembers } = await import("./members-command.ts");
      finish(await listMembers({ options, namesCoordinator: namesCoordinator(command) }, io));
    });
  addDesk(below(members, "remove", "close a member's connections, and let it in only by a token that is made later"))
    .argument("<who>", WHO)
    .addHelpText("after", REMOVE_HELP)
    .action(async (who: string, options: GivenDesk, command: Command) => {
      const { removeMember } = await import("./members-command.ts");
      finish(await removeMember(who, { options, namesCoordinator: namesCoordinator(command) }, io));
    });
  addDesk(below(members, "rename", "give a member another name in the list"))
    .argument("<who>", WHO)
    .argument("<name>", "the new name", (value) => parseLabel(value, "the new name"))
    .addHelpText("after", RENAME_HELP)
    .action(async (who: string, name: string, options: GivenDesk, command: Command) => {
      const { renameMember } = await import("./members-command.ts");
      finish(await renameMember({ who, name }, { options, namesCoordinator: namesCoordinator(command) }, io));
    });
}

function below(members: Command, name: string, what: string): Command {
  return members
    .command(name)
    .summary(what)
    .description(`${what[0]?.toUpperCase()}${what.slice(1)}.`);
}

const LIST_HELP = `
Examples:
  fanfold members list
  FANFOLD_TOKEN=ff1_observer_... fanfold members list --coordinator nas --json
`;

const REMOVE_HELP = `
Examples:
  fanfold members remove laptop
  fanfold members remove 3fa9c2
`;

const RENAME_HELP = `
Examples:
  fanfold members rename 3fa9c2 attic
`;

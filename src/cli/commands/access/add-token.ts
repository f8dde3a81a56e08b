import { type Command, Option } from "commander";
import { EVERY_SESSION } from "../../../protocol/access/every-session.ts";
import { parseSessionScope } from "../../../protocol/access/session-scope.ts";
import { TOKEN_ROLES } from "../../../protocol/access/token-role.ts";
import { TOKEN_TTL_HOURS_DEFAULT, TOKEN_USES_MAX } from "../../../protocol/limits.ts";
import type { GivenDesk } from "../../operator/at-desk.ts";
import { addDesk, namesCoordinator } from "../../options/desk-options.ts";
import { parseTtl } from "../../options/parse-duration.ts";
import { parseNote } from "../../options/parse-name.ts";
import { parseWholeNumber } from "../../options/parse-number.ts";
import type { Finish } from "../../options/shared-options.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import type { TokenCreateOptions } from "./token-command.ts";

/** `fanfold token`, with the commands below it. */
export function addToken(program: Command, io: ProgramIo, finish: Finish): void {
  const token = program
    .command("token")
    .summary("let others in: make, show and revoke tokens")
    .description(
      "A token lets a source or a sink in once; from then on it is known by its key. Tokens for observers and admins are for programs and people who look after the coordinator: docs/access.md.",
    )
    .helpOption("-h, --help", "show this help");
  addCreate(token, io, finish);
  addDesk(below(token, "list", "list all tokens, without their secrets"))
    .addHelpText("after", LIST_HELP)
    .action(async (options: GivenDesk, command: Command) => {
      const { listTokens } = await import("./token-command.ts");
      finish(await listTokens({ options, namesCoordinator: namesCoordinator(command) }, io));
    });
  addDesk(below(token, "show", "print the command line that joins another machine by a token"))
    .argument("[id]", "id of the token (default: those of the coordinator's first start)")
    .addHelpText("after", SHOW_HELP)
    .action(async (id: string | undefined, options: GivenDesk, command: Command) => {
      const { showTokens } = await import("./token-command.ts");
      finish(await showTokens(id, { options, namesCoordinator: namesCoordinator(command) }, io));
    });
  addDesk(below(token, "revoke", "let nobody in by a token any more; those that it let in stay"))
    .argument("<id>", "id of the token")
    .addHelpText("after", REVOKE_HELP)
    .action(async (id: string, options: GivenDesk, command: Command) => {
      const { revokeToken } = await import("./token-command.ts");
      finish(await revokeToken(id, { options, namesCoordinator: namesCoordinator(command) }, io));
    });
}

function addCreate(token: Command, io: ProgramIo, finish: Finish): void {
  const create = below(token, "create", "make a token, and print the command line that uses it")
    .addOption(
      new Option("--role <role>", "what its holder may do: take part as one, read what happens, or run the coordinator")
        .choices(TOKEN_ROLES)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option("--session <glob>", "names of the sessions that it is for; * stands for any characters")
        .default(EVERY_SESSION)
        .argParser(parseSessionScope),
    )
    .addOption(
      new Option(
        "--ttl <duration>",
        `how long it lets in, such as 24h or 90d, or never (default: ${TOKEN_TTL_HOURS_DEFAULT}h)`,
      ).argParser((value) => parseTtl(value, "--ttl")),
    )
    .addOption(
      new Option("--uses <count>", "let in so many sources or sinks (default: any number)").argParser((value) =>
        parseWholeNumber(value, { option: "--uses", min: 1, max: TOKEN_USES_MAX }),
      ),
    )
    .addOption(new Option("--note <text>", "what it is for, for the list").argParser(parseNote));
  addDesk(create)
    .addHelpText("after", CREATE_HELP)
    .action(async (options: TokenCreateOptions, command: Command) => {
      const { createToken } = await import("./token-command.ts");
      finish(await createToken(options, { options, namesCoordinator: namesCoordinator(command) }, io));
    });
}

function below(token: Command, name: string, what: string): Command {
  return token
    .command(name)
    .summary(what)
    .description(`${what[0]?.toUpperCase()}${what.slice(1)}.`);
}

const CREATE_HELP = `
Examples:
  fanfold token create --role sink
  fanfold token create --role sink --session 'nightly-*' --ttl 7d --uses 5
  FANFOLD_TOKEN=ff1_admin_... fanfold token create --role source --coordinator nas

On the coordinator's machine it needs no token: it works as the user who runs
the coordinator, whether that runs or not.
`;

const LIST_HELP = `
Examples:
  fanfold token list
`;

const SHOW_HELP = `
Examples:
  fanfold token show
  fanfold token show k3m9x2qa
`;

const REVOKE_HELP = `
Examples:
  fanfold token revoke k3m9x2qa
`;

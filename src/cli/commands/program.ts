import { type Command, Option } from "commander";
import { withoutTokens } from "../../lib/hide-tokens.ts";
import { packageVersion } from "../../lib/package-version.ts";
import { ConfiguredCommand } from "../configuration/configured-command.ts";
import { takesSettings, typedOnly } from "../configuration/option-keys.ts";
import { Settings } from "../configuration/settings.ts";
import { parsePath } from "../options/parse-name.ts";
import type { Finish } from "../options/shared-options.ts";
import type { ProgramIo } from "../process/program-io.ts";
import { columnsOf } from "../process/terminal-size.ts";
import { forOutput } from "../process/written-lines.ts";
import { addIdentity } from "./access/add-identity.ts";
import { addKeygen } from "./access/add-keygen.ts";
import { addMembers } from "./access/add-members.ts";
import { addReceipt } from "./access/add-receipt.ts";
import { addToken } from "./access/add-token.ts";
import { addNatsSetup } from "./brokers/add-nats-setup.ts";
import { addRabbitmqSetup } from "./brokers/add-rabbitmq-setup.ts";
import { addCompletion } from "./config/add-completion.ts";
import { addConfig } from "./config/add-config.ts";
import type { FreshProgram } from "./config/fresh-program.ts";
import { addCoordinator } from "./copying/add-coordinator.ts";
import { addDigest } from "./copying/add-digest.ts";
import { addSink } from "./copying/add-sink.ts";
import { addSource } from "./copying/add-source.ts";
import { addVerify } from "./copying/add-verify.ts";
import { addDoctor } from "./looking/add-doctor.ts";
import { addLimit } from "./looking/add-limit.ts";
import { addRecords } from "./looking/add-records.ts";
import { addDiff } from "./snapshots/add-diff.ts";
import { addPrune } from "./snapshots/add-prune.ts";
import { addRestore } from "./snapshots/add-restore.ts";
import { addSnapshots } from "./snapshots/add-snapshots.ts";

interface ProgramOptions {
  /** @default those of the environment */
  readonly settings?: Settings;
  /** First word of the command line. If it is the name of a command, no other command is made: that takes a while. */
  readonly asked?: string | undefined;
}

/** Makes commands. Their names stand beside it. */
type Add = (program: Command, io: ProgramIo, finish: Finish, fresh: FreshProgram) => void;
const COMMANDS: readonly (readonly [add: Add, ...names: string[]])[] = [
  [addCoordinator, "coordinator"],
  [addSource, "source"],
  [addSink, "sink"],
  [addVerify, "verify"],
  [addDigest, "digest"],
  [addSnapshots, "snapshots"],
  [addRestore, "restore"],
  [addDiff, "diff", "find"],
  [addPrune, "prune"],
  [addDoctor, "doctor"],
  [addIdentity, "identity"],
  [addKeygen, "keygen"],
  [addNatsSetup, "nats-setup"],
  [addToken, "token"],
  [addMembers, "members"],
  [addRabbitmqSetup, "rabbitmq-setup"],
  [addReceipt, "receipt"],
  [addRecords, "sessions", "session", "fleet"],
  [addLimit, "limit"],
  [addConfig, "config"],
  [addCompletion, "completion", "complete"],
];

/** The commands with their options and help. The code of each is loaded when it is called. */
export function createProgram(io: ProgramIo, finish: Finish, options: ProgramOptions = {}): Command {
  const { settings = new Settings(io.env), asked } = options;
  const fresh = (own: Settings): Command => createProgram(io, () => undefined, { settings: own });
  const program: Command = new ConfiguredCommand("fanfold", settings)
    .description("Copies one directory to many machines at once, through a message broker, and proves every copy.")
    .version(packageVersion(), "-V, --version", "show the version")
    .helpOption("-h, --help", "show this help")
    .helpCommand("help [command]", "show the help of a command")
    .configureHelp({ helpWidth: helpColumns(io) })
    .configureOutput({
      writeOut: (text) => void io.stdout.write(forOutput(text, io.stdout)),
      writeErr: (text) => void io.stderr.write(forOutput(text, io.stderr)),
      outputError: (text, write) => write(oneLine(text)),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .showHelpAfterError(false)
    .exitOverride()
    .addOption(
      typedOnly(
        new Option("--config <file>", "read this configuration file instead of those of the user and the system"),
      ).argParser((value) => parsePath(value, "--config")),
    )
    .addOption(
      typedOnly(new Option("--profile <name>", "use the settings of [profile.NAME] in the configuration file")),
    )
    .hook("preSubcommand", () => settings.open(program, () => fresh(new Settings({}))))
    .addHelpText("after", PROGRAM_HELP)
    .addHelpText("afterAll", ({ command }) => helpAtEnd(command));
  const named = COMMANDS.filter(([, ...names]) => asked !== undefined && names.includes(asked));
  for (const [add] of named.length === 0 ? COMMANDS : named) add(program, io, finish, fresh);
  return program;
}

/** No wider than it can be read with ease, and than the texts behind the options. */
const HELP_COLUMNS_MAX = 80;

function helpColumns({ stdout }: ProgramIo): number {
  return Math.min(columnsOf(stdout), HELP_COLUMNS_MAX);
}

/** Commander's own messages, in the form of all others. */
function oneLine(text: string): string {
  const said = text
    .trim()
    .replace(/^error: /, "")
    .replaceAll(/\s*\n\s*/g, " ");
  return `fanfold: ${withoutTokens(said)}; try "fanfold --help" or "fanfold COMMAND --help"\n`;
}

/** Behind the help of every command that takes settings. */
export const SETTINGS_HELP = `Options also come from the environment (--some-name from FANFOLD_SOME_NAME)
and from fanfold.toml, which has profiles: docs/configuration.md.
`;

/** What stands at the end of the help of any command. */
export function helpAtEnd(command: Command): string {
  if (command.commands.length > 0) return `\nUse "${wordsOf(command)} COMMAND --help" for the options of a command.\n`;
  return takesSettings(command) ? SETTINGS_HELP : "";
}

/** What is typed to call it: `fanfold token`. */
function wordsOf(command: Command): string {
  return command.parent === null ? command.name() : `${wordsOf(command.parent)} ${command.name()}`;
}

const PROGRAM_HELP = `
Examples:
  fanfold coordinator                     on one machine: brings them together
  fanfold sink /backup/photos             on every machine that gets a copy
  fanfold source ~/photos --dest-count 2  on the machine that has the files:
                                          starts when two sinks are there
`;

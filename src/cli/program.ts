import { Command, Option } from "commander";
import { DEFAULT_PORT, formatAddress, parseCoordinatorAddress } from "../member/address.ts";
import { SINKS_PER_SESSION_MAX } from "../protocol/limits.ts";
import type { CoordinatorCommandOptions } from "./coordinator-command.ts";
import { parseDuration } from "./parse-duration.ts";
import { parseLabel, parsePath, parseSessionName } from "./parse-name.ts";
import { parseWholeNumber } from "./parse-number.ts";
import type { ProgramIo } from "./program-io.ts";
import type { SinkCommandOptions } from "./sink-command.ts";
import { addSinkPolicy } from "./sink-policy-options.ts";
import type { SourceCommandOptions } from "./source-command.ts";
import { addTreeOptions } from "./tree-options.ts";
import type { VerifyCommandOptions } from "./verify-command.ts";
import { packageVersion } from "./version.ts";

/** Runs the command that was asked for and gives its exit status. */
export type Finish = (status: number) => void;

/** The commands with their options and help. The code of each is loaded when it is called. */
export function createProgram(io: ProgramIo, finish: Finish): Command {
  const program = new Command("fanfold")
    .description("Copies one directory to many machines at once, through a message broker, and proves every copy.")
    .version(packageVersion(), "-V, --version", "show the version")
    .helpOption("-h, --help", "show this help")
    .helpCommand("help [command]", "show the help of a command")
    .configureHelp({ helpWidth: helpColumns(io) })
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      outputError: (text, write) => write(oneLine(text)),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .showHelpAfterError(false)
    .exitOverride()
    .addHelpText("after", PROGRAM_HELP);
  addCoordinator(program, io, finish);
  addSource(program, io, finish);
  addSink(program, io, finish);
  addVerify(program, io, finish);
  return program;
}

function addCoordinator(program: Command, io: ProgramIo, finish: Finish): void {
  const command = program
    .command("coordinator")
    .summary("bring a source and its sinks together")
    .description(
      "Brings sources and sinks together and shows their sessions. Start one of it; the other commands need only its address.",
    )
    .addOption(new Option("--host <host>", "address to listen on").default("127.0.0.1"))
    .addOption(
      new Option("--port <port>", "port to listen on, 0 for a free one")
        .default(DEFAULT_PORT)
        .argParser((value) => parseWholeNumber(value, { option: "--port", min: 0, max: 65_535 })),
    )
    .addOption(
      new Option("--broker <broker>", "what the data goes through: embedded, nats://host:4222 or amqp://host:5672")
        .default("embedded")
        .env("FANFOLD_BROKER"),
    )
    .addOption(new Option("--broker-public-url <url>", "what clients are told, where it differs from --broker"))
    .addOption(
      new Option("--broker-credentials <file>", "file with user:password or a token for --broker").argParser((value) =>
        parsePath(value, "--broker-credentials"),
      ),
    )
    .addOption(
      new Option(
        "--broker-public-credentials <file>",
        "the same for clients, who otherwise get the coordinator's own",
      ).argParser((value) => parsePath(value, "--broker-public-credentials")),
    )
    .addOption(
      new Option(
        "--allow-host <name>",
        "another name that clients may call this coordinator by (repeatable)",
      ).argParser(collect),
    )
    .addOption(
      new Option(
        "--state-dir <folder>",
        "where sessions are remembered (default: $XDG_STATE_HOME/fanfold/coordinator)",
      ).argParser((value) => parsePath(value, "--state-dir")),
    );
  addShared(command)
    .addHelpText("after", COORDINATOR_HELP)
    .action(async (options: CoordinatorCommandOptions) => {
      const { coordinatorCommand } = await import("./coordinator-command.ts");
      finish(await coordinatorCommand(options, io));
    });
}

function addSource(program: Command, io: ProgramIo, finish: Finish): void {
  const command = program
    .command("source")
    .summary("copy a directory to the sinks of a session")
    .description(
      "Waits for sinks, copies DIR to all of them at once, and ends with 0 when every one has proven its copy.",
    )
    .argument("<dir>", "the directory to copy")
    .addOption(coordinatorOption())
    .addOption(sessionOption())
    .addOption(
      new Option("--dest-count <count>", "start as soon as so many sinks are registered")
        .default(1)
        .argParser((value) => parseWholeNumber(value, { option: "--dest-count", min: 1, max: SINKS_PER_SESSION_MAX })),
    )
    .addOption(labelOption())
    .addOption(
      new Option(
        "--wait-timeout <duration>",
        "give up when not enough sinks are there by then, such as 30s, 5m or 2h",
      ).argParser((value) => parseDuration(value, "--wait-timeout")),
    )
    .addOption(
      new Option(
        "--connect-timeout <duration>",
        "give up when the coordinator does not answer by then; in the middle of a session it gets 10m at least",
      )
        .default(30_000, "30s")
        .argParser((value) => parseDuration(value, "--connect-timeout")),
    )
    .addOption(
      new Option(
        "-n, --dry-run",
        "only say what would be sent to each sink, and change nothing; with --verbose name the files",
      ).conflicts("cancel"),
    )
    .addOption(new Option("--cancel", "end the session of DIR for all, and copy nothing"))
    .addOption(
      new Option(
        "--state-dir <folder>",
        "where the source keeps its identity (default: $XDG_STATE_HOME/fanfold/source)",
      ).argParser((value) => parsePath(value, "--state-dir")),
    );
  const filters = addTreeOptions(command);
  addShared(addSinkPolicy(command))
    .addHelpText("after", SOURCE_HELP)
    .action(async (folder: string, options: Omit<SourceCommandOptions, "filters">) => {
      const { sourceCommand } = await import("./source-command.ts");
      finish(await sourceCommand(folder, { ...options, filters }, io));
    });
}

function addSink(program: Command, io: ProgramIo, finish: Finish): void {
  const command = program
    .command("sink")
    .summary("receive a copy into a folder")
    .description(
      "Registers, waits for a source as long as it takes, and builds its directory in FOLDER. What else is in FOLDER stays as it is.",
    )
    .argument("<folder>", "the folder to fill; it is created when missing")
    .addOption(coordinatorOption())
    .addOption(sessionOption())
    .addOption(labelOption())
    .addOption(new Option("--stay", "go on waiting for the next session of this name"))
    .addOption(new Option("--accept-new-source", "take a copy from another source than the folder's first one"))
    .addOption(
      new Option(
        "--connect-timeout <duration>",
        "give up when the coordinator does not answer by then (default: keep trying)",
      ).argParser((value) => parseDuration(value, "--connect-timeout")),
    );
  addShared(command)
    .addHelpText("after", SINK_HELP)
    .action(async (folder: string, options: SinkCommandOptions) => {
      const { sinkCommand } = await import("./sink-command.ts");
      finish(await sinkCommand(folder, options, io));
    });
}

function addVerify(program: Command, io: ProgramIo, finish: Finish): void {
  const command = program
    .command("verify")
    .summary("compare a sink's folder with what was copied into it")
    .description(
      "Reads FOLDER again, without any network, and names what is not as the last completed copy left it. It writes nothing.",
    )
    .argument("<folder>", "the folder of a sink")
    .addOption(new Option("--strict", "fail also for entries that are in FOLDER and not in the copy"));
  addShared(command)
    .addHelpText("after", VERIFY_HELP)
    .action(async (folder: string, options: VerifyCommandOptions) => {
      const { verifyCommand } = await import("./verify-command.ts");
      finish(await verifyCommand(folder, options, io));
    });
}

function addShared(command: Command): Command {
  return command
    .addOption(new Option("-q, --quiet", "print errors and warnings only").conflicts(["verbose", "json"]))
    .addOption(new Option("-v, --verbose", "print every file, and what helps to find a fault"))
    .addOption(new Option("--json", "print one JSON object a line for every event (docs/events.md)"))
    .addOption(new Option("--no-color", "print without colours, as with NO_COLOR"))
    .helpOption("-h, --help", "show this help");
}

function coordinatorOption(): Option {
  return new Option(
    "--coordinator <address>",
    "where the coordinator listens: host:port, host, [IPv6]:port or http://host:port",
  )
    .default(`localhost:${DEFAULT_PORT}`)
    .env("FANFOLD_COORDINATOR")
    .argParser((value) => formatAddress(parseCoordinatorAddress(value)));
}

function sessionOption(): Option {
  return new Option("--session <name>", 'which source and sinks belong together (default: "default")').argParser(
    parseSessionName,
  );
}

function labelOption(): Option {
  return new Option("--name <label>", "the name others see (default: the host name, made unique)").argParser(
    parseLabel,
  );
}

function collect(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value];
}

function helpColumns({ stdout }: ProgramIo): number {
  return Math.min(stdout.columns ?? 100, 120);
}

/** Commander's own messages, in the form of all others. */
function oneLine(text: string): string {
  const said = text
    .trim()
    .replace(/^error: /, "")
    .replaceAll(/\s*\n\s*/g, " ");
  return `fanfold: ${said}; try "fanfold --help" or "fanfold COMMAND --help"\n`;
}

const PROGRAM_HELP = `
Examples:
  fanfold coordinator                             on one machine: brings the others together
  fanfold sink /backup/photos                     on every machine that gets a copy
  fanfold source ~/photos --dest-count 2          on the machine that has the files: starts when two sinks are there
`;

const COORDINATOR_HELP = `
Examples:
  fanfold coordinator
  fanfold coordinator --host 0.0.0.0 --port 7400
  fanfold coordinator --broker nats://localhost:4222
  fanfold coordinator --broker amqp://rabbit:5672 --broker-credentials /etc/fanfold/rabbit
`;

const SOURCE_HELP = `
Examples:
  fanfold source ~/photos
  fanfold source --coordinator backup:7337 --session photos --dest-count 3 ~/photos
  fanfold source --wait-timeout 10m --json /srv/data > events.jsonl
  fanfold source --dry-run --verbose ~/photos
  fanfold source --exclude '*.tmp' --exclude /build/ --exclude-from .backupignore ~/project

Ctrl-C stops the source, and its sinks wait: the same command goes on. A second Ctrl-C ends the session for all.
Patterns are those of .gitignore: "*.tmp" and "cache/" match at any depth, "/build" and "docs/*.md" from DIR on, "/" at the end
means directories, "**" any number of them. Of --exclude, --include and --exclude-from the first that matches an entry decides; in a
file the last line does, and "!" in front includes again. More: docs/filters.md.
The exit status says how it ended: docs/exit-status.md.
`;

const SINK_HELP = `
Examples:
  fanfold sink /backup/photos
  fanfold sink --coordinator backup:7337 --session photos --name attic /backup/photos
  fanfold sink --stay /backup/photos

The exit status says how it ended: docs/exit-status.md.
`;

const VERIFY_HELP = `
Examples:
  fanfold verify /backup/photos
  fanfold verify --strict --json /backup/photos

The exit status is 0 when all is as it was copied, and 12 when something differs or is missing: docs/exit-status.md.
`;

import { type Command, Option } from "commander";
import { COORDINATOR_DEFAULTS } from "../../../coordinator/coordinator-defaults.ts";
import { KEEP_DAYS_MAX, KEEP_SESSIONS_MAX } from "../../../coordinator/history/retention.ts";
import type { Want } from "../../../coordinator/notices/wanted.ts";
import { addBrokerFiles, fileOption } from "../../options/broker-options.ts";
import { parseWholeNumber } from "../../options/parse-number.ts";
import { parseWant } from "../../options/parse-want.ts";
import { addShared, type Finish } from "../../options/shared-options.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import type { CoordinatorCommandOptions } from "./coordinator-command.ts";

/** `fanfold coordinator`, with its options and help. */
export function addCoordinator(program: Command, io: ProgramIo, finish: Finish): void {
  const command = program
    .command("coordinator")
    .summary("bring a source and its sinks together")
    .description(
      "Brings sources and sinks together and shows their sessions. Start one coordinator; the other commands need only its address.",
    )
    .addOption(new Option("--host <host>", "address to listen on").default(COORDINATOR_DEFAULTS.host))
    .addOption(
      new Option("--port <port>", "port to listen on; 0 takes a free one")
        .default(COORDINATOR_DEFAULTS.port)
        .argParser((value) => parseWholeNumber(value, { option: "--port", min: 0, max: 65_535 })),
    );
  addBroker(command);
  addAccess(command);
  command
    .addOption(
      new Option(
        "--allow-host <name>",
        "another host name of this coordinator: it stands in the lines that join other machines, and browsers may use it (repeatable)",
      ).argParser(collect),
    )
    .addOption(
      fileOption(
        "--state-dir <folder>",
        "folder that remembers the sessions (default: $XDG_STATE_HOME/fanfold/coordinator/PORT)",
      ),
    );
  addKeeping(command);
  addTelling(command);
  addShared(command)
    .addHelpText("after", COORDINATOR_HELP)
    .action(async (options: CoordinatorCommandOptions) => {
      const { coordinatorCommand } = await import("./coordinator-command.ts");
      finish(await coordinatorCommand(options, io));
    });
}

/** What carries the data. */
function addBroker(command: Command): void {
  command.addOption(
    new Option(
      "--broker <broker>",
      "what carries the data: embedded, nats://host:4222 or amqp://host:5672; separate several hosts with commas",
    ).default(COORDINATOR_DEFAULTS.broker),
  );
  addBrokerFiles(command)
    .addOption(
      new Option("--broker-public-url <url>", "the broker's address for clients, if it is not that of --broker"),
    )
    .addOption(
      fileOption(
        "--broker-public-credentials <file>",
        "the same as --broker-credentials for clients (default: the coordinator's own)",
      ),
    );
}

/** Who may come in. */
function addAccess(command: Command): void {
  command
    .addOption(
      new Option("--require-token", "serve over TLS and ask for tokens also where only this machine reaches the port"),
    )
    .addOption(new Option("--insecure-open", "serve without TLS and ask nobody for a token, also beyond this machine"))
    .addOption(
      fileOption(
        "--tls-cert <file>",
        "certificate and those above it, PEM, instead of one that the coordinator makes; SIGHUP reads it again",
      ),
    )
    .addOption(fileOption("--tls-key <file>", "private key of --tls-cert, PEM"))
    .addOption(
      fileOption("--tls-client-ca <file>", "authority, PEM; who has no certificate that it signed is turned away"),
    );
}

/** What stays of what was. */
function addKeeping(command: Command): void {
  command
    .addOption(
      new Option("--keep-sessions <count>", "sessions that the history keeps")
        .default(COORDINATOR_DEFAULTS.keepSessions)
        .argParser((value) => parseWholeNumber(value, { option: "--keep-sessions", min: 1, max: KEEP_SESSIONS_MAX })),
    )
    .addOption(
      new Option("--keep-days <days>", "days for which it keeps them (default: as long as there is room)").argParser(
        (value) => parseWholeNumber(value, { option: "--keep-days", min: 1, max: KEEP_DAYS_MAX }),
      ),
    );
}

/** Who is told of what. */
function addTelling(command: Command): void {
  command
    .addOption(
      new Option(
        "--webhook <url>",
        "post the end of each session, and a missed one, as JSON to this http:// or https:// address",
      ),
    )
    .addOption(
      fileOption("--webhook-secret-file <file>", "file with the secret that signs it: whsec_ and base64, one line"),
    )
    .addOption(
      fileOption("--on-end <program>", "run this program for the same events; it reads the JSON on standard input"),
    )
    .addOption(
      new Option(
        "--want <name=time>",
        "tell when the sessions of this name, or of names such as photos-*, have no whole copy for so long: nightly=26h (repeatable)",
      ).argParser((value, previous: readonly Want[] | undefined) => [...(previous ?? []), parseWant(value)]),
    );
}

function collect(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value];
}

const COORDINATOR_HELP = `
Examples:
  fanfold coordinator
  fanfold coordinator --host 0.0.0.0 --port 7400
  fanfold coordinator --broker nats://localhost:4222
  fanfold coordinator --broker amqp://rabbit --broker-credentials /etc/rabbit

If the output is not a terminal, each line begins with the time in UTC.
`;

import { type Command, Option } from "commander";
import { fitsCertificate } from "../../../lib/crypto/certificate.ts";
import { FanfoldError } from "../../../lib/errors.ts";
import { escapeText } from "../../../lib/escape-name.ts";
import { plainHost } from "../../../lib/net/host-port.ts";
import { parseWholeNumber } from "../../options/parse-number.ts";
import type { Finish } from "../../options/shared-options.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import type { NatsSetupOptions } from "./nats-setup-command.ts";

const NATS_PORT = 4222;

/** `fanfold nats-setup`, with its options and help. */
export function addNatsSetup(program: Command, io: ProgramIo, finish: Finish): void {
  program
    .command("nats-setup")
    .summary("make keys and a configuration for a NATS server")
    .description(
      "Makes keys and a configuration for a NATS server, which then lets every source and sink do what it needs in its own session, and no more.",
    )
    .argument("<dir>", "a new folder for them")
    .addOption(
      new Option("--port <port>", "port of the server in its configuration")
        .default(NATS_PORT)
        .argParser((value) => parseWholeNumber(value, { option: "--port", min: 1, max: 65_535 })),
    )
    .addOption(
      new Option(
        "--tls-name <name>",
        "make a certificate for the server, good for this name or address (repeatable)",
      ).argParser(parseTlsName),
    )
    .helpOption("-h, --help", "show this help")
    .addHelpText("after", NATS_SETUP_HELP)
    .action(async (folder: string, options: NatsSetupOptions) => {
      const { natsSetupCommand } = await import("./nats-setup-command.ts");
      finish(await natsSetupCommand(folder, options, io));
    });
}

function parseTlsName(value: string, earlier: readonly string[] = []): readonly string[] {
  const name = plainHost(value);
  if (fitsCertificate(name)) return [...earlier, name];
  throw new FanfoldError(
    "usage",
    `cannot use --tls-name "${escapeText(value)}": want a host name or a numeric address, without a port`,
  );
}

const NATS_SETUP_HELP = `
Examples:
  fanfold nats-setup nats --tls-name nats.example
  (cd nats && nats-server -c nats.conf)
  fanfold coordinator --broker tls://nats.example --broker-ca nats/server.pem --nats-seeds nats/coordinator.seeds
`;

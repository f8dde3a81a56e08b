import { type Command, Option } from "commander";
import { parsePath } from "./parse-name.ts";

/** What of a broker is in files, as commander reads it. */
export interface GivenBrokerFiles {
  readonly brokerCredentials?: Buffer;
  readonly brokerCa?: Buffer;
  readonly brokerCert?: Buffer;
  readonly brokerKey?: Buffer;
  readonly natsSeeds?: Buffer;
  readonly rabbitmqKey?: Buffer;
}

/** Files by which a coordinator reaches its broker. */
export function addBrokerFiles(command: Command): Command {
  return command
    .addOption(fileOption("--broker-credentials <file>", "file with user:password or a token for --broker"))
    .addOption(
      fileOption("--broker-ca <file>", "the authorities that vouch for the broker, in PEM; members are told of them"),
    )
    .addOption(
      fileOption("--broker-cert <file>", "the coordinator's own certificate, if the broker asks for one, in PEM"),
    )
    .addOption(fileOption("--broker-key <file>", "the key of that certificate, in PEM"))
    .addOption(
      fileOption(
        "--nats-seeds <file>",
        'keys by which everybody gets rights of its own at a NATS server; "fanfold nats-setup" makes them',
      ),
    )
    .addOption(
      fileOption(
        "--rabbitmq-key <file>",
        'key by which everybody gets rights of its own at RabbitMQ; "fanfold rabbitmq-setup" makes it',
      ),
    );
}

/** An option whose value is the path of a file or folder. */
export function fileOption(flags: string, what: string): Option {
  const option = new Option(flags, what);
  return option.argParser((value) => parsePath(value, option.long ?? flags));
}

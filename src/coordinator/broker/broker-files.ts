import { FanfoldError } from "../../lib/errors.ts";
import type { FilePath } from "../../lib/folder/file-path.ts";
import type { Random } from "../../lib/random.ts";
import { readCertificates, readClientCertificate } from "../../lib/tls/certificate-files.ts";
import { parseBroker, vhostOf } from "../../transport/broker-url.ts";
import type { BrokerOptions } from "./broker-setup.ts";
import { natsGranter } from "./nats-granter.ts";
import { readNatsSeeds } from "./nats-seeds.ts";
import { rabbitGranter } from "./rabbitmq-granter.ts";
import { readRabbitKey } from "./rabbitmq-key.ts";

/** Files that a coordinator needs to reach its broker. */
export interface BrokerFiles {
  /** Certificates of the authorities that vouch for the broker, in PEM. Members are told of them. */
  readonly brokerCaFile?: FilePath;
  /** The coordinator's own certificate, for a broker that asks for one, and its key. */
  readonly brokerCertFile?: FilePath;
  /** The private key of `brokerCertFile`, in PEM. */
  readonly brokerKeyFile?: FilePath;
  /** By which it makes the credentials of everybody for a NATS server: `fanfold nats-setup` writes it. */
  readonly natsSeedsFile?: FilePath;
  /** By which it signs the credentials of everybody for RabbitMQ: `fanfold rabbitmq-setup` writes it. */
  readonly rabbitKeyFile?: FilePath;
}

interface GrantOptions {
  /** Value of `--broker`. */
  readonly broker: string;
  readonly random: Random;
  /** How long the credentials are good that the coordinator makes. @default 12 hours */
  readonly credentialsTtlMs?: number | undefined;
}

/** Twice as long as a session can be without a coordinator. A copy of them is of use to a thief for as long. */
const CREDENTIALS_TTL_MS = 12 * 3600 * 1000;

/** @throws FanfoldError `usage` */
export function readBrokerFiles(
  files: BrokerFiles,
  options: GrantOptions,
): Pick<BrokerOptions, "brokerTls" | "granter"> {
  const { brokerCaFile, brokerCertFile, brokerKeyFile } = files;
  const ca = brokerCaFile === undefined ? undefined : readCertificates(brokerCaFile, "--broker-ca");
  const certificate = readClientCertificate({
    certificate: brokerCertFile,
    key: brokerKeyFile,
    options: ["--broker-cert", "--broker-key"],
  });
  return {
    ...(ca === undefined && certificate === undefined ? {} : { brokerTls: { ca, certificate } }),
    ...granterOf(files, options),
  };
}

function granterOf(
  { natsSeedsFile, rabbitKeyFile }: BrokerFiles,
  { broker, random, credentialsTtlMs: ttlMs = CREDENTIALS_TTL_MS }: GrantOptions,
): Pick<BrokerOptions, "granter"> {
  if (natsSeedsFile !== undefined && rabbitKeyFile !== undefined)
    throw new FanfoldError(
      "usage",
      "cannot use --nats-seeds together with --rabbitmq-key: there is one broker; name one",
    );
  if (natsSeedsFile !== undefined) return { granter: natsGranter(readNatsSeeds(natsSeedsFile), { ttlMs, random }) };
  if (rabbitKeyFile === undefined) return {};
  const choice = parseBroker(broker);
  const vhost = choice.kind === "amqp" ? vhostOf(choice.url) : "/";
  return { granter: rabbitGranter(readRabbitKey(rabbitKeyFile), { vhost, ttlMs }) };
}

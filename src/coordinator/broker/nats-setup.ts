import { newServerKey, selfSigned } from "../../lib/crypto/certificate.ts";
import type { FilePath } from "../../lib/folder/file-path.ts";
import { writeNewFolder } from "../../lib/folder/new-folder.ts";
import type { Random } from "../../lib/random.ts";
import { fanfoldAccountJwt } from "./nats-account.ts";
import { accountJwt, operatorJwt, removerRights } from "./nats-jwt.ts";
import { Nkey } from "./nats-nkey.ts";
import { formatNatsSeeds } from "./nats-seeds.ts";

interface NatsSetupFacts {
  /** The port in the configuration of the server. */
  readonly port: number;
  /** Names and addresses by which the server is reached. With one or more it gets a certificate for them, and serves TLS. */
  readonly tlsNames: readonly string[];
  readonly now: Date;
  readonly random: Random;
}

/** Names below the folder. */
export const NATS_FILES = {
  config: "nats.conf",
  accounts: "accounts.conf",
  seeds: "coordinator.seeds",
  certificate: "server.pem",
  certificateKey: "server.key",
  offline: "offline",
} as const;

/**
 * Makes all that a NATS server needs to let everybody do what its role needs in its session, and no more. That is an operator,
 * an account whose signing keys have fixed rights, and a configuration.
 *
 * @throws FanfoldError `usage` when something is in the folder; as `folderError` says
 */
export function setUpNats(folder: FilePath, options: NatsSetupFacts): void {
  const { port, now, random } = options;
  const operator = Nkey.make("operator", random);
  const [system, account] = [Nkey.make("account", random), Nkey.make("account", random)];
  const newKey = (): Nkey => Nkey.make("account", random);
  const keys = { source: newKey(), sink: newKey(), coordinator: newKey() };
  const remover = { operator: Nkey.make("operator", random), system: system.publicKey, key: newKey() };
  const about = (subject: Nkey, name: string) => ({ issuer: operator, subject: subject.publicKey, name, now });
  const seeds = { account: account.publicKey, keys, remover };
  const accounts = accountsConfig({
    operator: operatorJwt(about(operator, "fanfold"), system.publicKey, [remover.operator.publicKey]),
    system: {
      publicKey: system.publicKey,
      jwt: accountJwt(about(system, "SYS"), [
        { role: "remover", publicKey: remover.key.publicKey, rights: removerRights(account.publicKey) },
      ]),
    },
    account: { publicKey: account.publicKey, jwt: fanfoldAccountJwt(seeds, { issuer: operator, now }) },
  });
  const secret = (name: string, text: string) => ({ name, text, isSecret: true });
  const open = (name: string, text: string) => ({ name, text, isSecret: false });
  const seed = (name: string, key: Nkey) => secret(`${NATS_FILES.offline}/${name}.seed`, `${key.seed}\n`);
  const tls = serverCertificate(options);
  const tlsFiles =
    tls === undefined
      ? []
      : [open(NATS_FILES.certificate, tls.certificate), secret(NATS_FILES.certificateKey, tls.key)];
  writeNewFolder(
    folder,
    [
      open(NATS_FILES.config, serverConfig(port, tls !== undefined)),
      ...tlsFiles,
      open(NATS_FILES.accounts, accounts),
      secret(NATS_FILES.seeds, formatNatsSeeds(seeds)),
      seed("operator", operator),
      seed("system-account", system),
      seed("account", account),
    ],
    { what: "cannot set up NATS in", random },
  );
}

/** A certificate that its own key signs, and the key, in PEM. */
function serverCertificate({ tlsNames, now, random }: NatsSetupFacts): TlsPair | undefined {
  const [name] = tlsNames;
  if (name === undefined) return undefined;
  const key = newServerKey();
  return {
    certificate: selfSigned({ key, name, hosts: tlsNames, random, now }),
    key: String(key.export({ type: "pkcs8", format: "pem" })),
  };
}

interface TlsPair {
  readonly certificate: string;
  readonly key: string;
}

interface ConfigAccount {
  readonly publicKey: string;
  readonly jwt: string;
}

interface AccountsConfig {
  readonly operator: string;
  readonly system: ConfigAccount;
  readonly account: ConfigAccount;
}

function accountsConfig({ operator, system, account }: AccountsConfig): string {
  return `# Who may do what at this NATS server: made by "fanfold nats-setup". No part of it is secret.
operator: ${operator}
system_account: ${system.publicKey}
resolver: MEMORY
resolver_preload: {
  # SYS: the server itself
  ${system.publicKey}: ${system.jwt}
  # FANFOLD: sources, sinks and the coordinator
  ${account.publicKey}: ${account.jwt}
}
`;
}

function serverConfig(port: number, hasTls: boolean): string {
  return `# A NATS server for fanfold. To run it, in this folder: nats-server -c ${NATS_FILES.config}
listen: "0.0.0.0:${port}"

${hasTls ? TLS_ON : TLS_OFF}

include "${NATS_FILES.accounts}"
`;
}

const TLS_ON = `# The paths are from the folder in which the server is started. The user of the server has to be able to read the key.
tls { cert_file: "${NATS_FILES.certificate}", key_file: "${NATS_FILES.certificateKey}" }`;

const TLS_OFF = `# Without TLS everybody on the way can read the data. Name your certificate and its key, and write tls:// for nats://.
# tls { cert_file: "/etc/nats/server.pem", key_file: "/etc/nats/server.key" }`;

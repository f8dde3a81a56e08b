import { type Command, Option } from "commander";
import { FanfoldError } from "../../lib/errors.ts";
import { shownPath } from "../../lib/folder/file-path.ts";
import type { ClientCertificate } from "../../lib/tls/client-certificate.ts";
import { formatCoordinatorAddress, parseCoordinatorAddress } from "../../member/address.ts";
import type { ContactOptions } from "../../member/contact.ts";
import { MEMBER_DEFAULTS } from "../../member/member-defaults.ts";
import type { ProgramIo } from "../process/program-io.ts";
import { forOutput } from "../process/written-lines.ts";
import { parsePath } from "./parse-name.ts";

/** How a command reaches the coordinator, as commander reads it. */
export interface GivenContact {
  readonly coordinator: string;
  readonly tokenFile?: Buffer;
  readonly tlsCert?: Buffer;
  readonly tlsKey?: Buffer;
}

/** How a member shows itself to a broker, as commander reads it. */
export interface GivenBrokerCertificate {
  readonly brokerCert?: Buffer;
  readonly brokerKey?: Buffer;
}

/** Options of every command that connects to a coordinator. */
export function addContact(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--coordinator <address>",
        "address of the coordinator: host:port, host or [IPv6]:port; http:// before it asks for no TLS, https:// for TLS",
      )
        .default(MEMBER_DEFAULTS.coordinator)
        .argParser((value) => formatCoordinatorAddress(parseCoordinatorAddress(value))),
    )
    .addOption(
      file(
        "--token-file <file>",
        "file with the token of the coordinator, or a pipe (default: the token in env FANFOLD_TOKEN)",
      ),
    )
    .addOption(file("--tls-cert <file>", "certificate, PEM, for a coordinator with --tls-client-ca"))
    .addOption(file("--tls-key <file>", "private key of --tls-cert, PEM"));
}

export function addBrokerCertificate(command: Command): Command {
  return command
    .addOption(file("--broker-cert <file>", "certificate, PEM, for a broker that asks its clients for one"))
    .addOption(file("--broker-key <file>", "private key of --broker-cert, PEM"));
}

function file(flags: string, description: string): Option {
  const [name = flags] = flags.split(" ");
  return new Option(flags, description).argParser((value) => parsePath(value, name));
}

/** Reads the files that were named. @throws FanfoldError `usage`, or the reason of the signal */
export async function readContact(
  { coordinator, tokenFile, tlsCert, tlsKey }: GivenContact,
  io: ProgramIo,
  signal: AbortSignal,
): Promise<ContactOptions> {
  const token = await takeToken(tokenFile, io, signal);
  const clientCertificate = await readCertificate([tlsCert, tlsKey], ["--tls-cert", "--tls-key"], io);
  return {
    coordinator,
    ...(token === undefined ? {} : { token }),
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
  };
}

/** @throws FanfoldError `usage` */
export async function readBrokerCertificate(
  { brokerCert, brokerKey }: GivenBrokerCertificate,
  io: ProgramIo,
): Promise<{ readonly brokerCertificate?: ClientCertificate }> {
  const brokerCertificate = await readCertificate([brokerCert, brokerKey], ["--broker-cert", "--broker-key"], io);
  return brokerCertificate === undefined ? {} : { brokerCertificate };
}

/** Of a file with a token: more is another file. */
const TOKEN_BYTES_MAX = 1024;

/** The token that a person gave. No child of this process inherits it. */
async function takeToken(
  path: Buffer | undefined,
  { env, clock }: ProgramIo,
  signal: AbortSignal,
): Promise<string | undefined> {
  const inherited = env.FANFOLD_TOKEN?.trim();
  delete env.FANFOLD_TOKEN;
  if (path === undefined) return inherited === "" ? undefined : inherited;
  const what = `cannot read the token in --token-file "${shownPath(path)}"`;
  const { readSecretFile } = await import("../../lib/folder/secret-file.ts");
  const text = (await readSecretFile(path, { what, bytesMax: TOKEN_BYTES_MAX, clock, signal })).trim();
  if (text !== "") return text;
  throw new FanfoldError("usage", `${what}: found nothing, want a token`);
}

async function readCertificate(
  [certificate, key]: readonly [Buffer | undefined, Buffer | undefined],
  options: readonly [string, string],
  io: ProgramIo,
): Promise<ClientCertificate | undefined> {
  if (certificate === undefined && key === undefined) return undefined;
  const { readClientCertificate } = await import("../../lib/tls/certificate-files.ts");
  const { openKeyWarning } = await import("../../lib/tls/open-key.ts");
  const read = readClientCertificate({ certificate, key, options });
  const warning = openKeyWarning(key, options[1]);
  if (warning !== undefined) io.stderr.write(`${forOutput(`fanfold: warning: ${warning}`, io.stderr)}\n`);
  return read;
}

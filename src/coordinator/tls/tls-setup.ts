import { hostname } from "node:os";
import type { Clock } from "../../lib/clock.ts";
import { FanfoldError } from "../../lib/errors.ts";
import type { FilePath } from "../../lib/folder/file-path.ts";
import type { Random } from "../../lib/random.ts";
import type { AccessMode } from "../../protocol/messages/coordinator-events.ts";
import type { TlsMode } from "../port/door.ts";
import { givenIdentity, readClientCa } from "./given-identity.ts";
import { ownIdentity } from "./own-identity.ts";
import type { ServerIdentity } from "./server-identity.ts";
import type { TlsMaterial } from "./tls-front.ts";

/** Files of one's own, instead of a certificate that the coordinator makes. */
export interface TlsFiles {
  /** PEM: the coordinator's certificate, then those above it. */
  readonly tlsCert?: FilePath;
  /** PEM: its private key. */
  readonly tlsKey?: FilePath;
  /** PEM: the authority of the certificates that clients have to show. */
  readonly tlsClientCa?: FilePath;
}

interface SetupOptions {
  readonly access: AccessMode;
  readonly files: TlsFiles;
  readonly clock: Clock;
}

/** Where the coordinator is, for a certificate that it makes for itself. */
interface CertificatePlace {
  readonly stateDir: FilePath;
  /** Names and addresses under which it is reached. */
  readonly hosts: readonly string[];
  readonly random: Random;
}

/** Whether and how a coordinator serves TLS. */
export class TlsSetup {
  readonly mode: TlsMode;
  readonly #files: TlsFiles;
  readonly #clock: Clock;
  readonly #given: GivenTls;
  #material: TlsMaterial | undefined;

  /** @throws FanfoldError `usage` for files that cannot be used, or would not be */
  constructor({ access, files, clock }: SetupOptions) {
    this.mode = modeOf(access, files);
    this.#files = files;
    this.#clock = clock;
    this.#given = readFiles(files, clock.date());
  }

  /** What TLS shows: the files of a person, or what the coordinator made for itself. @throws FanfoldError `damaged` or `disk-failed` */
  material(place: CertificatePlace): TlsMaterial | undefined {
    if (this.mode === "off") return undefined;
    const identity = this.#given.identity ?? ownIdentity({ ...place, name: hostname(), now: this.#clock.date() });
    this.#material = { identity, clientCa: this.#given.clientCa };
    return this.#material;
  }

  /** The same after the files were read again; undefined when there are none. @throws FanfoldError `usage` */
  reload(): TlsMaterial | undefined {
    if (this.#material === undefined || optionGiven(this.#files) === undefined) return undefined;
    const { identity = this.#material.identity, clientCa } = readFiles(this.#files, this.#clock.date());
    this.#material = { identity, clientCa };
    return this.#material;
  }
}

/** What was found in the files. */
interface GivenTls {
  readonly identity: ServerIdentity | undefined;
  readonly clientCa: readonly string[] | undefined;
}

function readFiles({ tlsCert, tlsKey, tlsClientCa }: TlsFiles, now: Date): GivenTls {
  return {
    identity: givenIdentity({ certificate: tlsCert, key: tlsKey }, now),
    clientCa: tlsClientCa === undefined ? undefined : readClientCa(tlsClientCa),
  };
}

const OPTIONS = [
  ["tlsCert", "--tls-cert"],
  ["tlsKey", "--tls-key"],
  ["tlsClientCa", "--tls-client-ca"],
] as const satisfies readonly (readonly [keyof TlsFiles, string])[];

/** The first option of TLS that was given. */
function optionGiven(files: TlsFiles): string | undefined {
  return OPTIONS.find(([name]) => files[name] !== undefined)?.[1];
}

function modeOf(access: AccessMode, files: TlsFiles): TlsMode {
  if (access === "guarded") return files.tlsClientCa === undefined ? "on" : "certificates";
  const option = optionGiven(files);
  if (option === undefined) return "off";
  const why =
    access === "open"
      ? "only this machine can reach it; add --require-token"
      : "--insecure-open was given; leave that out";
  throw new FanfoldError("usage", `cannot use ${option}: this coordinator serves without TLS, because ${why}`);
}

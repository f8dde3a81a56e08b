import { isIP } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { domainToASCII } from "node:url";
import { FanfoldError } from "../errors.ts";
import { plainHost } from "../net/host-port.ts";
import type { ClientCertificate } from "./client-certificate.ts";
import { loadTls } from "./load-tls.ts";

interface TrustOptions {
  /** Names the server's key. Empty: an authority that this machine knows has to vouch for its host name. */
  readonly pin: string;
  /** PEM of the certificate that the key is known to have. */
  readonly certificate?: string | undefined;
  readonly client?: ClientCertificate | undefined;
}

/**
 * By what a client knows that it speaks with the right server over TLS. All connections of a process to one server share
 * it: the certificate that one of them learns, the others take.
 */
export class ServerTrust {
  readonly pin: string;
  readonly client: ClientCertificate | undefined;
  #certificate: string | undefined;

  constructor({ pin, certificate, client }: TrustOptions) {
    this.pin = pin;
    this.client = client;
    this.#certificate = pin === "" ? undefined : certificate;
  }

  /** PEM of the only certificate that is taken; undefined when there is none yet, or where authorities decide. */
  get certificate(): string | undefined {
    return this.#certificate;
  }

  /** The key of the pin has this certificate. */
  learn(certificate: string): void {
    this.#certificate = certificate;
  }

  /** For a connection that carries data: it is always verified. @throws FanfoldError `internal` without a certificate */
  connectionOptions(host: string): ConnectionOptions {
    const common = { ...helloOptions(host), rejectUnauthorized: true, ...clientOptions(this.client) };
    if (this.pin === "") return { ...common, ca: authorities() };
    if (this.#certificate === undefined)
      throw new FanfoldError("internal", "cannot verify a server: its certificate is not known yet");
    // The key is the identity: under which name or address it is reached does not matter.
    const checkServerIdentity = (): undefined => undefined;
    return { ...common, ca: [this.#certificate], allowPartialTrustChain: true, checkServerIdentity };
  }
}

/** What every TLS connection of a client begins with. */
export function helloOptions(host: string): ConnectionOptions {
  const plain = plainHost(host);
  return { minVersion: "TLSv1.3", host, ...(isIP(plain) === 0 ? { servername: domainToASCII(plain) } : {}) };
}

function clientOptions(client: ClientCertificate | undefined): ConnectionOptions {
  return client === undefined ? {} : { cert: client.certificate, key: client.key };
}

/** Those that Node.js brings and those of the system: who runs an authority of their own has put it there. */
function authorities(): string[] {
  const { getCACertificates } = loadTls();
  return [...new Set([...getCACertificates("default"), ...getCACertificates("system")])];
}

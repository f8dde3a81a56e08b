import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { newServerKey, selfSigned } from "../../lib/crypto/certificate.ts";
import { FanfoldError, reasonOf, systemCode } from "../../lib/errors.ts";
import { type FilePath, pathIn, shownPath } from "../../lib/folder/file-path.ts";
import { writePrivateFile } from "../../lib/folder/private-file.ts";
import type { Random } from "../../lib/random.ts";
import { identityOf, type ServerIdentity } from "./server-identity.ts";

const KEY_FILE = "tls-key.pem";
const CERTIFICATE_FILE = "tls-certificate.pem";
/** A coordinator may run for long without being started again: what ends earlier than this is renewed at the start. */
const RENEW_BEFORE_MS = 2 * 365 * 24 * 3600 * 1000;

interface OwnIdentityOptions {
  readonly stateDir: FilePath;
  /** Of this machine, for people. */
  readonly name: string;
  /** Names and addresses under which the coordinator is reached. */
  readonly hosts: readonly string[];
  readonly random: Random;
  readonly now: Date;
}

/**
 * The key and the certificate that a coordinator makes for itself, kept in its state directory. The key stays for ever: the
 * tokens name it. A certificate that is missing, or near its end, is made anew for it.
 *
 * @throws FanfoldError `damaged` or `disk-failed`
 */
export function ownIdentity(options: OwnIdentityOptions): ServerIdentity {
  const key = ownKey(options);
  const known = knownCertificate(key, options);
  const certificates = known ?? selfSigned({ ...options, key });
  if (known === undefined) write(options, CERTIFICATE_FILE, certificates);
  return identityOf({ key, certificate: new X509Certificate(certificates), certificates });
}

function ownKey(options: OwnIdentityOptions): KeyObject {
  const pem = read(options, KEY_FILE);
  if (pem === undefined) {
    const key = newServerKey();
    write(options, KEY_FILE, String(key.export({ type: "pkcs8", format: "pem" })));
    return key;
  }
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    const path = shownPath(pathIn(options.stateDir, KEY_FILE));
    throw new FanfoldError(
      "damaged",
      `cannot read the coordinator's key in "${path}": found no private key; put back a copy of it, or remove it: then every token has to be made anew`,
      { cause },
    );
  }
}

/** The certificate that is there, if it is of this key and lasts. */
function knownCertificate(key: KeyObject, options: OwnIdentityOptions): string | undefined {
  const pem = read(options, CERTIFICATE_FILE);
  if (pem === undefined) return undefined;
  try {
    const certificate = new X509Certificate(pem);
    const lasts = certificate.validToDate.getTime() - options.now.getTime() > RENEW_BEFORE_MS;
    return lasts && certificate.validFromDate <= options.now && certificate.checkPrivateKey(key) ? pem : undefined;
  } catch {
    return undefined; // It is made anew: nothing is lost with it.
  }
}

function read({ stateDir }: OwnIdentityOptions, name: string): string | undefined {
  try {
    return readFileSync(pathIn(stateDir, name), "utf8");
  } catch (cause) {
    if (systemCode(cause) === "ENOENT") return undefined;
    throw failure("read", pathIn(stateDir, name), cause);
  }
}

function write({ stateDir, random }: OwnIdentityOptions, name: string, content: string): void {
  try {
    writePrivateFile(pathIn(stateDir, name), content, random);
  } catch (cause) {
    throw failure("write", pathIn(stateDir, name), cause);
  }
}

function failure(what: "read" | "write", path: Buffer, cause: unknown): FanfoldError {
  const text = `cannot ${what} "${shownPath(path)}": ${reasonOf(cause)}; want a file of this user, see --state-dir`;
  return new FanfoldError("disk-failed", text, { cause });
}

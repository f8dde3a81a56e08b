import { type KeyObject, X509Certificate } from "node:crypto";
import { newServerKey, selfSigned } from "../../../src/lib/crypto/certificate.ts";
import { pinOf } from "../../../src/lib/crypto/public-key-pin.ts";
import { systemRandom } from "../../../src/lib/random.ts";

/** A key with its certificate, both as PEM. */
export interface KeyPair {
  readonly key: string;
  readonly certificate: string;
}

interface SelfMade extends KeyPair {
  readonly pin: string;
  /** Another certificate for the same key. */
  renewed(now?: Date): SelfMade;
}

/** What a coordinator makes for itself. */
export function selfMade({ hosts = ["backup.example"], now = new Date() } = {}): SelfMade {
  return made(newServerKey(), hosts, now);
}

function made(key: KeyObject, hosts: readonly string[], now: Date): SelfMade {
  const certificate = selfSigned({ key, name: "backup", hosts, random: systemRandom, now });
  return {
    key: String(key.export({ type: "pkcs8", format: "pem" })),
    certificate,
    pin: pinOf(new X509Certificate(certificate)),
    renewed: (later = new Date()) => made(key, hosts, later),
  };
}

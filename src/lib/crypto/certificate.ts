import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { ipBytes } from "../net/ip-bytes.ts";
import type { Random } from "../random.ts";
import { type Der, der } from "./der.ts";

const DAY_MS = 24 * 3600 * 1000;
const LIFE_YEARS = 10;
/** Valid from a day ago, so that a clock that is a little slow takes it too. */
const BACKDATED_MS = DAY_MS;
/** Names and addresses in one certificate: a machine with containers can have hundreds. */
const NAMES_MAX = 64;
/** What X.520 allows. */
const COMMON_NAME_CHARS_MAX = 64;
/** Of the 20 bytes that RFC 5280 allows. */
const SERIAL_BYTES = 16;

const OID = {
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  commonName: "2.5.4.3",
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  extendedKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
} as const;

interface SelfSigned {
  /** A P-256 key. */
  readonly key: KeyObject;
  /** What it is for, for people: the machine's name. */
  readonly name: string;
  /** Host names and numeric addresses that it is good for. What fits into no certificate is left out. */
  readonly hosts: readonly string[];
  readonly random: Random;
  readonly now: Date;
}

/** A new P-256 key. */
export function newServerKey(): KeyObject {
  return generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
}

/** Whether a certificate can be good for this name or numeric address. */
export function fitsCertificate(host: string): boolean {
  return alternativeName(host).length > 0;
}

/** A certificate for a server that its own key signs, in PEM. It is good for ten years, and for nothing but a server. */
export function selfSigned(options: SelfSigned): string {
  const body = bodyOf(options);
  const signature = sign("sha256", body, options.key);
  const certificate = der.sequence(body, algorithm(), der.bits(signature));
  const lines = certificate.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

function bodyOf({ key, name, hosts, random, now }: SelfSigned): Der {
  const publicKey = createPublicKey(key);
  const spki = publicKey.export({ type: "spki", format: "der" });
  const end = new Date(now);
  end.setUTCFullYear(end.getUTCFullYear() + LIFE_YEARS);
  const commonName = [...name].slice(0, COMMON_NAME_CHARS_MAX).join("") || "fanfold";
  const issuer = der.sequence(der.set(der.sequence(der.oid(OID.commonName), der.text(commonName))));
  return der.sequence(
    der.tagged(0, der.integer(Buffer.from([2]))), // version 3
    der.integer(Buffer.from(random.hex(SERIAL_BYTES), "hex")),
    algorithm(),
    issuer,
    der.sequence(der.time(new Date(now.getTime() - BACKDATED_MS)), der.time(end)),
    issuer, // the subject is the issuer
    spki,
    der.tagged(3, der.sequence(...extensions(spki, hosts))),
  );
}

function extensions(spki: Buffer, hosts: readonly string[]): readonly Der[] {
  const names = alternativeNames(hosts);
  return [
    extension(OID.basicConstraints, der.sequence(), true), // no authority: it signs no others
    extension(OID.keyUsage, der.bits(Buffer.from([0x80]), 7), true), // digitalSignature
    extension(OID.extendedKeyUsage, der.sequence(der.oid(OID.serverAuth))),
    extension(OID.subjectKeyIdentifier, der.octets(createHash("sha1").update(spki).digest())),
    ...(names.length === 0 ? [] : [extension(OID.subjectAltName, der.sequence(...names))]),
  ];
}

function extension(oid: string, value: Der, critical = false): Der {
  return der.sequence(der.oid(oid), ...(critical ? [der.boolean(true)] : []), der.octets(value));
}

function algorithm(): Der {
  return der.sequence(der.oid(OID.ecdsaWithSha256));
}

function alternativeNames(hosts: readonly string[]): readonly Der[] {
  return [...new Set(hosts)].flatMap(alternativeName).slice(0, NAMES_MAX);
}

function alternativeName(host: string): readonly Der[] {
  const address = ipBytes(host);
  if (address !== undefined) return [der.taggedBytes(7, address)];
  const fits = host.length <= 253 && /^[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*$/.test(host);
  return fits ? [der.taggedBytes(2, Buffer.from(host, "latin1"))] : [];
}

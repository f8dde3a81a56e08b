import { createHmac, type KeyObject } from "node:crypto";
import { decodeBase32, encodeBase32 } from "../../lib/crypto/base32.ts";
import { ed25519PrivateKey, ed25519PublicBytes } from "../../lib/crypto/ed25519.ts";
import { signEdDsa } from "../../lib/crypto/jws.ts";
import type { Random } from "../../lib/random.ts";

/** First bytes of public keys: they make the first letter of the text O, A, U. */
const PREFIX = { operator: 14 << 3, account: 0, user: 20 << 3 } as const;
/** First byte of a seed: S. Five bits more tell what it is the seed of. */
const SEED_PREFIX = 18 << 3;
const SEED_BYTES = 32;
/** CRC-16 with the polynomial of XMODEM. */
const CRC_POLYNOMIAL = 0x1021;

export type NkeyKind = keyof typeof PREFIX;

/** An Ed25519 key as NATS writes it: base32 of what it is, its bytes and a CRC-16 (https://github.com/nats-io/nkeys). */
export class Nkey {
  /** 56 letters and digits. */
  readonly publicKey: string;
  /** The secret: 58 letters and digits. */
  readonly seed: string;
  readonly #key: KeyObject;

  private constructor(kind: NkeyKind, seed: Uint8Array) {
    const prefix = PREFIX[kind];
    this.#key = ed25519PrivateKey(seed);
    this.publicKey = encoded([prefix], ed25519PublicBytes(this.#key));
    this.seed = encoded([SEED_PREFIX | (prefix >> 5), (prefix & 31) << 3], seed);
  }

  static make(kind: NkeyKind, random: Random): Nkey {
    return new Nkey(kind, Buffer.from(random.hex(SEED_BYTES), "hex"));
  }

  /** Undefined when the text is not the seed of such a key. */
  static fromSeed(kind: NkeyKind, text: string): Nkey | undefined {
    const seed = decodeBase32(text)?.subarray(2, 2 + SEED_BYTES);
    if (seed?.length !== SEED_BYTES) return undefined;
    const key = new Nkey(kind, seed);
    return key.seed === text ? key : undefined;
  }

  /** Always the same key for the same text. It tells nothing of this one. */
  derive(kind: NkeyKind, text: string): Nkey {
    return new Nkey(kind, createHmac("sha256", this.seed).update(`fanfold ${kind}\n${text}`).digest());
  }

  /** Ed25519, without a context of ours: what is signed is a JWT for NATS. */
  sign(input: Uint8Array): Uint8Array {
    return signEdDsa(this.#key)(input);
  }
}

/** Whether the text is a public key of this kind. */
export function isNkey(kind: NkeyKind, text: string): boolean {
  const bytes = decodeBase32(text);
  if (bytes?.length !== 1 + SEED_BYTES + 2) return false;
  return encoded([PREFIX[kind]], bytes.subarray(1, 1 + SEED_BYTES)) === text;
}

function encoded(prefix: readonly number[], key: Uint8Array): string {
  const bytes = Buffer.from([...prefix, ...key]);
  const check = Buffer.alloc(2);
  check.writeUInt16LE(crc16(bytes));
  return encodeBase32(Buffer.concat([bytes, check]));
}

function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ CRC_POLYNOMIAL;
    crc &= 0xffff;
  }
  return crc;
}

import { type KeyObject, sign, verify } from "node:crypto";
import { ed25519PrivateKey, ed25519PublicBytes, ed25519PublicKey } from "./ed25519.ts";
import { type JwsSign, signEdDsa } from "./jws.ts";

/** A public key as text: its 32 bytes in lower-case hex. */
const PUBLIC_KEY = /^[0-9a-f]{64}$/;

/** What a signature is for. It stands before the text, and no JSON Web Signature begins like it. */
type SigningContext = "fanfold hello 1" | "fanfold frame 1" | "fanfold report 1" | "fanfold recipients 1";

interface SignedText {
  /** 64 hex digits. */
  readonly publicKey: string;
  readonly context: SigningContext;
  readonly text: string;
  /** Base64url, 86 characters. */
  readonly signature: string;
}

/** A private Ed25519 key: what a member is known by. */
export class SigningKey {
  /** 64 hex digits. */
  readonly publicKey: string;
  readonly #key: KeyObject;

  /** `seed`: 64 hex digits, the secret. */
  constructor(seed: string) {
    this.#key = ed25519PrivateKey(Buffer.from(seed, "hex"));
    this.publicKey = ed25519PublicBytes(this.#key).toString("hex");
  }

  /** Signs a JSON Web Signature. */
  get signer(): JwsSign {
    return signEdDsa(this.#key);
  }

  /** @returns base64url, 86 characters */
  sign(context: SigningContext, text: string): string {
    return this.signBytes(context, Buffer.from(text)).toString("base64url");
  }

  /** @returns 64 bytes */
  signBytes(context: SigningContext, bytes: Uint8Array): Buffer {
    return sign(null, signedBytes(context, bytes), this.#key);
  }
}

/** A public Ed25519 key, read once for many signatures. */
export class VerifyingKey {
  readonly #key: KeyObject;

  /** `publicKey`: 64 hex digits. Throws what node:crypto throws. */
  constructor(publicKey: string) {
    this.#key = publicKeyObject(publicKey);
  }

  /** `signature`: 64 bytes. Total: anything odd is no signature. */
  isSigned(context: SigningContext, bytes: Uint8Array, signature: Uint8Array): boolean {
    return verify(null, signedBytes(context, bytes), this.#key, signature);
  }
}

/** Whether the owner of the key signed this text for this purpose. Total: anything odd is no signature. */
export function isSigned({ publicKey, context, text, signature }: SignedText): boolean {
  if (!PUBLIC_KEY.test(publicKey)) return false;
  try {
    return new VerifyingKey(publicKey).isSigned(context, Buffer.from(text), Buffer.from(signature, "base64url"));
  } catch {
    return false;
  }
}

/** `publicKey`: 64 hex digits. Throws what node:crypto throws. */
export function publicKeyObject(publicKey: string): KeyObject {
  return ed25519PublicKey(Buffer.from(publicKey, "hex"));
}

function signedBytes(context: SigningContext, bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${context}\0`), bytes]);
}

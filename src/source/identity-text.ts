import { SigningKey } from "../lib/crypto/signing-key.ts";
import type { Random } from "../lib/random.ts";

/** Who a source is: the secret half of an Ed25519 key, and the secret that it had in version 0.1. */
export interface Identity {
  /** 64 hex digits. */
  readonly seed: string;
  /** 64 hex digits. */
  readonly former?: string;
}

/** An identity of version 0.1, which has no key yet. */
interface FormerIdentity {
  readonly former: string;
}

const KEY_LINE = /^ed25519 ([0-9a-f]{64})(?:\s+formerly ([0-9a-f]{64}))?$/;
const FORMER = /^[0-9a-f]{64}$/;

export function freshIdentity(random: Random): Identity {
  return { seed: random.hex(32) };
}

/** What others know a source by: 64 hex digits. */
export function publicKeyOf({ seed }: Identity): string {
  return new SigningKey(seed).publicKey;
}

/** The text of an identity's file. */
export function formatIdentity({ seed, former }: Identity): string {
  return `ed25519 ${seed}\n${former === undefined ? "" : `formerly ${former}\n`}`;
}

/** The identity that a text holds, with white space around it: one of today, or one of version 0.1. */
export function parseIdentity(text: string): Identity | FormerIdentity | undefined {
  const trimmed = text.trim();
  if (FORMER.test(trimmed)) return { former: trimmed };
  const [, seed, former] = KEY_LINE.exec(trimmed) ?? [];
  if (seed === undefined) return undefined;
  return former === undefined ? { seed } : { seed, former };
}

export function isFormer(identity: Identity | FormerIdentity): identity is FormerIdentity {
  return !("seed" in identity);
}

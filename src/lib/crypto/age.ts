import type { Decrypter, Encrypter } from "age-encryption";

/*
 * The age format (age-encryption.org/v1) with its X25519 keys: `age1…` is public, `AGE-SECRET-KEY-1…` is not. The library
 * is loaded when a key is first used.
 */
const RECIPIENT = /^age1[02-9ac-hj-np-z]{58}$/;
const SECRET_KEY = /^AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}$/;
/** Of an X25519 key. */
export const AGE_RECIPIENT_CHARS = 62;
const SECRET_START = /^age-secret-key-/i;
const HEADER_FIRST_LINE = "age-encryption.org/v1\n";

interface AgeLibrary {
  readonly Encrypter: new () => Encrypter;
  readonly Decrypter: new () => Decrypter;
}

async function library(): Promise<AgeLibrary> {
  return await import("age-encryption");
}

export interface AgeKey {
  /** `AGE-SECRET-KEY-1…` */
  readonly secretKey: string;
  /** `age1…` */
  readonly recipient: string;
}

/** A fresh key. */
export async function makeAgeKey(): Promise<AgeKey> {
  const { generateX25519Identity, identityToRecipient } = await import("age-encryption");
  const secretKey = await generateX25519Identity();
  return { secretKey, recipient: await identityToRecipient(secretKey) };
}

/** The key whose secret part this is; undefined when it is none. */
export async function ageKeyOf(secretKey: string): Promise<AgeKey | undefined> {
  if (!SECRET_KEY.test(secretKey)) return undefined;
  const { identityToRecipient } = await import("age-encryption");
  try {
    return { secretKey, recipient: await identityToRecipient(secretKey) };
  } catch {
    return undefined;
  }
}

/** Whether this text is meant as a secret key, right or wrong: no error tells it back. */
export function looksSecret(text: string): boolean {
  return SECRET_START.test(text);
}

/** Whether this is a public X25519 key whose check characters are right. */
export async function isAgeRecipient(text: string): Promise<boolean> {
  if (!RECIPIENT.test(text)) return false;
  const age = await library();
  try {
    new age.Encrypter().addRecipient(text);
    return true;
  } catch {
    return false;
  }
}

/** A file in the age format that each of the recipients can open. @param recipients that `isAgeRecipient` takes, at least one */
export async function encryptForRecipients(content: Uint8Array, recipients: readonly string[]): Promise<Uint8Array> {
  const age = await library();
  const encrypter = new age.Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  return await encrypter.encrypt(content);
}

/** The content of a file in the age format; undefined when none of the keys opens it, or it was altered. */
export async function decryptByKeys(file: Uint8Array, keys: readonly AgeKey[]): Promise<Uint8Array | undefined> {
  const age = await library();
  const decrypter = new age.Decrypter();
  for (const { secretKey } of keys) decrypter.addIdentity(secretKey);
  try {
    return await decrypter.decrypt(file);
  } catch {
    return undefined;
  }
}

/** How many recipients the header of a file in the age format has. No key is touched. Undefined: it has no such header. */
export function countAgeRecipients(file: Uint8Array): number | undefined {
  const text = Buffer.from(file.buffer, file.byteOffset, file.byteLength).toString("latin1");
  const end = text.indexOf("\n--- ");
  if (!text.startsWith(HEADER_FIRST_LINE) || end < 0) return undefined;
  return text.slice(0, end).split("\n-> ").length - 1;
}

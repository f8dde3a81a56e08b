import {
  AGE_RECIPIENT_CHARS,
  type AgeKey,
  countAgeRecipients,
  decryptByKeys,
  encryptForRecipients,
} from "../../lib/crypto/age.ts";
import { type SigningKey, VerifyingKey } from "../../lib/crypto/signing-key.ts";
import type { FrameScope } from "../frame/frame.ts";
import { SEAL_SECRET_BYTES } from "./seal-keys.ts";

/**
 * The secret of a session as its source wraps it for recipients [P-15.5]: a file in the age format, signed by the source
 * for this session and epoch. Nobody between them can open it, and nobody can put another one in its place.
 */
const CONTEXT = "fanfold recipients 1";
/** Of one session. */
export const RECIPIENTS_MAX = 256;
/** Of one sink: a new key and some that it had before. */
export const AGE_KEYS_MAX = 4;
/** Of a file for RECIPIENTS_MAX: each has two lines, of 53 and 43 characters. */
const FILE_BYTES_MAX = 256 + RECIPIENTS_MAX * 98;
export const WRAPPED_CHARS_MAX = Math.ceil((FILE_BYTES_MAX * 4) / 3);
export { AGE_RECIPIENT_CHARS };

/** As it stands in messages. */
interface WrappedSecret {
  /** In base64url. */
  readonly file: string;
  /** The source's, in base64url. */
  readonly signature: string;
}

interface Wrapping {
  /** SEAL_SECRET_BYTES. */
  readonly secret: Uint8Array;
  /** Public age keys, at most RECIPIENTS_MAX. */
  readonly recipients: readonly string[];
  readonly scope: FrameScope;
  readonly signer: SigningKey;
}

export async function wrapSecret({ secret, recipients, scope, signer }: Wrapping): Promise<WrappedSecret> {
  const file = await encryptForRecipients(secret, recipients);
  return {
    file: Buffer.from(file).toString("base64url"),
    signature: signer.signBytes(CONTEXT, signedPart(scope, file)).toString("base64url"),
  };
}

interface Unwrapping {
  readonly scope: FrameScope;
  /** The source's public key. */
  readonly source: string;
  readonly keys: readonly AgeKey[];
}

/** Why a secret cannot be unwrapped: it is not the source's, has too many recipients, or none of these keys is among them. */
type UnwrapFault = "forged" | "too-many" | "not-recipient";

/** The secret. Before any key is used, the source's signature and the number of recipients are looked at. */
export async function unwrapSecret(
  wrapped: WrappedSecret,
  { scope, source, keys }: Unwrapping,
): Promise<Buffer | UnwrapFault> {
  const file = Buffer.from(wrapped.file, "base64url");
  const signature = Buffer.from(wrapped.signature, "base64url");
  if (!new VerifyingKey(source).isSigned(CONTEXT, signedPart(scope, file), signature)) return "forged";
  const count = countAgeRecipients(file);
  if (count === undefined) return "forged";
  if (count > RECIPIENTS_MAX) return "too-many";
  const secret = await decryptByKeys(file, keys);
  if (secret === undefined) return "not-recipient";
  return secret.length === SEAL_SECRET_BYTES ? Buffer.from(secret) : "forged";
}

/** For how many keys a session is sealed; 0 when the file has no such header. */
export function recipientsOf({ file }: WrappedSecret): number {
  return countAgeRecipients(Buffer.from(file, "base64url")) ?? 0;
}

/** No part before the file holds a NUL. */
function signedPart({ sessionId, epoch }: FrameScope, file: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${sessionId}\0${epoch}\0`), file]);
}

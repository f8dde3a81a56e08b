import { createHmac } from "node:crypto";
import { FanfoldError } from "../../lib/errors.ts";

/** As the convention wants it. */
const SECRET_BYTES_MIN = 24;
const SECRET_BYTES_MAX = 64;
const PREFIX = "whsec_";

/**
 * Reads a secret as Standard Webhooks writes it: `whsec_` and base64. It stands in no error.
 *
 * @throws FanfoldError `usage`
 */
export function parseWebhookSecret(text: string): Buffer {
  const digits = text.startsWith(PREFIX) ? text.slice(PREFIX.length) : text;
  const secret = /^[A-Za-z0-9+/]+={0,2}$/.test(digits) ? Buffer.from(digits, "base64") : Buffer.alloc(0);
  if (secret.length >= SECRET_BYTES_MIN && secret.length <= SECRET_BYTES_MAX) return secret;
  throw new FanfoldError(
    "usage",
    `cannot read the secret of the webhook: want ${PREFIX} and ${SECRET_BYTES_MIN} to ${SECRET_BYTES_MAX} bytes in base64; echo "${PREFIX}$(head -c 32 /dev/urandom | base64)" makes one`,
  );
}

interface Signed {
  readonly id: string;
  readonly timestampSeconds: number;
  readonly body: string;
}

/** The header `webhook-signature` of Standard Webhooks: HMAC-SHA256 over id, time and body. */
export function webhookSignature(secret: Uint8Array, { id, timestampSeconds, body }: Signed): string {
  const digest = createHmac("sha256", secret).update(`${id}.${timestampSeconds}.${body}`).digest("base64");
  return `v1,${digest}`;
}

import { hkdfSync } from "node:crypto";
import type { FrameScope, StreamScope } from "../frame/frame.ts";

/**
 * Keys of a sealed session [P-15.1]. All come from one secret, which the source draws anew for each welcome. So no key is
 * ever used for two streams, two directions, two epochs or two processes, whatever a coordinator says.
 */
export const SEAL_SECRET_BYTES = 32;
/** What a sink draws for each of its streams, so that its reports have a key of their own. */
export const SALT_BYTES = 16;
const KEY_BYTES = 32;

/** Of the frames on `data`; with `sinkId`, of a lane of that sink. */
export function streamKey(secret: Uint8Array, { sessionId, epoch, stream }: StreamScope, sinkId = ""): Buffer {
  return derived(secret, new Uint8Array(0), ["fanfold stream 1", sessionId, epoch, stream, sinkId]);
}

/** Of what one sink says. */
export function reportKey(
  secret: Uint8Array,
  { sessionId, epoch }: FrameScope,
  { sinkId, salt }: { readonly sinkId: string; readonly salt: Uint8Array },
): Buffer {
  return derived(secret, salt, ["fanfold report 1", sessionId, epoch, sinkId]);
}

/** No part holds a NUL, so no two lists of parts are one text. */
function derived(secret: Uint8Array, salt: Uint8Array, parts: readonly (string | number)[]): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, salt, parts.join("\0"), KEY_BYTES));
}

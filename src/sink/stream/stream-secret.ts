import { VerifyingKey } from "../../lib/crypto/signing-key.ts";
import type { FrameOpener } from "../../protocol/frame/frame.ts";
import { StreamOpener } from "../../protocol/seal/stream-seal.ts";

/** By what the frames of one stream are opened, in whichever thread. */
export interface StreamSecret {
  readonly key: Uint8Array;
  /** The source's public key. */
  readonly source: string;
}

export function openerOf({ key, source }: StreamSecret): FrameOpener {
  return new StreamOpener(key, new VerifyingKey(source));
}

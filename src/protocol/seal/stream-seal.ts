import { createHash } from "node:crypto";
import { type AesGcm, TAG_BYTES } from "../../lib/crypto/aes-gcm.ts";
import { openAesGcm } from "../../lib/crypto/open-aes-gcm.ts";
import type { SigningKey, VerifyingKey } from "../../lib/crypto/signing-key.ts";
import {
  contentBytesOf,
  FRAME_HEADER_BYTES,
  FRAME_SPARE_BYTES,
  type FrameOpener,
  type FrameSealer,
  isHeartbeat,
  nonceOf,
} from "../frame/frame.ts";

/**
 * Frames of a source, sealed [P-15.2]. Behind the table stands the source's signature over the stream's mark, header and
 * table. All behind the header is enciphered, and the tag comes last:
 *
 *   sealed    = header(40) AES-GCM(content table signature(64)) tag(16)
 *   heartbeat = header(40) signature(64)
 *
 * A heartbeat has the sequence of the frame that comes next, and so is not enciphered: it holds nothing.
 */
export const SIGNATURE_BYTES = 64;
const CONTEXT = "fanfold frame 1";

export class StreamSealer implements FrameSealer {
  readonly #cipher: AesGcm;
  readonly #mark: Uint8Array;
  readonly #signer: SigningKey;

  /** @param key of this stream, in this direction */
  constructor(key: Uint8Array, signer: SigningKey) {
    this.#cipher = openAesGcm(key);
    this.#mark = markOf(key);
    this.#signer = signer;
  }

  seal(frame: Buffer): Buffer {
    const whole = Buffer.from(frame.buffer, frame.byteOffset, frame.length + FRAME_SPARE_BYTES);
    whole.set(this.#signer.signBytes(CONTEXT, signedPart(this.#mark, frame)), frame.length);
    const signedTo = frame.length + SIGNATURE_BYTES;
    if (isHeartbeat(frame)) return whole.subarray(0, signedTo);
    const head = whole.subarray(0, FRAME_HEADER_BYTES);
    const body = whole.subarray(FRAME_HEADER_BYTES, signedTo);
    this.#cipher.seal(nonceOf(frame), head, body, whole.subarray(signedTo));
    return whole;
  }
}

export class StreamOpener implements FrameOpener {
  readonly #cipher: AesGcm;
  readonly #mark: Uint8Array;
  readonly #verifier: VerifyingKey;

  constructor(key: Uint8Array, verifier: VerifyingKey) {
    this.#cipher = openAesGcm(key);
    this.#mark = markOf(key);
    this.#verifier = verifier;
  }

  open(sealed: Buffer): Buffer | undefined {
    const signedTo = isHeartbeat(sealed) ? sealed.length : sealed.length - TAG_BYTES;
    const frame = sealed.subarray(0, Math.max(0, signedTo - SIGNATURE_BYTES));
    if (frame.length < FRAME_HEADER_BYTES + contentBytesOf(sealed)) return undefined;
    if (!isHeartbeat(sealed) && !this.#decipher(sealed, signedTo)) return undefined;
    const signature = sealed.subarray(frame.length, signedTo);
    return this.#verifier.isSigned(CONTEXT, signedPart(this.#mark, frame), signature) ? frame : undefined;
  }

  #decipher(sealed: Buffer, signedTo: number): boolean {
    const head = sealed.subarray(0, FRAME_HEADER_BYTES);
    const body = sealed.subarray(FRAME_HEADER_BYTES, signedTo);
    return this.#cipher.open(nonceOf(sealed), head, body, sealed.subarray(signedTo));
  }
}

/**
 * Stands for the key of a stream. By it a signature is good for that one stream, and not for the lane of another sink, to which
 * a member could seal the frame again, or to which anybody could send a heartbeat.
 */
function markOf(key: Uint8Array): Uint8Array {
  return createHash("sha256").update(key).digest();
}

/** Mark, header and table. The table holds the hash of each chunk of the content. */
function signedPart(mark: Uint8Array, frame: Buffer): Buffer {
  const head = frame.subarray(0, FRAME_HEADER_BYTES);
  return Buffer.concat([mark, head, frame.subarray(FRAME_HEADER_BYTES + contentBytesOf(frame))]);
}

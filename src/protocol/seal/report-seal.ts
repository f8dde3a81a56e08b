import { type AesGcm, plainAesGcm, TAG_BYTES } from "../../lib/crypto/aes-gcm.ts";
import { type SigningKey, VerifyingKey } from "../../lib/crypto/signing-key.ts";
import type { FrameScope } from "../frame/frame.ts";
import { FRAME_HEADER_BYTES, nonceOf } from "../frame/frame.ts";
import { UP_FRAME_BYTES_MAX } from "../frame/up.ts";
import { reportKey, SALT_BYTES } from "./seal-keys.ts";
import { SIGNATURE_BYTES } from "./stream-seal.ts";

/**
 * What a sink says, sealed [P-15.3], and signed by the sink over header, salt and body:
 *
 *   sealed = header(40) salt(16) AES-GCM(body signature(64)) tag(16)
 *
 * The salt is drawn anew for each stream that is reported on, because the numbers of reports begin anew with it.
 */
const CONTEXT = "fanfold report 1";
const HEAD_BYTES = FRAME_HEADER_BYTES + SALT_BYTES;
/** What a report grows by. */
const REPORT_SEAL_BYTES = SALT_BYTES + SIGNATURE_BYTES + TAG_BYTES;
/** Of a whole report. */
export const SEALED_UP_BYTES_MAX = UP_FRAME_BYTES_MAX + REPORT_SEAL_BYTES;

interface ReportSealerOptions {
  readonly secret: Uint8Array;
  readonly scope: FrameScope;
  readonly sinkId: string;
  /** SALT_BYTES random bytes, used for this one sealer. */
  readonly salt: Uint8Array;
  readonly signer: SigningKey;
}

export class ReportSealer {
  readonly #cipher: AesGcm;
  readonly #salt: Uint8Array;
  readonly #signer: SigningKey;

  constructor({ secret, scope, sinkId, salt, signer }: ReportSealerOptions) {
    this.#cipher = plainAesGcm(reportKey(secret, scope, { sinkId, salt }));
    this.#salt = salt;
    this.#signer = signer;
  }

  /** @param frame a whole report with its header complete. Once a sequence. */
  seal(frame: Buffer): Buffer {
    const signedTo = frame.length + SALT_BYTES;
    const sealed = Buffer.allocUnsafe(frame.length + REPORT_SEAL_BYTES);
    sealed.set(frame.subarray(0, FRAME_HEADER_BYTES));
    sealed.set(this.#salt, FRAME_HEADER_BYTES);
    sealed.set(frame.subarray(FRAME_HEADER_BYTES), HEAD_BYTES);
    sealed.set(this.#signer.signBytes(CONTEXT, sealed.subarray(0, signedTo)), signedTo);
    const tagAt = signedTo + SIGNATURE_BYTES;
    const head = sealed.subarray(0, HEAD_BYTES);
    this.#cipher.seal(nonceOf(frame), head, sealed.subarray(HEAD_BYTES, tagAt), sealed.subarray(tagAt));
    return sealed;
  }
}

/** Who sealed a report, as it is known elsewhere. */
interface ReportSigner {
  readonly id: string;
  /** Public key: 64 hex digits. Without one, nothing of it opens. */
  readonly key?: string | undefined;
}

/** Opens what the sinks of one session and epoch say. It holds two keys for each of them. */
export class ReportOpener {
  readonly #secret: Uint8Array;
  readonly #scope: FrameScope;
  readonly #keys = new Map<string, { readonly salt: Buffer; readonly cipher: AesGcm }>();
  readonly #verifiers = new Map<string, { readonly key: string; readonly verifier: VerifyingKey }>();

  constructor(secret: Uint8Array, scope: FrameScope) {
    this.#secret = secret;
    this.#scope = scope;
  }

  /** The report as it was before it was sealed: a copy. Undefined when this sink did not seal and sign it. */
  open(payload: Uint8Array, { id: sinkId, key }: ReportSigner): Buffer | undefined {
    if (key === undefined) return undefined;
    const tagAt = payload.length - TAG_BYTES;
    const signedTo = tagAt - SIGNATURE_BYTES;
    if (signedTo < HEAD_BYTES || payload.length > SEALED_UP_BYTES_MAX) return undefined;
    const sealed = Buffer.from(payload);
    const head = sealed.subarray(0, HEAD_BYTES);
    const salt = head.subarray(FRAME_HEADER_BYTES);
    const cipher = this.#cipherOf(sinkId, salt);
    if (!cipher.open(nonceOf(sealed), head, sealed.subarray(HEAD_BYTES, tagAt), sealed.subarray(tagAt)))
      return undefined;
    const signature = sealed.subarray(signedTo, tagAt);
    if (!this.#verifier(sinkId, key).isSigned(CONTEXT, sealed.subarray(0, signedTo), signature)) return undefined;
    this.#keys.set(sinkId, { salt: Buffer.from(salt), cipher });
    return Buffer.concat([sealed.subarray(0, FRAME_HEADER_BYTES), sealed.subarray(HEAD_BYTES, signedTo)]);
  }

  #verifier(id: string, key: string): VerifyingKey {
    const known = this.#verifiers.get(id);
    if (known?.key === key) return known.verifier;
    const verifier = new VerifyingKey(key);
    this.#verifiers.set(id, { key, verifier });
    return verifier;
  }

  #cipherOf(sinkId: string, salt: Buffer): AesGcm {
    const known = this.#keys.get(sinkId);
    if (known?.salt.equals(salt) === true) return known.cipher;
    return plainAesGcm(reportKey(this.#secret, this.#scope, { sinkId, salt }));
  }
}

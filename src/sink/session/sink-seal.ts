import type { SigningKey } from "../../lib/crypto/signing-key.ts";
import type { Random } from "../../lib/random.ts";
import { type FrameOpener, type FrameScope, type FrameSealer, STREAM_DATA } from "../../protocol/frame/frame.ts";
import { ReportSealer } from "../../protocol/seal/report-seal.ts";
import { SALT_BYTES, streamKey } from "../../protocol/seal/seal-keys.ts";
import { openerOf, type StreamSecret } from "../stream/stream-secret.ts";

interface SinkSealOptions {
  /** As the source drew it for this session and epoch. */
  readonly secret: Uint8Array;
  readonly scope: FrameScope;
  readonly sinkId: string;
  /** The source's public key. */
  readonly source: string;
  readonly signer: SigningKey;
  readonly random: Pick<Random, "hex">;
}

/** Opens what the source sends in one session and epoch, and seals what this sink says [P-15]. */
export class SinkSeal {
  readonly #options: SinkSealOptions;
  /** One for each number that a stream may have, whatever comes. */
  readonly #openers = new Map<number, FrameOpener>();

  constructor(options: SinkSealOptions) {
    this.#options = options;
  }

  secretOf(stream: number): StreamSecret {
    const { secret, scope, sinkId, source } = this.#options;
    return { key: streamKey(secret, { ...scope, stream }, stream === STREAM_DATA ? undefined : sinkId), source };
  }

  opener(stream: number): FrameOpener {
    const opener = this.#openers.get(stream) ?? openerOf(this.secretOf(stream));
    this.#openers.set(stream, opener);
    return opener;
  }

  /** Of what is said of one stream. Its numbers begin anew, and so its key is another one each time. */
  reports(): FrameSealer {
    const { secret, scope, sinkId, signer, random } = this.#options;
    return new ReportSealer({ secret, scope, sinkId, signer, salt: Buffer.from(random.hex(SALT_BYTES), "hex") });
  }
}

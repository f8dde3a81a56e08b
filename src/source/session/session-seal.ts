import type { SigningKey } from "../../lib/crypto/signing-key.ts";
import { type FrameOpener, type FrameScope, type FrameSealer, STREAM_DATA } from "../../protocol/frame/frame.ts";
import type { Member } from "../../protocol/messages/control.ts";
import { ReportOpener } from "../../protocol/seal/report-seal.ts";
import { streamKey } from "../../protocol/seal/seal-keys.ts";
import { StreamSealer } from "../../protocol/seal/stream-seal.ts";

interface SessionSealOptions {
  /** SEAL_SECRET_BYTES, drawn for this session and epoch in this process, and for no other. */
  readonly secret: Uint8Array;
  readonly scope: FrameScope;
  readonly signer: SigningKey;
}

/** Seals what a source publishes in one session and epoch, and opens what its sinks say [P-15]. */
export class SessionSeal {
  readonly #options: SessionSealOptions;
  readonly #reports: ReportOpener;

  constructor(options: SessionSealOptions) {
    this.#options = options;
    this.#reports = new ReportOpener(options.secret, options.scope);
  }

  /** Of the stream to all. Once in a session: its numbers begin anew. */
  stream(): FrameSealer {
    return this.#sealer(STREAM_DATA);
  }

  /** Of a lane. Once for each number and sink. */
  lane(sinkId: string, number: number): FrameSealer {
    return this.#sealer(number, sinkId);
  }

  /** Opens what this sink has sealed. */
  reportsOf(sink: Member): FrameOpener {
    return { open: (sealed) => this.#reports.open(sealed, sink) };
  }

  #sealer(stream: number, sinkId?: string): FrameSealer {
    const { secret, scope, signer } = this.#options;
    return new StreamSealer(streamKey(secret, { ...scope, stream }, sinkId), signer);
  }
}

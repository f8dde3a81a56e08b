import { headers, type NatsConnection } from "@nats-io/transport-node";
import { FanfoldError } from "../../lib/errors.ts";
import { systemRandom } from "../../lib/random.ts";
import { FRAME_BYTES_MAX } from "../../protocol/limits.ts";
import { MESSAGE_OVERHEAD_BYTES } from "../message-queue.ts";
import { asOneBuffer } from "../payload.ts";
import { PublishGate } from "../publish-gate.ts";
import type { LinkGuard } from "./link-guard.ts";
import { cutPayload, PART_HEADER } from "./payload-parts.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/**
 * Bytes written to the socket, or waiting for it, that the server has not answered a ping behind. The largest payload fits beside
 * what no ping was sent behind yet: else it would wait for ever.
 */
const UNFLUSHED_BYTES_MAX = FRAME_BYTES_MAX + MIB;
/** After each frame of a usual size, so that the answers of a slow link come often enough to tell it from a dead one. */
const FLUSH_EVERY_BYTES = 512 * KIB;
/** Subjects whose refusal is remembered, so that their next publish fails. */
const DENIED_SUBJECTS_MAX = 256;

interface OutgoingPayload {
  readonly parts: readonly Uint8Array[];
  readonly bytes: number;
}

/**
 * Publishes over core NATS. The library has no back-pressure of its own: a gate counts what the server has not answered for. A
 * payload that is larger than what the server of the moment takes goes in parts [P-2.5].
 */
export class NatsPublisher {
  readonly gate = new PublishGate({ limitBytes: UNFLUSHED_BYTES_MAX });
  readonly #connection: NatsConnection;
  readonly #guard: LinkGuard;
  readonly #denied = new Map<string, FanfoldError>();
  readonly #id = systemRandom.id(8);
  #unflushedBytes = 0;
  #payloadsCut = 0;

  constructor(connection: NatsConnection, guard: LinkGuard) {
    this.#connection = connection;
    this.#guard = guard;
  }

  async publish(subject: string, { parts, bytes }: OutgoingPayload, signal: AbortSignal): Promise<void> {
    const linkBytes = bytes + MESSAGE_OVERHEAD_BYTES;
    await this.gate.pass(linkBytes, signal, (generation) => {
      try {
        this.#send(subject, asOneBuffer(parts, bytes));
      } catch (thrown) {
        this.gate.leave(linkBytes, generation);
        throw thrown;
      }
      this.#meter(linkBytes, generation);
    });
  }

  /** The server refuses what is published on this subject. */
  deny(subject: string, error: FanfoldError): void {
    if (this.#denied.size < DENIED_SUBJECTS_MAX) this.#denied.set(subject, error);
  }

  /** A new link is there. */
  up(): void {
    this.#unflushedBytes = 0;
    this.#denied.clear();
    this.gate.up();
  }

  /** All at once, so that nothing of this publisher comes between the parts of a payload. */
  #send(subject: string, payload: Buffer): void {
    const denied = this.#denied.get(subject);
    if (denied !== undefined) throw denied;
    const { max_payload: limitBytes = MIB, headers: takesHeaders } = this.#connection.info ?? {};
    if (payload.length <= limitBytes) {
      this.#connection.publish(subject, payload);
      return;
    }
    this.#payloadsCut += 1;
    const id = `${this.#id}${this.#payloadsCut.toString(36)}`;
    const parts = takesHeaders === true ? cutPayload(payload, id, limitBytes) : undefined;
    if (parts === undefined) throw takesTooLittle(this.#connection.getServer(), limitBytes);
    for (const { place, bytes } of parts) {
      const partHeaders = headers();
      partHeaders.set(PART_HEADER, place);
      this.#connection.publish(subject, bytes, { headers: partHeaders });
    }
  }

  /** Asks the server for an answer now and then, without waiting for it. */
  #meter(bytes: number, generation: number): void {
    this.#unflushedBytes += bytes;
    if (this.#unflushedBytes < FLUSH_EVERY_BYTES) return;
    const flushing = this.#unflushedBytes;
    this.#unflushedBytes = 0;
    this.#guard.flush().then(
      () => this.gate.leave(flushing, generation),
      // The link went down: its bytes are forgotten when the next one comes up.
      () => undefined,
    );
  }
}

function takesTooLittle(server: string, limitBytes: number): FanfoldError {
  return new FanfoldError(
    "payload-too-large",
    `cannot publish over the NATS server ${server}: found max_payload ${limitBytes}, and a session needs more; raise it at that server`,
  );
}

import { abortable, throwIfAborted } from "../../lib/async/abort.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { type Random, systemRandom } from "../../lib/random.ts";
import { bytesOf, checkPayload, joined, partsOf } from "../payload.ts";
import { StatusHub } from "../status-hub.ts";
import { isPattern, isSubject } from "../subject-rules.ts";
import type { ConnectOptions, EmbeddedTarget } from "../target.ts";
import type {
  Payload,
  SubscribeOptions,
  Subscription,
  Transport,
  TransportCapabilities,
  TransportStatus,
  WaitOptions,
} from "../transport.ts";
import { ClientSession } from "./client-session.ts";
import { encodeHead, MESSAGE_BYTES_MAX } from "./wire.ts";

export interface EmbeddedOptions extends ConnectOptions {
  readonly random?: Random;
}

const CAPABILITIES: TransportCapabilities = {
  kind: "embedded",
  payloadLimitBytes: MESSAGE_BYTES_MAX,
  // A chunk of 1 MiB, with the frame's own header and table.
  preferredPayloadBytes: 1024 * 1024 + 4 * 1024,
  ordered: true,
};

/** Smaller payloads are copied behind their head: one piece costs less than a list of them. */
const COPY_BELOW_BYTES = 16 * 1024;

/**
 * Connects to the relay on the coordinator's port.
 *
 * @throws FanfoldError `broker-unreachable`, `broker-denied`, or the reason of the signal
 */
export async function connectEmbedded(target: EmbeddedTarget, options: EmbeddedOptions): Promise<Transport> {
  const session = new ClientSession(target, {
    clock: options.clock,
    random: options.random ?? systemRandom,
    status: new StatusHub(),
    buffers: options.buffers,
  });
  await session.connect(options.signal);
  return new EmbeddedTransport(session);
}

/** The interface of a transport over a session with the relay. */
class EmbeddedTransport implements Transport {
  readonly capabilities = CAPABILITIES;
  readonly #session: ClientSession;

  constructor(session: ClientSession) {
    this.#session = session;
  }

  async publish(subject: string, payload: Payload, { signal }: WaitOptions): Promise<void> {
    this.#session.checkUsable();
    throwIfAborted(signal);
    if (!isSubject(subject)) throw new FanfoldError("internal", `cannot publish on "${subject}": it is not a subject`);
    const parts = partsOf(payload);
    const payloadBytes = bytesOf(parts);
    checkPayload(subject, payloadBytes, MESSAGE_BYTES_MAX);
    const refusal = this.#session.refusalOf(subject);
    if (refusal !== undefined) throw refusal;
    const head = encodeHead({ op: "pub", id: 0, subject, payloadBytes });
    const bytes = head.length + payloadBytes;
    const pieces = bytes < COPY_BELOW_BYTES ? [joined([head, ...parts], bytes)] : [head, ...parts];
    await this.#session.line.publish({ subject, pieces, bytes }, signal);
  }

  async subscribe(subject: string, { signal, queueBytes }: SubscribeOptions): Promise<Subscription> {
    this.#session.checkUsable();
    throwIfAborted(signal);
    if (!isPattern(subject))
      throw new FanfoldError("internal", `cannot subscribe to "${subject}": it is not a subject`);
    const subscription = this.#session.subscribe(subject, queueBytes);
    try {
      await abortable(subscription.active, signal);
    } catch (thrown) {
      await subscription.unsubscribe();
      throw thrown;
    }
    return subscription;
  }

  status(): AsyncIterable<TransportStatus> {
    return this.#session.status.statuses();
  }

  async drain({ signal }: WaitOptions): Promise<void> {
    try {
      await this.#session.flushLast(signal);
    } finally {
      await this.#session.close();
    }
  }

  async close(): Promise<void> {
    await this.#session.close();
  }
}

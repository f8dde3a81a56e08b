import type { Duplex } from "node:stream";
import { FanfoldError } from "../../lib/errors.ts";
import type { Logger } from "../../lib/logger.ts";
import { SUBSCRIBER_QUEUE_BYTES } from "../../protocol/limits.ts";
import type { RoutedMessage, Router } from "../router.ts";
import { FrameDecoder } from "./frame-decoder.ts";
import { MessageParts } from "./message-parts.ts";
import { RelayOutbox } from "./relay-outbox.ts";
import { type ControlFrame, type DataHead, encodeControl, encodeHead } from "./wire.ts";

/** What one client may do; made by whoever gave it its ticket. */
export interface RelayPermissions {
  /** For logs. */
  readonly name: string;
  mayPublish(subject: string): boolean;
  /** `subject` may end in `.*`. */
  maySubscribe(subject: string): boolean;
}

export interface RelayConnectionOptions {
  readonly router: Router;
  readonly permissions: RelayPermissions;
  readonly logger: Logger;
}

interface RelaySubscription {
  readonly subject: string;
  readonly queueBytes: number;
  readonly leave: () => void;
  waitingBytes: number;
  lostMessages: number;
  lostBytes: number;
}

const SUBSCRIPTIONS_MAX = 64;

/** One client of the relay: decodes its frames, holds its subscriptions, and writes what they match. */
export class RelayConnection {
  readonly #socket: Duplex;
  readonly #options: RelayConnectionOptions;
  readonly #decoder: FrameDecoder;
  readonly #outbox: RelayOutbox;
  readonly #subscriptions = new Map<number, RelaySubscription>();
  /** The message that is coming in; undefined while a forbidden one goes by. */
  #incoming: { readonly head: DataHead; readonly parts: MessageParts } | undefined;

  constructor(socket: Duplex, options: RelayConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#decoder = new FrameDecoder("client", {
      control: (frame) => this.#control(frame),
      begin: (head) => this.#begin(head),
      payload: (bytes) => this.#incoming?.parts.push(bytes),
      end: () => this.#end(),
    });
    this.#outbox = new RelayOutbox(socket, {
      limitBytes: SUBSCRIBER_QUEUE_BYTES,
      relieved: () => this.#tellLosses(),
      flooded: () => this.#fail(new FanfoldError("damaged", "Answer a client: it does not read the answers")),
    });
  }

  /** Takes bytes of the client, in any chunking; they must not change afterwards. */
  receive(chunk: Uint8Array): void {
    if (this.#socket.destroyed) return;
    try {
      this.#decoder.push(chunk);
    } catch (thrown) {
      this.#fail(FanfoldError.from(thrown));
    }
  }

  /** Takes the client's subscriptions out of the router. Idempotent. */
  leave(): void {
    for (const { leave } of this.#subscriptions.values()) leave();
    this.#subscriptions.clear();
    this.#incoming = undefined;
  }

  #control(frame: ControlFrame): void {
    if (frame.op === "sub") this.#subscribe(frame);
    else if (frame.op === "unsub") this.#unsubscribe(frame.id);
    else if (frame.op === "ping") this.#outbox.answer(encodeControl({ op: "pong", id: frame.id }));
  }

  #begin(head: DataHead): void {
    if (this.#options.permissions.mayPublish(head.subject)) {
      this.#incoming = { head, parts: new MessageParts(head.payloadBytes) };
      return;
    }
    this.#refuse({ id: 0, subject: head.subject, text: `this client may not publish on "${head.subject}"` });
  }

  #end(): void {
    const incoming = this.#incoming;
    if (incoming === undefined) return;
    this.#incoming = undefined;
    const { subject, payloadBytes: bytes } = incoming.head;
    this.#options.router.publish({ subject, parts: incoming.parts.finish(), bytes });
  }

  #subscribe({ id, subject, queueBytes }: Extract<ControlFrame, { op: "sub" }>): void {
    if (id === 0 || this.#subscriptions.has(id)) {
      throw new FanfoldError("damaged", `Subscribe a client: the subscription number ${id} cannot be used`);
    }
    if (this.#subscriptions.size >= SUBSCRIPTIONS_MAX) {
      this.#refuse({ id, subject, text: `this client has ${SUBSCRIPTIONS_MAX} subscriptions, which is the most` });
    } else if (!this.#options.permissions.maySubscribe(subject)) {
      this.#refuse({ id, subject, text: `this client may not subscribe to "${subject}"` });
    } else {
      const leave = this.#options.router.subscribe(subject, (message) => this.#deliver(id, message));
      this.#subscriptions.set(id, { subject, queueBytes, leave, waitingBytes: 0, lostMessages: 0, lostBytes: 0 });
      this.#outbox.answer(encodeControl({ op: "subok", id }));
    }
  }

  #unsubscribe(id: number): void {
    this.#subscriptions.get(id)?.leave();
    this.#subscriptions.delete(id);
  }

  #deliver(id: number, { subject, parts, bytes }: RoutedMessage): void {
    const subscription = this.#subscriptions.get(id);
    if (subscription === undefined || this.#socket.destroyed) return;
    const start = encodeHead({ op: "msg", id, subject, payloadBytes: bytes });
    const cost = start.length + bytes;
    const fits = subscription.waitingBytes === 0 || subscription.waitingBytes + cost <= subscription.queueBytes;
    const done = (): void => {
      subscription.waitingBytes -= cost;
      if (subscription.lostMessages > 0 && subscription.waitingBytes === 0) this.#tellLosses();
    };
    if (fits && this.#outbox.offer({ pieces: [start, ...parts], bytes: cost, done })) {
      subscription.waitingBytes += cost;
      return;
    }
    subscription.lostMessages += 1;
    subscription.lostBytes += bytes;
  }

  /** Losses are told when the client reads again: before that, the telling would have to wait as well. */
  #tellLosses(): void {
    if (this.#socket.destroyed) return;
    for (const [id, subscription] of this.#subscriptions) {
      const { lostMessages: messages, lostBytes: bytes } = subscription;
      if (messages === 0) continue;
      subscription.lostMessages = 0;
      subscription.lostBytes = 0;
      this.#outbox.answer(encodeControl({ op: "lost", id, messages, bytes }));
    }
  }

  #refuse(refusal: { id: number; subject: string; text: string }): void {
    this.#options.logger.debug("refuse an operation of a relay client", {
      client: this.#options.permissions.name,
      ...refusal,
    });
    this.#outbox.answer(encodeControl({ op: "refused", ...refusal }));
  }

  #fail(error: FanfoldError): void {
    this.#options.logger.debug("cut a relay client", { client: this.#options.permissions.name, error: error.message });
    this.#socket.destroy();
  }
}

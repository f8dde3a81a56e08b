import type { Duplex } from "node:stream";
import { FanfoldError } from "../../lib/errors.ts";
import type { Logger } from "../../lib/logger.ts";
import type { BufferPool } from "../../lib/memory/buffer-pool.ts";
import { SUBSCRIBER_QUEUE_BYTES } from "../../protocol/limits.ts";
import type { RoutedMessage, Router } from "../router.ts";
import { Lease } from "./lease.ts";
import { MessageReader } from "./message-reader.ts";
import { readInto, type SocketReader } from "./read-into.ts";
import { RelayOutbox } from "./relay-outbox.ts";
import { type ControlFrame, type DataHead, encodeControl, encodeHead } from "./wire.ts";

/** What one client may do; made by whoever gave it its ticket. */
export interface RelayPermissions {
  /** Whose connection it is: all of one owner can be cut at once. */
  readonly owner: string;
  /** For logs. */
  readonly name: string;
  /** Of one message that it publishes. */
  readonly messageBytesMax: number;
  /** Whether its messages may pass where others can read them. */
  mayBeExposed(): boolean;
  mayPublish(subject: string): boolean;
  /** `subject` may end in `.*`. */
  maySubscribe(subject: string): boolean;
}

interface RelayConnectionOptions {
  readonly router: Router;
  readonly buffers: BufferPool;
  readonly permissions: RelayPermissions;
  /** Others on the way may read what passes. */
  readonly isExposed: boolean;
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
export class RelayConnection implements SocketReader {
  /** Where the client is written to. */
  readonly socket: Duplex;
  readonly #options: RelayConnectionOptions;
  readonly #reader: MessageReader;
  readonly #outbox: RelayOutbox;
  readonly #subscriptions = new Map<number, RelaySubscription>();

  /** From now on the socket is this connection's to read. */
  constructor(socket: Duplex, options: RelayConnectionOptions) {
    this.#options = options;
    this.#reader = new MessageReader("client", {
      control: (frame) => this.#control(frame),
      place: (head) => this.#place(head),
      message: (head, payload) => this.#publish(head, payload),
      skipped: () => undefined,
    });
    this.socket = readInto(socket, this);
    this.#outbox = new RelayOutbox(this.socket, {
      limitBytes: SUBSCRIBER_QUEUE_BYTES,
      relieved: () => this.#tellLosses(),
      flooded: () => this.#fail(new FanfoldError("damaged", "cannot answer a client: it does not read the answers")),
    });
  }

  /** Where the client's next bytes are to be put. */
  target(): Uint8Array {
    return this.#reader.target();
  }

  /** So many bytes of the client are at the beginning of what `target` gave. */
  read(bytes: number, target: Uint8Array): void {
    this.#take(() => this.#reader.read(bytes, target));
  }

  /** Takes bytes of the client that came another way, in any chunking. */
  push(chunk: Uint8Array): void {
    this.#take(() => this.#reader.push(chunk));
  }

  /** Takes the client's subscriptions out of the router. Idempotent. */
  leave(): void {
    for (const { leave } of this.#subscriptions.values()) leave();
    this.#subscriptions.clear();
  }

  #take(read: () => void): void {
    if (this.socket.destroyed) return;
    try {
      read();
    } catch (thrown) {
      this.#fail(FanfoldError.from(thrown));
    }
  }

  #control(frame: ControlFrame): void {
    if (frame.op === "sub") this.#subscribe(frame);
    else if (frame.op === "unsub") this.#unsubscribe(frame.id);
    else if (frame.op === "ping") this.#outbox.answer(encodeControl({ op: "pong", id: frame.id }));
  }

  /** A payload that its owner may publish; any other goes by, and takes no memory. */
  #place({ subject, payloadBytes }: DataHead): Uint8Array | undefined {
    const { buffers, permissions } = this.#options;
    const { messageBytesMax } = permissions;
    const mayPublish = permissions.mayPublish(subject);
    const isHidden = this.#isHidden;
    if (mayPublish && isHidden && payloadBytes <= messageBytesMax) return buffers.take(payloadBytes);
    const most = isHidden ? `more than ${messageBytesMax} bytes at once` : "what is not sealed, without TLS";
    const what = mayPublish ? most : `on "${subject}"`;
    this.#refuse({ id: 0, subject, text: `this client may not publish ${what}` });
    return undefined;
  }

  /** Nobody on the way can read what passes, or all of it is sealed. */
  get #isHidden(): boolean {
    return !this.#options.isExposed || this.#options.permissions.mayBeExposed();
  }

  #publish({ subject, payloadBytes: bytes }: DataHead, payload: Uint8Array): void {
    const lease = new Lease(() => this.#options.buffers.giveBack(payload.buffer));
    const release = lease.hold();
    this.#options.router.publish({ subject, parts: [payload], bytes, hold: () => lease.hold() });
    release();
  }

  #subscribe({ id, subject, queueBytes }: Extract<ControlFrame, { op: "sub" }>): void {
    if (id === 0 || this.#subscriptions.has(id)) {
      throw new FanfoldError("damaged", `cannot subscribe a client: the subscription number ${id} cannot be used`);
    }
    if (this.#subscriptions.size >= SUBSCRIPTIONS_MAX) {
      this.#refuse({
        id,
        subject,
        text: `this client has ${SUBSCRIPTIONS_MAX} subscriptions already, and can have no more`,
      });
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

  #deliver(id: number, { subject, parts, bytes, hold }: RoutedMessage): void {
    const subscription = this.#subscriptions.get(id);
    // Its client leaves a link where it may not hear this, and comes back by another.
    if (subscription === undefined || this.socket.destroyed || !this.#isHidden) return;
    const start = encodeHead({ op: "msg", id, subject, payloadBytes: bytes });
    const cost = start.length + bytes;
    const fits = subscription.waitingBytes === 0 || subscription.waitingBytes + cost <= subscription.queueBytes;
    if (!fits || !this.#outbox.hasRoomFor(cost)) {
      subscription.lostMessages += 1;
      subscription.lostBytes += bytes;
      return;
    }
    const release = hold();
    const done = (): void => {
      release();
      subscription.waitingBytes -= cost;
      if (subscription.lostMessages > 0 && subscription.waitingBytes === 0) this.#tellLosses();
    };
    subscription.waitingBytes += cost;
    this.#outbox.message({ pieces: [start, ...parts], bytes: cost, done });
  }

  /** Losses are told when the client reads again: before that, the telling would have to wait as well. */
  #tellLosses(): void {
    if (this.socket.destroyed) return;
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
    this.socket.destroy();
  }
}
